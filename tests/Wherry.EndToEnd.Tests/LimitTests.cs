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

    [Theory, BothClients]
    public async Task Writes_to_a_disk_are_as_slow_as_asked(string client)
    {
        var (device, number) = await DiskOf(Engine.DataRoot);
        var run = await Client(client).RunAsync("run", "--rm", "--device-write-bps", $"{device}:1mb", "busybox", "sh", "-c", "dd if=/dev/zero of=/x bs=64k count=48 oflag=direct");
        Assert.True(run.Succeeded().Elapsed > TimeSpan.FromSeconds(2), $"3 MB at 1 MB/s took {run.Elapsed}");

        var id = await Client(client).DetachedAsync("--device-read-bps", $"{device}:2mb", "--device-read-iops", $"{device}:100", "--device-write-iops", $"{device}:200", "busybox", "sleep", "300");
        var limits = await Client(client).TextAsync("exec", id, "sh", "-c", "cat /sys/fs/cgroup/io.max 2>/dev/null || cat /sys/fs/cgroup/blkio/blkio.throttle.read_bps_device /sys/fs/cgroup/blkio/blkio.throttle.read_iops_device /sys/fs/cgroup/blkio/blkio.throttle.write_iops_device");
        Assert.Contains(limits, new[] { $"{number} rbps=2097152 wbps=max riops=100 wiops=200", $"{number} 2097152\n{number} 100\n{number} 200" });
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Block_io_that_cannot_be_limited_is_refused_by_name(string client)
    {
        (await Client(client).RunAsync("run", "--rm", "--device-read-bps", "/dev/no-such-disk:1mb", "busybox", "true")).Failed(125, "/dev/no-such-disk");
        (await Client(client).RunAsync("run", "--rm", "--device-write-iops", "/dev/null:10", "busybox", "true")).Failed(125, "/dev/null");
        (await Client(client).RunAsync("run", "--rm", "--blkio-weight-device", "/dev/null:2000", "busybox", "true")).Failed(125, "weight");
        var (device, _) = await DiskOf(Engine.DataRoot);
        var run = await Client(client).RunAsync("run", "--rm", "--blkio-weight-device", $"{device}:300", "busybox", "sh", "-c", "cat /sys/fs/cgroup/io.weight /sys/fs/cgroup/io.bfq.weight /sys/fs/cgroup/blkio/blkio.*weight_device 2>/dev/null; true");
        Assert.True(run.ExitCode == 0 ? run.Output.Contains("300", StringComparison.Ordinal) : run.Error.Contains("weight", StringComparison.Ordinal), run.ToString());
    }

    [Theory, BothClients]
    public async Task A_share_of_real_time_is_given_from_what_the_parent_has(string client)
    {
        if (!File.Exists("/sys/fs/cgroup/cpu/cpu.rt_runtime_us"))
        {
            (await Client(client).RunAsync("run", "--rm", "--cpu-rt-runtime", "1000", "busybox", "true")).Failed(125, "--cpu-rt-runtime");
            return;
        }

        (await Client(client).RunAsync("run", "--rm", "--cpu-rt-period", "1000", "--cpu-rt-runtime", "2000", "busybox", "true")).Failed(125, "cannot be higher");
        var parent = $"{Engine.CgroupParent}-rt";
        var directory = Directory.CreateDirectory($"/sys/fs/cgroup/cpu/{parent}");
        try
        {
            (await Client(client).RunAsync("run", "--rm", "--cgroup-parent", parent, "--cpu-rt-runtime", "5000", "busybox", "true")).Failed(125, "real-time");
            await File.WriteAllTextAsync($"{directory}/cpu.rt_runtime_us", "20000", TestContext.Current.CancellationToken);
            Assert.Equal("5000", await Client(client).TextAsync("run", "--rm", "--cgroup-parent", parent, "--cpu-rt-runtime", "5000", "busybox", "cat", "/sys/fs/cgroup/cpu/cpu.rt_runtime_us"));
        }
        finally
        {
            await Command.ShellAsync($"find /sys/fs/cgroup -depth -type d -name '{parent}' -exec rmdir {{}} +");
        }
    }

    // The whole disk that a file system lies on: partitions can't be limited by themselves.
    private static async Task<(string Path, string Number)> DiskOf(string directory)
    {
        // A bind mount names the directory too: /dev/vda[/tmp].
        var source = (await Command.RunAsync("findmnt", "-n", "-o", "SOURCE", "--target", directory)).Text.Split('[')[0];
        Assert.SkipUnless(source.StartsWith("/dev/", StringComparison.Ordinal), $"{directory} does not lie on a disk but on {source}");
        var disk = (await Command.RunAsync("lsblk", "-n", "-d", "-o", "PKNAME", source)).Text.Trim();
        var path = disk.Length == 0 ? source : "/dev/" + disk;
        return (path, (await File.ReadAllTextAsync($"/sys/class/block/{Path.GetFileName(path)}/dev")).Trim());
    }

    /// <summary>User and system time of a process, seconds (proc(5), fields 14 and 15, in ticks of 10 ms).</summary>
    private static double ProcessorSeconds(int pid)
    {
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture)) / 100;
    }
}
