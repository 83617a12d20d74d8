#!/bin/sh
# Prepares runc's integration tests in a folder: Debian's source of it, with root file systems made of what the host has
# instead of downloaded ones, and stand-ins for the helpers that it would compile. FOLDER/tests/integration/*.bats run
# then, with RUNC naming the runtime and FOLDER/bin before all else in PATH.
# usage: eng/suites/runc.sh FOLDER
set -eu
folder=$1
parts=eng/suites/runc
eng/suites/source.sh runc "$folder"
# Anew where what is laid over it has changed.
if [ -e "$folder/prepared" ] && [ -z "$(find "$parts" "$0" -newer "$folder/prepared")" ]; then exit 0; fi

tests=$folder/tests/integration
for helper in recvtty sd-helper seccompagent; do
    install -D -m 755 "$parts/$helper" "$folder/contrib/cmd/$helper/$helper"
done
install -m 755 "$parts/get-images.sh" "$tests/get-images.sh"
[ -e "$tests/helpers.orig" ] || cp "$tests/helpers.bash" "$tests/helpers.orig"
cat "$tests/helpers.orig" "$parts/overrides.bash" >"$tests/helpers.bash"

install -D -m 755 "$parts/gawk" "$folder/bin/gawk"

# One root for all: busybox under its names, users, and the program that the test of hooks runs.
root=$folder/image
rm -rf "$root"
busybox=$(command -v busybox)
mkdir -p "$root/bin" "$root/etc" "$root/lib" "$root/root" "$root/home" "$root/sbin" "$root/usr/bin" "$root/usr/sbin" \
    "$root/var/spool/mail" "$root/dev"
mkdir -p -m 1777 "$root/tmp"
cp "$busybox" "$root/bin/busybox"
"$busybox" --list | while read -r name; do
    [ "$name" = busybox ] || ln -s busybox "$root/bin/$name"
done
cp /sbin/ldconfig "$root/sbin/ldconfig"
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$root/etc/passwd"
printf 'root:x:0:\ntty:x:5:\n' >"$root/etc/group"
tar -cf "$tests/testdata/image.tar" -C "$root" .
rm -rf "$root"
: >"$folder/prepared"
