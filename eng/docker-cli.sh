#!/bin/sh
# Prints the path of Debian's docker command line (the client of docker.io), unpacked into out/tools without
# installing it: the tests want the client, and nobody wants its daemon started.
set -eu
folder=$PWD/out/tools/docker.io
if [ ! -x "$folder/usr/bin/docker" ]; then
    mkdir -p "$folder"
    # apt downloads as its own user where it can.
    chmod 755 "$folder"
    (
        cd "$folder"
        apt-get download docker.io >/dev/null 2>&1 ||
            { apt-get update >/dev/null 2>&1 || true; apt-get download docker.io >/dev/null 2>&1; }
        dpkg-deb --fsys-tarfile docker.io_*.deb | tar -x ./usr/bin/docker
        rm -f docker.io_*.deb
    ) || { echo "Debian's docker.io package could not be downloaded" >&2; exit 1; }
fi
echo "$folder/usr/bin/docker"
