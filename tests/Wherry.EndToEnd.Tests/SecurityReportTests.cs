using System.Text.Json;

namespace Wherry.EndToEnd.Tests;

/// <summary><c>wherry security</c>: what protects a container, read back from the kernel.</summary>
public sealed class SecurityReportTests(EngineFixture fixture) : EngineTests(fixture)
{
    [Fact]
    public async Task A_usual_container_is_described_as_it_runs()
    {
        var id = await Wherry.DetachedAsync("busybox", "sleep", "300");
        var report = JsonDocument.Parse(await Wherry.TextAsync("security", "--json", id)).RootElement;
        Assert.True(report.GetProperty("Running").GetBoolean());
        Assert.Equal("0:0", report.GetProperty("User").GetString());
        Assert.Equal("builtin", report.GetProperty("Seccomp").GetString());
        Assert.False(report.GetProperty("NoNewPrivileges").GetBoolean());
        var own = report.GetProperty("Namespaces").EnumerateArray().Where(ns => ns.GetProperty("Owner").GetString() == "own").Select(ns => ns.GetProperty("Type").GetString()).ToArray();
        Assert.Subset(own.ToHashSet(), new HashSet<string?> { "pid", "mnt", "net", "ipc", "uts" });
        Assert.DoesNotContain(report.GetProperty("Findings").EnumerateArray(), finding => finding.GetProperty("Grade").GetString() == "critical");
        var text = await Wherry.TextAsync("security", id);
        Assert.Contains("System call filter:   builtin", text, StringComparison.Ordinal);
        Assert.Contains("--pids-limit", text, StringComparison.Ordinal);
        await Wherry.RemoveAsync(id);
    }

    [Fact]
    public async Task What_opens_the_host_comes_first()
    {
        var id = await Wherry.DetachedAsync("--privileged", "--pid", "host", "-v", "/etc:/host-etc", "busybox", "sleep", "300");
        Assert.Equal("critical critical", await Wherry.TextAsync("security", "--format", "{{(index .Findings 0).Grade}} {{(index .Findings 1).Grade}}", id));
        var text = await Wherry.TextAsync("security", id);
        Assert.Contains("System call filter:   none", text, StringComparison.Ordinal);
        Assert.Contains("Privileged:           yes", text, StringComparison.Ordinal);
        Assert.Contains("leave out --privileged", text, StringComparison.Ordinal);
        Assert.Contains("leave out --pid host", text, StringComparison.Ordinal);
        await Wherry.RemoveAsync(id);
    }

    [Fact]
    public async Task A_container_that_does_not_run_shows_what_it_is_to_get_and_an_unknown_one_is_an_error()
    {
        var id = await Wherry.TextAsync("create", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--security-opt", "nosuid", "-m", "64m", "--pids-limit", "10", "-u", "1000", "busybox");
        var text = await Wherry.TextAsync("security", id);
        Assert.Contains("not running", text, StringComparison.Ordinal);
        Assert.Contains("Capabilities:         none", text, StringComparison.Ordinal);
        Assert.Contains("Root file system:     read-only, without set-user-ID", text, StringComparison.Ordinal);
        (await Wherry.RunAsync("security", "no-such")).Refused("No such container");
        await Wherry.RemoveAsync(id);
    }
}
