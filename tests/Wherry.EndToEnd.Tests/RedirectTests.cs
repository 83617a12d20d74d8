namespace Wherry.EndToEnd.Tests;

/// <summary>
/// Ways of making the runtime itself mount or write somewhere else than it means to: links and files of the attacker's
/// in the place of /dev/null, /dev/console and /proc (CVE-2025-31133, CVE-2025-52565, CVE-2025-52881).
/// </summary>
public sealed class RedirectTests(EngineFixture fixture) : EngineTests(fixture)
{
    private const string Pattern = "/proc/sys/kernel/core_pattern";

    /// <summary>What masked paths are covered with is the null device, or nothing is run.</summary>
    [Fact]
    public async Task A_link_in_the_place_of_the_null_device_covers_nothing()
    {
        var devices = await DevicesAsync();
        await Command.RunAsync("ln", "-sfn", Pattern, $"{devices}/null");
        (await Docker.RunAsync("run", "--rm", "-v", $"{devices}:/dev", "busybox", "true")).Refused("/dev/null");
        File.Delete($"{devices}/null");
        await File.WriteAllTextAsync($"{devices}/null", "a file", TestContext.Current.CancellationToken);
        (await Docker.RunAsync("run", "--rm", "-v", $"{devices}:/dev", "busybox", "true")).Refused("/dev/null");
        File.Delete($"{devices}/null");
    }

    [Fact]
    public async Task A_race_over_the_null_device_is_not_won()
    {
        var devices = await DevicesAsync();
        await Command.RunAsync("mknod", $"{devices}/null", "c", "1", "3");
        await Command.RunAsync("ln", "-sfn", Pattern, $"{devices}/link");
        var started = 0;
        using (var swapper = new Swapper($"{devices}/null", $"{devices}/link"))
        {
            for (var i = 0; i < 30; i++)
            {
                var run = await Docker.RunAsync("run", "--rm", "-v", $"{devices}:/dev", "busybox", "sh", "-c", "for f in keys timer_list kcore latency_stats sched_debug; do test ! -e /proc/$f || stat -c %t:%T /proc/$f; done");
                Assert.True(run.ExitCode != 0 || run.Lines.All(line => line is "1:3"), run.ToString());
                started += run.ExitCode == 0 ? 1 : 0;
            }

            Assert.True(started > 0 && swapper.Count > started, "nothing was raced for");
        }

        File.Delete($"{devices}/null");
        File.Delete($"{devices}/link");
    }

    /// <summary>The container's terminal would be mounted over what the link names.</summary>
    [Fact]
    public async Task A_link_in_the_place_of_the_console_is_refused()
    {
        var devices = await DevicesAsync();
        await Command.RunAsync("mknod", $"{devices}/null", "c", "1", "3");
        await Command.RunAsync("ln", "-sfn", Pattern, $"{devices}/console");
        (await Docker.RunAsync("run", "--rm", "-t", "-v", $"{devices}:/dev", "-v", "/dev/pts:/dev/pts", "busybox", "sh", "-c", $"echo x > {Pattern}")).Refused("/dev/console");
        File.Delete($"{devices}/console");
        File.Delete($"{devices}/null");
    }

    /// <summary>The same by a link that is there for a moment only: what is looked at must be what is mounted on.</summary>
    [Fact]
    public async Task A_race_over_the_console_is_not_won()
    {
        var devices = await DevicesAsync();
        await Command.RunAsync("mknod", $"{devices}/null", "c", "1", "3");
        await File.WriteAllTextAsync($"{devices}/console", "", TestContext.Current.CancellationToken);
        await Command.RunAsync("ln", "-sfn", Pattern, $"{devices}/link");
        var started = 0;
        using (var swapper = new Swapper($"{devices}/console", $"{devices}/link"))
        {
            for (var i = 0; i < 30; i++)
            {
                var run = await Docker.RunAsync("run", "--rm", "-t", "-v", $"{devices}:/dev", "-v", "/dev/pts:/dev/pts", "busybox", "cat", "/proc/self/mountinfo");
                started += run.ExitCode == 0 ? 1 : 0;
                Assert.DoesNotContain($" {Pattern} ", run.Output, StringComparison.Ordinal);
            }

            Assert.True(started > 0 && swapper.Count > started, "nothing was raced for");
        }

        File.Delete($"{devices}/null");
        File.Delete($"{devices}/link");
    }

    /// <summary>Kernel parameters, labels and scores are written through the host's /proc, whatever lies at the container's.</summary>
    [Fact]
    public async Task Files_in_the_place_of_proc_are_not_written_to()
    {
        var proc = HostDirectory();
        var victim = HostDirectory();
        await File.WriteAllTextAsync($"{victim}/file", "untouched", TestContext.Current.CancellationToken);
        foreach (var path in new[] { "sys/net/ipv4/ip_forward", "self/oom_score_adj", "self/attr/exec", "thread-self/attr/exec", "thread-self/attr/apparmor/exec", "self/attr/apparmor/exec" })
        {
            Directory.CreateDirectory(Path.GetDirectoryName($"{proc}/{path}")!);
            File.CreateSymbolicLink($"{proc}/{path}", $"{victim}/file");
        }

        var id = await Docker.TextAsync("create", "-v", $"{proc}:/proc", "-v", $"{victim}:{victim}", "--sysctl", "net.ipv4.ip_forward=1", "--oom-score-adj", "321", "busybox", "sleep", "300");
        (await Docker.RunAsync("start", id)).Succeeded();
        var pid = await Docker.FieldAsync(id, "{{.State.Pid}}");
        Assert.Equal("321", (await File.ReadAllTextAsync($"/proc/{pid}/oom_score_adj", TestContext.Current.CancellationToken)).Trim());
        await Docker.RunAsync("exec", id, "true");

        Assert.Equal("untouched", await File.ReadAllTextAsync($"{victim}/file", TestContext.Current.CancellationToken));
        await Docker.RemoveAsync(id);
    }

    // For a container's /dev: what it takes besides what a test puts in.
    private async Task<string> DevicesAsync()
    {
        var directory = HostDirectory();
        Directory.CreateDirectory($"{directory}/pts");
        Directory.CreateDirectory($"{directory}/shm");
        await File.WriteAllTextAsync($"{directory}/ptmx", "", TestContext.Current.CancellationToken);
        return directory;
    }
}
