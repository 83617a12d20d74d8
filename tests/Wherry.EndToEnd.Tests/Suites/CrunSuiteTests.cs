namespace Wherry.EndToEnd.Tests.Suites;

/// <summary>crun's own tests, run with wherry-oci in its place.</summary>
public sealed class CrunSuiteTests(CrunSuite suite) : IClassFixture<CrunSuite>
{
    // Here, so that each is a test of its own also where the suite can't be fetched.
    private static readonly string[] AllFiles =
    [
        "test_capabilities.py", "test_checkpoint_restore.py", "test_cwd.py", "test_delete.py", "test_detach.py", "test_devices.py", "test_exec.py",
        "test_hooks.py", "test_hostname.py", "test_limits.py", "test_mounts.py", "test_paths.py", "test_pid.py", "test_pid_file.py", "test_preserve_fds.py",
        "test_resources.py", "test_rlimits.py", "test_seccomp.py", "test_start.py", "test_tty.py", "test_uid_gid.py", "test_update.py",
    ];

    /// <summary>Those of which something is run here.</summary>
    public static TheoryData<string> Files => [.. AllFiles.Where(file => CrunSuite.List.Concerns(SuiteVerdict.Here, file))];

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Cruns_own_tests_pass(string file)
    {
        suite.Need();
        var tests = SuiteVerdict.Chosen(CrunSuite.List, file, CrunSuite.TestsOf(file));
        SuiteVerdict.Require(CrunSuite.List, file, await CrunSuite.RunAsync(file, tests));
    }

    [Fact]
    public void The_list_names_tests_that_there_are()
    {
        suite.Need();
        Assert.Equal(CrunSuite.Files.Order(StringComparer.Ordinal), AllFiles.Order(StringComparer.Ordinal));
        Assert.Empty(CrunSuite.Files.SelectMany(file => CrunSuite.List.Names(file).Except(CrunSuite.TestsOf(file))));
    }
}
