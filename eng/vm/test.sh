#!/bin/sh
# Runs the tests of cgroups and of a container's life once more, on a unified hierarchy and Debian's own kernel, those of
# checkpoints, which Debian's CRIU can only make there, and those of cgroups that systemd makes on machines that it runs.
# usage: eng/vm/test.sh RESULTS (a folder, which gets unified-*.trx, checkpoint.trx and systemd-*.trx)
set -eu
results=$1
exchange=$results/vm
mkdir -p "$exchange"
# Shows what failed in the machine, and keeps its results.
report() {
    mv "$exchange"/*.trx "$results/" 2>/dev/null || true
    grep -E -A12 '\[FAIL\]' "$exchange/log" || true
    grep -E 'Total:' "$exchange/log" || true
}
# The stress program would have to be published anew, which the machine has neither time nor packages for.
status=0
# shellcheck disable=SC2016 # for the machine's shell
eng/vm/run.sh "$exchange" "export WHERRY_OUT='${WHERRY_OUT:-$PWD/out}'"'
    status=0
    run() { # NAME PROJECT FILTER...
        name=$1 project=$2
        shift 2
        "tests/$project/bin/Debug/net10.0/$project" -noColor -trx "/run/exchange/$name.trx" "$@" || status=1
    }
    run unified-runtime Wherry.Runtime.Tests -class- Wherry.Runtime.Tests.Containers.CollectionStressTests
    run unified-end-to-end Wherry.EndToEnd.Tests -class Wherry.EndToEnd.Tests.LimitTests \
        -class Wherry.EndToEnd.Tests.LifecycleTests -class Wherry.EndToEnd.Tests.IsolationTests
    exit $status' || status=$?
report
# CRIU, as Debian has it, knows the kernel that Debian has. A machine of their own, as dumps take their time in it.
# shellcheck disable=SC2016 # for the machine's shell
eng/vm/run.sh "$exchange" "export WHERRY_OUT='${WHERRY_OUT:-$PWD/out}'"'
    tests/Wherry.EndToEnd.Tests/bin/Debug/net10.0/Wherry.EndToEnd.Tests -noColor -trx /run/exchange/checkpoint.trx \
        -method "Wherry.EndToEnd.Tests.OciRuntime.OciCheckpointTests.*" \
        -method "Wherry.EndToEnd.Tests.OciRuntime.OciTerminalTests.Restore*" \
        -method "Wherry.EndToEnd.Tests.OciRuntime.PodmanCallerTests.Podman_checkpoints*"' || status=$?
report
# shellcheck disable=SC2016 # for the machine's shell
for trees in unified hybrid; do
    WHERRY_VM_SYSTEMD=$trees eng/vm/run.sh "$exchange" "export TREES=$trees WHERRY_OUT='${WHERRY_OUT:-$PWD/out}'"'
        tests/Wherry.EndToEnd.Tests/bin/Debug/net10.0/Wherry.EndToEnd.Tests -noColor \
            -trx "/run/exchange/systemd-$TREES.trx" -class Wherry.EndToEnd.Tests.OciRuntime.OciSystemdTests' || status=$?
    report
done
exit "$status"
