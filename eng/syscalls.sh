#!/bin/sh
# Makes src/Wherry.Runtime/Seccomp/SyscallTable.Data.cs out of the kernel's headers (Debian: linux-libc-dev, gcc).
# Run it again when the headers are newer; calls that newer kernels have added since are listed below; nearly
# all of them have the same number on every architecture.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

defined() { # prints "name number" of every system call a header defines
	gcc -E -dM "$@" - </dev/null | sed -n 's/^#define __NR_\([a-z0-9_]*\) .*/\1/p' | sort -u | grep -vE '^(syscalls|arch_specific_syscall|x32_.*)$' >"$work/names"
	{ sed 's/.*/value_of & __NR_&/' "$work/names"; } | gcc -E "$@" -x c - | sed -n 's/^value_of \([a-z0-9_]*\) //p' >"$work/values"
	paste -d' ' "$work/names" "$work/values" | while read -r name value; do
		echo "$name $(($(echo "$value" | sed 's/0x40000000/0/')))"
	done
}

include=/usr/include
multi=$include/$(gcc -print-multiarch)
defined -include "$multi/asm/unistd_64.h" | sort >"$work/x86-64"
defined -include "$multi/asm/unistd_32.h" | sort >"$work/i386"
defined -D__X32_SYSCALL_BIT=0x40000000 -include "$multi/asm/unistd_x32.h" | sort >"$work/x32"
# What arm64's own asm/unistd.h asks of the generic table.
defined -D__BITS_PER_LONG=64 -D__ARCH_WANT_RENAMEAT -D__ARCH_WANT_NEW_STAT -D__ARCH_WANT_SET_GET_RLIMIT \
	-D__ARCH_WANT_TIME32_SYSCALLS -D__ARCH_WANT_SYS_CLONE3 -D__ARCH_WANT_MEMFD_SECRET \
	-include "$include/asm-generic/unistd.h" | sort >"$work/arm64"

while read -r number name; do
	for table in x86-64 i386 x32 arm64; do
		grep -q "^$name " "$work/$table" || echo "$name $number" >>"$work/$table"
	done
done <<'NEWER'
451 cachestat
452 fchmodat2
454 futex_wake
455 futex_wait
456 futex_requeue
457 statmount
458 listmount
459 lsm_get_self_attr
460 lsm_set_self_attr
461 lsm_list_modules
462 mseal
463 setxattrat
464 getxattrat
465 listxattrat
466 removexattrat
467 open_tree_attr
468 file_getattr
469 file_setattr
NEWER
grep -q '^map_shadow_stack ' "$work/x86-64" || for table in x86-64 i386 arm64; do echo "map_shadow_stack 453" >>"$work/$table"; done
grep -q '^uretprobe ' "$work/x86-64" || echo "uretprobe 335" >>"$work/x86-64"

{
	cat <<'HEAD'
namespace Wherry.Runtime.Seccomp;

/// <content>The numbers, made by <c>eng/syscalls.sh</c> from the kernel's headers; not edited by hand.</content>
internal static partial class SyscallTable
{
    /// <summary>One call a line: its name and its numbers on x86-64, i386, x32 (without its bit) and arm64; <c>-</c> where there is none. In the order of the names' bytes.</summary>
    internal static ReadOnlySpan<byte> Data =>
        """
HEAD
	cut -d' ' -f1 "$work/x86-64" "$work/i386" "$work/x32" "$work/arm64" | LC_ALL=C sort -u | while read -r name; do
		line=$name
		for table in x86-64 i386 x32 arm64; do
			number=$(sed -n "s/^$name //p" "$work/$table" | head -1)
			line="$line ${number:--}"
		done
		echo "        $line"
	done
	cat <<'TAIL'

        """u8;
}
TAIL
} >src/Wherry.Runtime/Seccomp/SyscallTable.Data.cs
