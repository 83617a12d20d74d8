#!/bin/sh
# Runs a shell command in a virtual machine whose cgroup hierarchy is unified: Debian's kernel under QEMU's software
# emulation, on a throw-away overlay of this host's files. The command runs in this directory; it can write to the
# host only in the folder given, which is /run/exchange to it. Its output is FOLDER/log; its exit code is this one's.
# WHERRY_VM_SYSTEMD=unified|hybrid has Debian's systemd run the machine, on cgroup trees of that kind.
# usage: eng/vm/run.sh FOLDER COMMAND
set -eu
exchange=$1
systemd=${WHERRY_VM_SYSTEMD:-}
command=$2
kernel=$(eng/vm/kernel.sh)
version=$(cat "$kernel/version")
modules=$kernel/lib/modules/$version/kernel

work=$(mktemp -d)
emulator=
trap '[ -z "$emulator" ] || kill "$emulator" 2>/dev/null || true; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
root=$work/root
mkdir -p "$root/bin" "$root/modules" "$root/proc" "$root/sys" "$root/dev" "$root/host" "$root/writable" "$root/guest"
cp "$(command -v busybox)" "$root/bin/busybox"
install -m 755 eng/vm/init "$root/init"
# Each after what it needs.
for module in drivers/virtio/virtio_ring drivers/virtio/virtio drivers/virtio/virtio_pci_modern_dev \
    drivers/virtio/virtio_pci_legacy_dev drivers/virtio/virtio_pci fs/netfs/netfs fs/fscache/fscache \
    net/9p/9pnet net/9p/9pnet_virtio fs/9p/9p fs/overlayfs/overlay \
    drivers/block/virtio_blk crypto/crc32c_generic lib/crc16 fs/mbcache fs/jbd2/jbd2 fs/ext4/ext4; do
    cp "$modules/$module.ko" "$root/modules/"
    basename "$module" >>"$root/modules/order"
done
append="console=ttyS0 panic=-1 quiet mitigations=off"
if [ -n "$systemd" ]; then
    : >"$root/systemd"
    append="$append systemd.unit=in-machine.service systemd.show_status=no"
    [ "$systemd" = unified ] || append="$append systemd.unified_cgroup_hierarchy=no"
fi
echo "$PWD" >"$root/repository"
echo "$kernel" >"$root/kernel"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initrd"

# State lies on a file system like a host's; what a tmpfs can't do (id-mapped mounts before Linux 6.3) stays out of the tests.
truncate -s 4G "$work/disk"
/sbin/mkfs.ext4 -q -F -O ^has_journal "$work/disk"

mkdir -p "$exchange"
rm -f "$exchange/status"
printf '%s\n' "$command" >"$exchange/command"
timeout --kill-after=10 "${WHERRY_VM_TIMEOUT:-1800}" qemu-system-x86_64 \
    -accel tcg,thread=multi -cpu max -smp 1 -m 3072 -nodefaults -no-user-config -no-reboot -display none \
    -serial "file:$exchange/console" -kernel "$kernel/boot/vmlinuz-$version" -initrd "$work/initrd" \
    -append "$append" \
    -fsdev local,id=host,path=/,security_model=none,readonly=on,multidevs=remap \
    -device virtio-9p-pci,fsdev=host,mount_tag=host \
    -fsdev "local,id=exchange,path=$exchange,security_model=none" \
    -device virtio-9p-pci,fsdev=exchange,mount_tag=exchange \
    -drive "file=$work/disk,format=raw,if=virtio,cache=unsafe" </dev/null >"$exchange/qemu.log" 2>&1 &
# A shell that waits, unlike one whose command runs, hears what it is told meanwhile.
emulator=$!
wait "$emulator" || true
emulator=
if [ ! -s "$exchange/status" ]; then
    echo "the virtual machine did not come to an end; its console:" >&2
    tail -20 "$exchange/console" "$exchange/qemu.log" >&2
    exit 125
fi
exit "$(cat "$exchange/status")"
