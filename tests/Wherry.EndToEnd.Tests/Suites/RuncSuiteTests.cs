namespace Wherry.EndToEnd.Tests.Suites;

/// <summary>runc's own integration tests, run with wherry-oci in its place.</summary>
public sealed class RuncSuiteTests(RuncSuite suite) : IClassFixture<RuncSuite>
{
    // Here, so that each is a test of its own also where the suite can't be fetched.
    private static readonly string[] AllFiles =
    [
        "cgroup_delegation.bats", "cgroups.bats", "checkpoint.bats", "create.bats", "cwd.bats", "debug.bats", "delete.bats", "dev.bats",
        "events.bats", "exec.bats", "help.bats", "hooks.bats", "kill.bats", "list.bats", "mask.bats", "mounts.bats", "mounts_recursive.bats",
        "mounts_sshfs.bats", "no_pivot.bats", "pause.bats", "ps.bats", "root.bats", "run.bats", "seccomp-notify-compat.bats", "seccomp-notify.bats",
        "seccomp.bats", "spec.bats", "start.bats", "start_detached.bats", "start_hello.bats", "state.bats", "tty.bats", "umask.bats", "update.bats",
        "userns.bats", "version.bats",
    ];

    /// <summary>Those of which something is run here.</summary>
    public static TheoryData<string> Files => [.. AllFiles.Where(file => RuncSuite.List.Concerns(SuiteVerdict.Here, file))];

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Runcs_own_tests_pass(string file)
    {
        suite.Need();
        var tests = SuiteVerdict.Chosen(RuncSuite.List, file, RuncSuite.TestsOf(file));
        SuiteVerdict.Require(RuncSuite.List, file, await RuncSuite.RunAsync(file, tests));
    }

    [Fact]
    public void The_list_names_tests_that_there_are()
    {
        suite.Need();
        Assert.Equal(RuncSuite.Files.Order(StringComparer.Ordinal), AllFiles.Order(StringComparer.Ordinal));
        Assert.Empty(RuncSuite.Files.SelectMany(file => RuncSuite.List.Names(file).Except(RuncSuite.TestsOf(file))));
    }
}
