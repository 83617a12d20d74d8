#!/bin/sh
# Ends the default engine with its containers and removes all it keeps or made on this host. Run by an ordinary user, his own.
# Another engine's directories, bridge and rules can be named:
# usage: [DATA_ROOT=…] [EXEC_ROOT=…] [BRIDGE=…] [CGROUP_PARENT=…] eng/purge.sh
set -eu
if [ "$(id -u)" -eq 0 ]; then
    data=${DATA_ROOT:-/var/lib/wherry}
    run=${EXEC_ROOT:-/run/wherry}
else
    data=${DATA_ROOT:-${XDG_DATA_HOME:-$HOME/.local/share}/wherry}
    run=${EXEC_ROOT:-${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/wherry}
fi
bridge=${BRIDGE:-wherry0}
parent=${CGROUP_PARENT:-wherry}

for directory in "$data" "$run"; do
    case $directory in /*/*) ;; *) echo "refusing to remove $directory" >&2; exit 1 ;; esac
done

# The engine first, so that nothing is started anew; then the supervisors, whose containers die with them.
ending=
for process in /proc/[0-9]*; do
    name=$(cat "$process/comm" 2>/dev/null) || continue
    case $name in
        wherryd)
            # An engine with directories of its own is somebody else's.
            case "$(tr '\0' ' ' <"$process/cmdline" 2>/dev/null)" in
                *"--exec-root $run "* | *"--exec-root=$run "*) ;;
                *--exec-root*) continue ;;
                *) [ -O "$process" ] && { [ "$run" = /run/wherry ] || [ "$(id -u)" -ne 0 ]; } || continue ;;
            esac
            ;;
        wherry-shim)
            # It holds its container's log and root open, and its state directory is called as its container is.
            id=$(tr '\0' '\n' <"$process/cmdline" 2>/dev/null | sed -n '/^--id$/{n;p;}')
            if [ -z "$id" ] || [ ! -d "$run/containers/$id" ]; then
                find "$process/fd" -type l -printf '%l\n' 2>/dev/null | grep -qF -e "$data/" -e "$run/" || continue
            fi
            ;;
        *) continue ;;
    esac
    ending="$ending ${process#/proc/}"
done
for pid in $ending; do kill -9 "$pid" 2>/dev/null || true; done
for pid in $ending; do
    for _ in $(seq 50); do [ -e "/proc/$pid" ] || break; sleep 0.1; done
done

# An ordinary user's files are his subordinate ids' too, which only the root of his namespaces can remove; then these go.
if [ "$(id -u)" -ne 0 ]; then
    holder=$(cut -d' ' -f1 "$run/holder" 2>/dev/null || true)
    if [ -n "$holder" ] && [ -O "/proc/$holder" ]; then
        nsenter --preserve-credentials --user="/proc/$holder/ns/user" --mount="/proc/$holder/ns/mnt" -- rm -rf "$data"
    elif [ -d "$data" ]; then
        rm -rf "$data" 2>/dev/null || unshare --user --map-auto --map-root-user rm -rf "$data"
    fi
    for record in uplink holder; do
        pid=$(cut -d' ' -f1 "$run/$record" 2>/dev/null || true)
        if [ -n "$pid" ] && [ -O "/proc/$pid" ]; then kill -9 "$pid"; fi
    done
    rm -rf "$data" "$run"
    echo "removed $data and $run"
    exit 0
fi

# Deepest first; none is expected, since root file systems are mounted inside the containers only.
awk -v data="$data/" -v run="$run/" 'index($5 "/", data) == 1 || index($5 "/", run) == 1 { print $5 }' /proc/self/mountinfo |
    sort -r | while read -r mount; do umount -l "$mount" || true; done

find /sys/fs/cgroup -depth -type d -path "*/$parent/*" -exec rmdir {} + 2>/dev/null || true
find /sys/fs/cgroup -depth -type d -name "$parent" -exec rmdir {} + 2>/dev/null || true

if [ -d "/sys/class/net/$bridge" ]; then ip link delete "$bridge"; fi
if command -v nft >/dev/null 2>&1; then
    nft list tables 2>/dev/null | awk -v name="wherry_$bridge" '$3 == name { print $2, $3 }' |
        while read -r family table; do nft delete table "$family" "$table"; done
fi

rm -rf "$data" "$run"
echo "removed $data, $run, the bridge $bridge with its rules, and the cgroups"
