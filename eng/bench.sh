#!/bin/sh
# Builds and runs the benchmark; options are handed on (see bench/README.md).
set -eu
if [ "$(id -u)" -ne 0 ]; then
    echo "containers need root for now: sudo make bench" >&2
    exit 1
fi
framework=$(eng/framework.sh)
log=$PWD/out/bench-build.log
dotnet build bench/Wherry.Bench -c Release -v quiet -nologo -p:WherryPublishFramework="$framework" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
set -- dotnet run --project bench/Wherry.Bench -c Release --no-build -- --out "$PWD/out" "$@"
# crun, and so podman with it, runs nothing on hybrid cgroup trees: in a mount namespace of the benchmark's own the tree is
# v1's alone, for all contestants.
unified=$(findmnt -n -o TARGET -t cgroup2 || true)
if [ -n "$unified" ] && [ "$unified" != /sys/fs/cgroup ]; then
    exec unshare --mount --propagation private sh -c 'umount "$0" && exec "$@"' "$unified" "$@"
fi
exec "$@"
