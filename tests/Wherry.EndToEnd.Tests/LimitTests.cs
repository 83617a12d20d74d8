using System.Globalization;

namespace Wherry.EndToEnd.Tests;

/// <summary>Limits that really limit.</summary>
public sealed class LimitTests(EngineFixture fixture) : EngineTests(fixture)
{
    [Theory, BothClients]
    public async Task Over_its_memory_limit_a_container_is_killed_and_says_so(string client)
    {
        var name = Harness.Client.NewName();
        (await Client(client).RunAsync("run", "--name", name, "-m", "32m", "--memory-swap", "32m", "busybox", "sh", "-c", "exec tail /dev/zero")).Exited(137);

        Assert.Equal("true", await Client(client).FieldAsync(name, "{{.State.OOMKilled}}"));
        Assert.Equal("137", await Client(client).FieldAsync(name, "{{.State.ExitCode}}"));
        await Client(client).RemoveAsync(name);
    }

    [Theory, BothClients]
    public async Task Within_its_memory_limit_it_lives(string client)
    {
        var name = Harness.Client.NewName();
        (await Client(client).RunAsync("run", "--name", name, "-m", "64m", "busybox", "sh", "-c", "head -c 20000000 /dev/zero | tail -c 10000000 | wc -c")).Succeeded();

        Assert.Equal("false", await Client(client).FieldAsync(name, "{{.State.OOMKilled}}"));
        await Client(client).RemoveAsync(name);
    }

    [Theory, BothClients]
    public async Task The_memory_limit_is_seen_inside(string client)
    {
        var limit = await Client(client).TextAsync("run", "--rm", "-m", "48m", "busybox", "sh", "-c", "cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes");

        Assert.Equal((48 << 20).ToString(CultureInfo.InvariantCulture), limit);
    }

    [Theory, BothClients]
    public async Task A_share_of_a_processor_is_what_it_gets(string client)
    {
        foreach (var flags in new string[][] { ["--cpus", "0.25"], ["--cpu-period", "50000", "--cpu-quota", "12500"] })
        {
            var id = await Client(client).DetachedAsync([.. flags, "busybox", "sh", "-c", "while :; do :; done"]);
            var pid = int.Parse(await Client(client).FieldAsync(id, "{{.State.Pid}}"), CultureInfo.InvariantCulture);
            await Task.Delay(300, TestContext.Current.CancellationToken);
            var (before, started) = (ProcessorSeconds(pid), Environment.TickCount64);
            await Task.Delay(2000, TestContext.Current.CancellationToken);
            var share = (ProcessorSeconds(pid) - before) / ((Environment.TickCount64 - started) / 1000.0);

            // Below it on a busy host is the host's matter; above it is ours.
            Assert.InRange(share, 0.08, 0.32);
            await Client(client).RemoveAsync(id);
        }
    }

    [Theory, BothClients]
    public async Task A_container_keeps_to_the_processors_named(string client)
    {
        Assert.EndsWith("\t0", await Client(client).TextAsync("run", "--rm", "--cpuset-cpus", "0", "busybox", "grep", "Cpus_allowed_list", "/proc/self/status"), StringComparison.Ordinal);
        (await Client(client).RunAsync("run", "--rm", "--cpuset-cpus", "4000", "busybox", "true")).Failed(125, "4000");
    }

    [Theory, BothClients]
    public async Task Shares_are_handed_to_the_kernel(string client)
    {
        var id = await Client(client).DetachedAsync("--cpu-shares", "512", "busybox", "sleep", "60");

        var value = await Client(client).TextAsync("exec", id, "sh", "-c", "cat /sys/fs/cgroup/cpu/cpu.shares 2>/dev/null || cat /sys/fs/cgroup/cpu.weight");
        Assert.Contains(value, new[] { "512", "20", "59" }); // v1's shares, or v2's weight by the old and the new formula
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task The_number_of_processes_is_limited(string client)
    {
        var result = await Client(client).RunAsync("run", "--rm", "--pids-limit", "8", "busybox", "sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 2 & done; wait");

        Assert.Contains("can't fork", result.Error, StringComparison.Ordinal);
    }

    [Theory, BothClients]
    public async Task Senseless_limits_are_refused(string client)
    {
        (await Client(client).RunAsync("run", "--rm", "-m", "1k", "busybox", "true")).Failed(125, "Minimum memory limit allowed is 6MB");
        (await Client(client).RunAsync("run", "--rm", "-m", "nonsense", "busybox", "true")).Failed(125, "nonsense");
        (await Client(client).RunAsync("run", "--rm", "--cpus", "1000", "busybox", "true")).Failed(125, "range of CPUs is from 0.01 to");
        (await Client(client).RunAsync("run", "--rm", "--cpus", "1", "--cpu-quota", "1000", "busybox", "true")).Failed(125, "Nano CPUs");
        (await Client(client).RunAsync("run", "--rm", "-m", "64m", "--memory-swap", "32m", "busybox", "true")).Failed(125, "Minimum memoryswap limit should be larger than memory limit");
        (await Client(client).RunAsync("run", "--rm", "--cpu-period", "10", "busybox", "true")).Failed(125, "CPU cfs period");
    }

    [Theory, BothClients]
    public async Task A_program_may_raise_no_limit_of_its_own(string client) =>
        Assert.Equal("1024", await Client(client).TextAsync("run", "--rm", "--ulimit", "nofile=1024:1024", "busybox", "sh", "-c", "ulimit -n 2048 2>/dev/null; ulimit -n"));

    /// <summary>User and system time of a process, seconds (proc(5), fields 14 and 15, in ticks of 10 ms).</summary>
    private static double ProcessorSeconds(int pid)
    {
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture)) / 100;
    }
}
