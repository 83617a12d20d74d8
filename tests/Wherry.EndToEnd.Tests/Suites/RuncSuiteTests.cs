using System.Text;

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
    public static TheoryData<string> Files => [.. AllFiles.Where(file => RuncSuite.List.Concerns(RuncSuite.Place, file))];

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Runcs_own_tests_pass(string file)
    {
        suite.Need();
        var tests = RuncSuite.TestsOf(file).Where(test => RuncSuite.List.IsRun(RuncSuite.Place, file, test)).ToArray();
        Assert.SkipWhen(tests.Length == 0, "nothing of it is run here, says the list");
        var results = await RuncSuite.RunAsync(file, tests);
        var wrong = new StringBuilder();
        foreach (var result in results)
        {
            wrong.Append(Judge(file, result));
        }

        Assert.True(wrong.Length == 0, wrong.ToString());
        Assert.SkipWhen(results.All(result => result.Skipped is not null), results[0].Skipped ?? "");
    }

    [Fact]
    public void The_list_names_tests_that_there_are()
    {
        suite.Need();
        Assert.Equal(RuncSuite.Files.Order(StringComparer.Ordinal), AllFiles.Order(StringComparer.Ordinal));
        Assert.Empty(RuncSuite.Files.SelectMany(file => RuncSuite.List.Names(file).Except(RuncSuite.TestsOf(file))));
    }

    private static string Judge(string file, TapResult result)
    {
        var differs = RuncSuite.List.Differs(file, result.Name);
        return result switch
        {
            { Passed: false } when !differs => $"failed: {result.Name}\n{result.Output}\n",
            { Passed: true, Skipped: null } when differs => $"passes: {result.Name}: take it from the list\n",
            { Skipped: { } why } when RuncSuite.Place is SuitePlace.Machine or SuitePlace.Systemd => $"skipped where it is to be run: {result.Name}: {why}\n",
            _ => "",
        };
    }
}
