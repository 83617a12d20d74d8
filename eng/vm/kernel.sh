#!/bin/sh
# Prints the folder of Debian's kernel package (boot/, lib/modules/), unpacked into out/ without installing it.
set -eu
folder=$PWD/out/tools/kernel
if [ ! -s "$folder/version" ]; then
    rm -rf "$folder"
    mkdir -p "$folder"
    # apt downloads as its own user where it can.
    chmod 755 "$folder"
    (
        cd "$folder"
        package=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -1)
        if [ -z "$package" ]; then
            apt-get update >/dev/null 2>&1 || true
            package=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -1)
        fi
        apt-get download "$package" >/dev/null 2>&1
        dpkg-deb -x linux-image-*.deb .
        rm -f linux-image-*.deb
        version=$(ls lib/modules)
        # The package leaves this to its installation.
        /sbin/depmod -b "$PWD" "$version"
        echo "$version" >version
    ) || { echo "Debian's kernel package could not be downloaded" >&2; exit 1; }
fi
echo "$folder"
