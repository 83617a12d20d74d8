#!/bin/sh
# Installs the Debian packages that make targets lack, saying which; without root it only names them.
# usage: eng/need.sh build|run|test ...
set -eu

missing=
# need PACKAGE PROBE: the probe is a command's name or, with a slash, a file.
need() {
    case $2 in
        */*) for found in $2; do if [ -e "$found" ]; then return 0; fi; done ;;
        *) if command -v "$2" >/dev/null 2>&1; then return 0; fi ;;
    esac
    case " $missing " in *" $1 "*) ;; *) missing="$missing $1" ;; esac
}
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

need_build() {
    if ! command -v dotnet >/dev/null 2>&1; then
        echo "dotnet is not installed: Wherry needs the .NET 10 SDK (https://dot.net)" >&2
        exit 1
    fi
    command -v clang >/dev/null 2>&1 || need gcc gcc
    need libc6-dev '/usr/include/stdlib.h'
    need zlib1g-dev '/usr/include/zlib.h'
    need util-linux flock
}

need_run() {
    need mmdebstrap mmdebstrap
    need debian-archive-keyring /usr/share/keyrings/debian-archive-keyring.gpg
    need busybox-static '/usr/share/doc/busybox-static'
    need libzstd1 '/usr/lib/*/libzstd.so.1'
    need ca-certificates /etc/ssl/certs/ca-certificates.crt
    if [ "$(id -u)" -ne 0 ]; then need_rootless; fi
}

need_rootless() {
    need uidmap newuidmap
    need slirp4netns slirp4netns
}

need_test() {
    need_run
    need cpio cpio
    need apparmor apparmor_parser
    need btrfs-progs mkfs.btrfs
    need curl curl
    need e2fsprogs mkfs.ext4
    need iproute2 ip
    need kmod depmod
    need nftables nft
    need procps ps
    need qemu-system-x86 qemu-system-x86_64
    need quota repquota
    need xfsprogs mkfs.xfs
    need zstd zstd
    need python3 /usr/bin/python3
    need python3-docker /usr/lib/python3/dist-packages/docker
    need postgresql-client psql
    need default-mysql-client mysql
    # Run in a virtual machine only; neither is started here.
    need systemd /lib/systemd/systemd
    need libnss-systemd '/usr/lib/*/libnss_systemd.so.2'
    need dbus /usr/bin/dbus-daemon
    need dbus-user-session /usr/lib/systemd/user/dbus.socket
    # Other projects' tests of OCI runtimes.
    need bats bats
    need jq jq
    need xz-utils xz
    need skopeo skopeo
    need umoci umoci
    # What checkpoint and restore run, and what that runs.
    need criu criu
    need iptables iptables
    # Callers of the OCI runtime and its peers; no daemon of theirs is started by these packages here.
    need podman podman
    need conmon conmon
    need crun crun
    need runc runc
    need docker.io dockerd
    need containerd containerd
    need libcrypt1 '/usr/lib/*/libcrypt.so.1'
    need docker-registry docker-registry
    need_rootless
    need passt pasta
    need fuse-overlayfs fuse-overlayfs
}

for target in "$@"; do
    "need_$target"
done
[ -n "$missing" ] || exit 0

# shellcheck disable=SC2086 # one word per package
set -- $missing
if [ "$(id -u)" -ne 0 ]; then
    echo "needed from Debian's packages, and this user may not install them:" >&2
    echo "  sudo apt-get install --no-install-recommends $*" >&2
    exit 1
fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "needed, and this host has no apt-get; install what corresponds to these Debian packages: $*" >&2
    exit 1
fi

echo "installing from Debian's packages: $*"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# None of these packages may start a service on the developer's machine.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$log" "$policy"' EXIT
fi
install() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" </dev/null >"$log" 2>&1
}
# A package list may be missing or old: ask again once it is fresh. A third-party source that does not
# answer must not stop us, so only the installation's result counts.
if ! install "$@"; then
    apt-get update </dev/null >/dev/null 2>&1 || true
    if ! install "$@"; then
        cat "$log" >&2
        exit 1
    fi
fi
