#!/bin/sh
# Runs the tests of cgroups and of a container's life once more, on a unified hierarchy and Debian's own kernel; those
# of what only that kernel has; and those of cgroups that systemd makes on machines that it runs.
# usage: eng/vm/test.sh RESULTS (a folder, which gets unified-*.trx and systemd-*.trx)
set -eu
results=$1
beside=
machine=
# shellcheck disable=SC2086 # none, one or two
trap 'kill $beside $machine 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM
# begin NAME COMMAND: starts a machine, with a folder of its own.
begin() {
    eng/vm/run.sh "$results/$1" "$prologue
$2" &
    machine=$!
}
# end: waits for it.
end() {
    wait "$machine" || status=$?
    machine=
}
# report NAME: keeps a machine's results, and shows what failed in it.
report() {
    mv "$results/$1"/*.trx "$results/" 2>/dev/null || true
    grep -E -A12 '\[FAIL\]' "$results/$1/log" || true
    grep -E 'Total:' "$results/$1/log" || true
}
# What each machine's shell begins with. What differs there is below the engine, so that one client shows it.
# shellcheck disable=SC2016
prologue="export WHERRY_OUT='${WHERRY_OUT:-$PWD/out}' WHERRY_TEST_CLIENT=docker"'
    status=0
    run() { # NAME PROJECT FILTER...
        name=$1 project=$2
        shift 2
        "tests/$project/bin/Release/net10.0/$project" -noColor -trx "/run/exchange/$name.trx" "$@" || status=1
    }'
# A machine has one processor, so two run beside each other. What both need is fetched before.
eng/vm/kernel.sh >/dev/null
# The machines have no network; where there is none here either, those tests say so.
for suite in runc crun; do "eng/suites/$suite.sh" "out/suites/$suite" || true; done
status=0
# The stress program would have to be published anew, which the machine has neither time nor packages for.
# shellcheck disable=SC2016 # for the machine's shell
begin vm-tests '
    # What asks nothing of the kernel is shown well enough on the host.
    set -- -class- Wherry.Runtime.Tests.Containers.CollectionStressTests -class- Wherry.Runtime.Tests.Containers.StreamTests \
        -class- Wherry.Runtime.Tests.Parts.HostileSpecTests -class- Wherry.Runtime.Tests.Seccomp.FilterCompilerTests
    # Of the modes beside root what differs on a unified hierarchy: cgroups, and an ordinary user who has been given one.
    for tests in Hook Mount Namespace Process; do
        for mode in InUserNamespace Rootless; do
            set -- "$@" -class- "Wherry.Runtime.Tests.Conformance.${tests}Tests+$mode"
        done
    done
    run unified-runtime Wherry.Runtime.Tests "$@"
    WHERRY_SUITE_PLACE=machine run unified-suites Wherry.EndToEnd.Tests -class Wherry.EndToEnd.Tests.Suites.RuncSuiteTests \
        -class Wherry.EndToEnd.Tests.Suites.CrunSuiteTests
    run unified-end-to-end Wherry.EndToEnd.Tests -class Wherry.EndToEnd.Tests.LimitTests \
        -class Wherry.EndToEnd.Tests.LifecycleTests -class Wherry.EndToEnd.Tests.IsolationTests
    # From here on what could be in either machine, so that both take as long.
    run unified-apparmor Wherry.EndToEnd.Tests -class Wherry.EndToEnd.Tests.AppArmorTests
    run unified-quotas Wherry.Storage.Tests -class Wherry.Storage.Tests.SizedSnapshotTests
    ordinary=Wherry.EndToEnd.Tests.OciRuntime.OciOrdinaryUserTests
    run unified-ordinary-user Wherry.EndToEnd.Tests -method "$ordinary.In_a_cgroup_that_is_his_limits_hold" \
        -method "$ordinary.A_container_lives_through_every_command"
    fuse=Wherry.EndToEnd.Tests.RootlessFuseTests
    run unified-fuse Wherry.EndToEnd.Tests -method "$fuse.It_is_chosen*" -method "$fuse.A_container_outlives*"
    run unified-sizes Wherry.EndToEnd.Tests -class Wherry.EndToEnd.Tests.RootSizeTests \
        -method- "Wherry.EndToEnd.Tests.RootSizeTests.Where_the_file_system_or_the_driver_can_not*"
    exit $status'
beside=$machine
# shellcheck disable=SC2016 # for the machine's shell
begin vm-kernel '
    run unified-rootless Wherry.EndToEnd.Tests -class Wherry.EndToEnd.Tests.RootlessCgroupTests
    # CRIU, as Debian has it, knows no newer kernel than Debian has.
    callers=Wherry.EndToEnd.Tests.OciRuntime
    run unified-checkpoint Wherry.EndToEnd.Tests -method "$callers.OciCheckpointTests.*" -method "$callers.OciCheckpointKeptTests.*" \
        -method "$callers.OciCheckpointNamespaceTests.*" -method "$callers.OciCheckpointLazyTests.*" \
        -method "$callers.OciTerminalTests.Restore*" -method "$callers.PodmanCallerTests.Podman_checkpoints*"
    exit $status'
end
# shellcheck disable=SC2016 # for the machine's shell
for trees in unified hybrid; do
    export WHERRY_VM_SYSTEMD=$trees
    begin "vm-$trees" "TREES=$trees"'
    run systemd-$TREES Wherry.EndToEnd.Tests -class Wherry.EndToEnd.Tests.OciRuntime.OciSystemdTests \
        -class Wherry.EndToEnd.Tests.OciRuntime.OciOrdinarySystemdTests -class Wherry.EndToEnd.Tests.RootlessSystemdTests
    [ "$TREES" != unified ] ||
        WHERRY_SUITE_PLACE=systemd run systemd-suites Wherry.EndToEnd.Tests -class Wherry.EndToEnd.Tests.Suites.RuncSuiteTests
    exit $status'
    end
done
wait "$beside" || status=$?
beside=
for name in vm-tests vm-kernel vm-unified vm-hybrid; do report "$name"; done
exit "$status"
