#!/bin/sh
# A host with an ordinary user, as far as its processes can tell: mounts and a network of its own, in which the accounts'
# files have one entry more, the devices of ordinary hosts can be opened by everybody, and programs may be missing.
# Nothing of it is seen outside; it goes with the process this script becomes, whose id is that of the caller's child.
# usage: ordinary-host.sh DIRECTORY NAME ID FIRST_SUBORDINATE_ID|none ADDRESS [MISSING_PROGRAM ...]
set -eu
if [ "$1" != inside ]; then exec unshare --mount --net --propagation private "$0" inside "$@"; fi
shift
directory=$1 name=$2 id=$3 first=$4 address=$5
shift 5

mkdir -p "$directory/etc" "$directory/dev" "$directory/missing" "$directory/work"
for file in passwd group subuid subgid; do
    cat "/etc/$file" >"$directory/etc/$file" 2>/dev/null || : >"$directory/etc/$file"
done
echo "$name:x:$id:$id::/nonexistent:/bin/sh" >>"$directory/etc/passwd"
echo "$name:x:$id:" >>"$directory/etc/group"
if [ "$first" != none ]; then
    echo "$name:$first:65536" >>"$directory/etc/subuid"
    echo "$name:$first:65536" >>"$directory/etc/subgid"
fi
for file in passwd group subuid subgid; do
    if [ -e "/etc/$file" ]; then mount --bind "$directory/etc/$file" "/etc/$file"; fi
done

mknod -m 666 "$directory/dev/tun" c 10 200
mknod -m 666 "$directory/dev/fuse" c 10 229
for device in net/tun fuse; do
    if [ -e "/dev/$device" ]; then mount --bind "$directory/dev/${device#net/}" "/dev/$device"; fi
done

if [ $# -gt 0 ]; then
    for program in "$@"; do mknod "$directory/missing/$program" c 0 0; done
    mount -t overlay -o "lowerdir=/usr/bin,upperdir=$directory/missing,workdir=$directory/work" overlay /usr/bin
fi

# An address that is not the loopback's, and a way to nowhere: programs ask which link leads out.
ip link set lo up
ip address add "$address/32" dev lo
ip link add wan0 type veth peer name wan1
ip address add 198.19.255.2/24 dev wan0
ip link set wan0 up
ip link set wan1 up
ip route add default via 198.19.255.254
echo ready >"$directory/ready"
exec sleep infinity
