using System.Text.Json.Nodes;

namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>update and events.</summary>
public sealed class OciLimitTests(OciHost host) : IClassFixture<OciHost>
{
    [Fact]
    public async Task Update_changes_limits_while_the_program_runs()
    {
        var bundle = host.Bundle("sleep 1000", config => config["linux"]!["resources"] = JsonNode.Parse("""{ "memory": { "limit": 67108864 }, "pids": { "limit": 20 } }"""));
        var id = await host.CreateAsync(bundle);
        (await host.RunAsync("start", id)).Succeeded();
        var memory = host.CgroupFile(bundle, "memory", "memory.limit_in_bytes", "memory.max");
        var pids = host.CgroupFile(bundle, "pids", "pids.max", "pids.max");
        Assert.SkipWhen(memory is null || pids is null, "this host limits neither memory nor processes");
        Assert.Equal("67108864", (await File.ReadAllTextAsync(memory, TestContext.Current.CancellationToken)).Trim());

        (await host.RunAsync("update", "--memory", "32m", "--memory-swap", "64m", "--pids-limit", "10", id)).Succeeded();
        Assert.Equal("33554432", (await File.ReadAllTextAsync(memory, TestContext.Current.CancellationToken)).Trim());
        Assert.Equal("10", (await File.ReadAllTextAsync(pids, TestContext.Current.CancellationToken)).Trim());

        // Up again, past the limit on memory and swap together, which has to make room first.
        (await host.RunAsync("update", "--memory", "128m", "--memory-swap", "256m", id)).Succeeded();
        Assert.Equal("134217728", (await File.ReadAllTextAsync(memory, TestContext.Current.CancellationToken)).Trim());
        Assert.Equal("10", (await File.ReadAllTextAsync(pids, TestContext.Current.CancellationToken)).Trim());

        var file = Path.Combine(bundle, "resources.json");
        await File.WriteAllTextAsync(file, """{ "memory": { "limit": 50331648 }, "cpu": { "quota": 50000, "period": 100000 } }""", TestContext.Current.CancellationToken);
        (await host.RunAsync("update", "--resources", file, id)).Succeeded();
        Assert.Equal("50331648", (await File.ReadAllTextAsync(memory, TestContext.Current.CancellationToken)).Trim());
        if (host.CgroupFile(bundle, "cpu", "cpu.cfs_quota_us", "cpu.max") is { } quota)
        {
            Assert.StartsWith("50000", await File.ReadAllTextAsync(quota, TestContext.Current.CancellationToken), StringComparison.Ordinal);
            (await host.RunAsync("update", "--cpu-period", "90000", id)).Succeeded();
            Assert.StartsWith("50000", await File.ReadAllTextAsync(quota, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }

        (await host.RunAsync("update", "--memory", "much", id)).Failed(1, "invalid size: 'much'");
        (await host.RunAsync("update", "--resources", "/nonexistent", id)).Refused("/nonexistent");
    }

    [Fact]
    public async Task A_frozen_cgroup_is_refused_and_nothing_waits_in_it()
    {
        var bundle = host.Bundle("true");
        var freezer = host.CgroupParent + "/" + Path.GetFileName(bundle);
        var (directory, file, frozen) = Directory.Exists("/sys/fs/cgroup/freezer")
            ? ("/sys/fs/cgroup/freezer" + freezer, "freezer.state", "FROZEN")
            : ("/sys/fs/cgroup" + freezer, "cgroup.freeze", "1");
        Directory.CreateDirectory(directory);
        try
        {
            await File.WriteAllTextAsync(Path.Combine(directory, file), frozen, TestContext.Current.CancellationToken);
            var id = OciHost.NewId();
            (await host.RunAsync("run", "--bundle", bundle, id)).Failed(1, "unexpectedly frozen");
            (await host.RunAsync("state", id)).Failed(1, "does not exist");
        }
        finally
        {
            Directory.Delete(directory);
        }
    }

    [Fact]
    public async Task Events_print_statistics_in_runcs_shape()
    {
        var id = await host.StartAsync("sleep 1000");
        var document = JsonNode.Parse((await host.RunAsync("events", "--stats", id)).Succeeded().Output)!;
        Assert.Equal("stats", (string)document["type"]!);
        Assert.Equal(id, (string)document["id"]!);
        var data = document["data"]!;
        Assert.Equal(["blkio", "cpu", "cpuset", "hugetlb", "intel_rdt", "memory", "network_interfaces", "pids"], data.AsObject().Select(pair => pair.Key).Order(StringComparer.Ordinal));
        Assert.True((ulong)data["memory"]!["usage"]!["usage"]! > 0);
        Assert.True((ulong)data["cpu"]!["usage"]!["total"]! > 0);
        Assert.True((ulong)data["pids"]!["current"]! >= 1);
        (await host.RunAsync("events", "--interval", "0s", id)).Failed(1, "must be greater than 0");
    }

    [Fact]
    public async Task Events_tell_when_memory_runs_out_and_end_with_the_container()
    {
        var bundle = host.Bundle("while ! test -e /tmp/go; do sleep 0.05; done; tail /dev/zero; sleep 1000", config =>
            config["linux"]!["resources"] = JsonNode.Parse("""{ "memory": { "limit": 16777216, "swap": 16777216 } }"""));
        var id = await host.CreateAsync(bundle);
        Assert.SkipWhen(host.CgroupFile(bundle, "memory", "memory.limit_in_bytes", "memory.max") is null, "this host does not limit memory");
        (await host.RunAsync("start", id)).Succeeded();
        using var events = Command.Start(Binaries.OciRuntime, ["--root", host.Root, "events", "--interval", "100ms", id], null);
        var first = JsonNode.Parse((await LineAsync(events))!)!;
        Assert.Equal("stats", (string)first["type"]!);

        (await host.RunAsync("exec", id, "touch", "/tmp/go")).Succeeded();
        string? line;
        do
        {
            line = await LineAsync(events);
            Assert.NotNull(line);
        }
        while ((string)JsonNode.Parse(line)!["type"]! != "oom");

        (await host.RunAsync("kill", id, "KILL")).Succeeded();
        await events.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal(0, events.ExitCode);
        (await host.RunAsync("events", id)).Failed(1, "is not running");
    }

    private static async Task<string?> LineAsync(System.Diagnostics.Process process) =>
        await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
}
