using Wherry.Api.Contracts.Containers;
using Wherry.Engine.Validation;
using Wherry.Errors;

namespace Wherry.Engine.Tests.Validation;

public sealed class HostProbeTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    private void Put(string path, string text)
    {
        var full = _root.Combine(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }

    private HostFacts Read() => HostProbe.Read(new HostRoots(_root.Combine("proc"), _root.Combine("sys")));

    [Fact]
    public void This_host_can_be_read()
    {
        var facts = HostFacts.Probe();
        Assert.InRange(facts.CpuCount, 1, 8192);
        Assert.True(facts.TotalMemory > 1 << 20);
        Assert.NotEmpty(facts.KernelVersion);
        Assert.Contains("RLIMIT_NOFILE", facts.HardLimits.Keys);
    }

    [Fact]
    public void A_host_that_tells_nothing_is_no_reason_to_fail() => Assert.Equal((1, 0L), (Read().CpuCount, Read().TotalMemory));

    [Fact]
    public void Controllers_are_found_one_by_one_on_a_hybrid_host()
    {
        Put("proc/mounts", "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\ncgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\ncgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n");
        Put("proc/cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\nmemory\t4\t13\t1\ncpu\t1\t1\t1\ncpuacct\t1\t1\t1\npids\t0\t1\t1\n");
        Put("sys/fs/cgroup/memory/memory.memsw.limit_in_bytes", "0");
        var facts = Read();
        Assert.False(facts.IsCgroupUnified);
        Assert.True(facts.SwapLimit);
        Assert.Equal(["cpu", "cpuacct", "memory"], facts.Controllers.Order());
    }

    [Fact]
    public void A_unified_host_s_io_controller_goes_by_the_name_limits_use()
    {
        Put("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n");
        Put("proc/swaps", "Filename\n");
        var facts = Read();
        Assert.True(facts is { IsCgroupUnified: true, SwapLimit: true });
        Assert.Contains("blkio", facts.Controllers);
    }

    [Fact]
    public void Limits_capabilities_and_cpus_are_the_engine_s_own()
    {
        Put("proc/self/status", "CapBnd:\t000001fffeffffff\nCpus_allowed_list:\t0-3,8\nMems_allowed_list:\t0\nSeccomp:\t0\n");
        Put("proc/self/limits", "Limit                     Soft Limit           Hard Limit           Units     \nMax open files            1024                 524288               files     \nMax stack size            8388608              unlimited            bytes     \n");
        Put("proc/self/oom_score_adj", "-17\n");
        var facts = Read();
        Assert.Equal((5, "0-3,8", -17), (facts.CpuCount, facts.CpuList, facts.OomScoreAdjustment));
        Assert.Equal(40, facts.Capabilities.Count);
        Assert.False(facts.CanExceedLimits);
        Assert.Equal((524_288UL, ulong.MaxValue), (facts.HardLimits["RLIMIT_NOFILE"], facts.HardLimits["RLIMIT_STACK"]));
    }

    [Theory]
    [InlineData("10m", 10_000_000)]
    [InlineData("1.5k", 1_500)]
    [InlineData("2GB", 2_000_000_000)]
    [InlineData("1 MiB", 1_048_576)]
    [InlineData("512", 512)]
    public void Sizes_have_units(string text, long bytes) => Assert.Equal(bytes, ByteSizes.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("m")]
    [InlineData("1x")]
    [InlineData("-1")]
    [InlineData("99999999999999p")]
    public void What_is_no_size_is_refused(string text) => Assert.Throws<WherryException>(() => ByteSizes.Parse(text));

    [Theory]
    [InlineData("10m", 10 << 20)]
    [InlineData("1.5GB", 3L << 29)]
    [InlineData("1048576", 1 << 20)]
    [InlineData("0", 0)]
    public void A_containers_size_has_the_units_of_memory(string text, long bytes) => Assert.Equal(bytes, RootSize.Parse("option", text));

    [Fact]
    public void A_containers_size_is_not_too_small() => Assert.Contains("too small", Assert.Throws<WherryException>(() => RootSize.Parse("option", "1000k")).Message, StringComparison.Ordinal);

    [Fact]
    public void Logs_rotate_unless_told_not_to()
    {
        Assert.Equal(new LogOptions(true, 20_000_000, 5), LogOptions.Parse(new LogConfig()));
        Assert.Equal(new LogOptions(true, 0, 5), LogOptions.Parse(new LogConfig { Config = new() { ["max-size"] = "-1" } }));
        Assert.Equal(new LogOptions(true, 1_000, 2), LogOptions.Parse(new LogConfig { Type = "json-file", Config = new() { ["max-size"] = "1k", ["max-file"] = "2" } }));
        Assert.False(LogOptions.Parse(new LogConfig { Type = "none" }).IsKept);
        Assert.Equal(
            "unknown log opt 'colour' for json-file log driver",
            Assert.Throws<WherryException>(() => LogOptions.Parse(new LogConfig { Config = new() { ["colour"] = "red" } })).Message);
    }
}
