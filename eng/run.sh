#!/bin/sh
# Starts the engine if none runs, makes the base images if absent, and runs a real Debian container.
# usage: eng/run.sh DIRECTORY_OF_THE_BINARIES
set -eu
out=$1
wherry=$out/wherry
# Without root it is an engine of the user's own (docs/rootless.md), which his first command starts.
if [ "$(id -u)" -eq 0 ]; then
    socket=/run/wherry/wherry.sock
else
    socket=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/wherry/wherry.sock
fi

if "$wherry" version >/dev/null 2>&1; then
    echo "an engine answers on $socket"
elif [ "$(id -u)" -ne 0 ]; then
    "$wherry" version # which says why there is none
    exit 1
else
    mkdir -p /var/log
    setsid "$out/wherryd" </dev/null >>/var/log/wherryd.log 2>&1 &
    pid=$!
    for _ in $(seq 100); do
        if [ -S "$socket" ] && "$wherry" version >/dev/null 2>&1; then break; fi
        if ! kill -0 "$pid" 2>/dev/null; then
            echo "the engine ended at once; its last words:" >&2
            tail -20 /var/log/wherryd.log >&2
            exit 1
        fi
        sleep 0.1
    done
    echo "started the engine (process $pid, log /var/log/wherryd.log)"
fi

show() {
    printf '\n$ wherry'
    printf ' %s' "$@"
    printf '\n'
    "$wherry" "$@"
}

for image in busybox debian:bookworm; do
    if ! "$wherry" image inspect "$image" >/dev/null 2>&1; then
        show image bootstrap "$image"
    fi
done
show images
show run --rm busybox echo 'hello from busybox'
# shellcheck disable=SC2016 # expanded inside the container
show run --rm --hostname first-light debian:bookworm sh -c '. /etc/os-release; echo "$PRETTY_NAME on $(hostname), I am process $$"; cat /etc/hosts; ls /'
show version

cat <<END

The engine keeps running. Try:
  $wherry run -it --rm debian:bookworm
  DOCKER_HOST=unix://$socket docker run -it --rm debian:bookworm
END
