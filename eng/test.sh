#!/bin/sh
# Runs every test project, one after another, and ends with one line that sums them:
#   N passed, N failed[, N skipped]
# FILTER selects tests whose full name contains it, and leaves the virtual machine out. The binaries tested are those in
# WHERRY_OUT (out).
set -eu
results=$PWD/out/test-results
rm -rf "$results"
mkdir -p "$results"
WHERRY_OUT=${WHERRY_OUT:-$PWD/out}
export WHERRY_OUT
DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
export DOTNET_CLI_TELEMETRY_OPTOUT DOTNET_NOLOGO
framework=$(eng/framework.sh)

log=out/test-build.log
echo "building the tests"
# Of the configuration the executables were published in, so that what both have in common is compiled once.
if ! dotnet build Wherry.slnx -c Release -v quiet -nologo -p:WherryPublishFramework="$framework" >"$log" 2>&1; then
    cat "$log" >&2
    echo "0 passed, 1 failed"
    exit 1
fi
if grep -qE 'warning [A-Z]+[0-9]+' "$log"; then
    grep -E 'warning [A-Z]+[0-9]+' "$log" | sort -u >&2
    echo "warnings count as errors" >&2
    echo "0 passed, 1 failed"
    exit 1
fi

passed=0
failed=0
skipped=0
# add NAME STATUS: counts what a test run reported in NAME.trx, and the run itself where it broke off.
add() {
    counters=$(grep -o '<Counters [^>]*>' "$results/$1.trx" 2>/dev/null || true)
    count() { printf '%s' "$counters" | sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p"; }
    if [ -z "$counters" ]; then
        # With a filter a project may simply have nothing to run.
        if [ "$2" -ne 0 ]; then echo "$1: no results (exit code $2)" >&2; failed=$((failed + 1)); fi
        return 0
    fi
    total=$(count total)
    good=$(count passed)
    bad=$(count failed)
    passed=$((passed + good))
    failed=$((failed + bad))
    skipped=$((skipped + total - good - bad))
    if [ "$2" -ne 0 ] && [ "$bad" -eq 0 ]; then
        echo "$1: the test run failed with exit code $2" >&2
        failed=$((failed + 1))
    fi
}

for project in tests/*.Tests/; do
    name=$(basename "$project")
    echo "== $name"
    set -- --no-build -c Release -nologo -p:WherryPublishFramework="$framework" \
        --results-directory "$results" --logger "trx;LogFileName=$name.trx" --logger "console;verbosity=minimal"
    if [ -n "${FILTER:-}" ]; then set -- "$@" --filter "FullyQualifiedName~$FILTER"; fi
    # A hung test must not hang the run.
    status=0
    timeout --kill-after=30 "${WHERRY_TEST_TIMEOUT:-1800}" dotnet test "$project" "$@" </dev/null || status=$?
    add "$name" "$status"
done

if [ -z "${FILTER:-}" ] && [ "$(uname -m)" = x86_64 ]; then
    echo "== on a unified cgroup hierarchy and under systemd, in virtual machines"
    status=0
    eng/vm/test.sh "$results" || status=$?
    before=$failed
    for stage in unified-runtime unified-suites unified-end-to-end unified-sizes unified-apparmor unified-quotas \
        unified-ordinary-user unified-rootless unified-fuse unified-checkpoint systemd-unified systemd-suites systemd-hybrid; do
        # One without results broke off, whatever its machine ended with.
        if [ -s "$results/$stage.trx" ]; then add "$stage" 0; else add "$stage" 1; fi
    done
    if [ "$status" -ne 0 ] && [ "$failed" -eq "$before" ]; then
        echo "a virtual machine failed with exit code $status" >&2
        failed=$((failed + 1))
    fi
fi

if [ "$skipped" -gt 0 ]; then
    echo "$passed passed, $failed failed, $skipped skipped"
else
    echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ]
