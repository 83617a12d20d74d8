using Wherry.Linux.Cgroups;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Cgroups;
using Wherry.Runtime.Contracts;
using static Wherry.Runtime.Tests.Harness.TestContainer;

namespace Wherry.Runtime.Tests.Conformance;

/// <summary>Each limit is read back from the cgroup's own files, in the form this host's trees have.</summary>
public abstract class CgroupTests(RuntimeMode mode) : ConformanceTests(mode)
{
    [Collection(ContainerCollection.Name)]
    public sealed class AsRoot() : CgroupTests(RuntimeMode.Root);

    [Collection(ContainerCollection.Name)]
    public sealed class InUserNamespace() : CgroupTests(RuntimeMode.UserNamespaced);

    [Collection(ContainerCollection.Name)]
    public sealed class Rootless() : CgroupTests(RuntimeMode.Rootless);

    [Fact]
    [SpecProperty("linux.resources.memory.limit", RefusedIn = RuntimeMode.Rootless)]
    [SpecProperty("linux.resources.memory.swap", RefusedIn = RuntimeMode.Rootless)]
    [SpecProperty("linux.resources.memory.reservation", RefusedIn = RuntimeMode.Rootless)]
    [SpecProperty("linux.resources.memory.swappiness", RefusedIn = RuntimeMode.Rootless)]
    [SpecProperty("linux.resources.memory.disableOOMKiller", RefusedIn = RuntimeMode.Rootless)]
    [SpecProperty("linux.resources.memory.useHierarchy", RefusedIn = RuntimeMode.Rootless)]
    [SpecProperty("linux.resources.memory.kernel (ignored, as the specification allows)", RefusedIn = RuntimeMode.Rootless)]
    public async Task Memory_limits_are_set() => await HoldsAsync(
        new Resources { Memory = new MemoryLimits { Limit = 64 << 20, Swap = 96 << 20, Reservation = 32 << 20, Swappiness = 7, DisableOomKiller = true, UseHierarchy = true, Kernel = 1 << 20 } },
        "memory",
        [("memory.limit_in_bytes", "67108864"), ("memory.memsw.limit_in_bytes", "100663296"), ("memory.soft_limit_in_bytes", "33554432"), ("memory.swappiness", "7"), ("memory.oom_control", "oom_kill_disable 1")],
        [("memory.max", "67108864"), ("memory.swap.max", "33554432"), ("memory.low", "33554432")]);

    [Fact]
    [SpecProperty("linux.resources.memory.kernelTCP", RefusedIn = RuntimeMode.Rootless)]
    public async Task Network_buffers_are_limited() => await HoldsAsync(
        new Resources { Memory = new MemoryLimits { KernelTcp = 8 << 20 } }, "memory", [("memory.kmem.tcp.limit_in_bytes", "8388608")], []);

    [Fact]
    [SpecProperty("linux.resources.cpu.shares", RefusedIn = RuntimeMode.Rootless)]
    [SpecProperty("linux.resources.cpu.quota", RefusedIn = RuntimeMode.Rootless)]
    [SpecProperty("linux.resources.cpu.period", RefusedIn = RuntimeMode.Rootless)]
    [SpecProperty("linux.resources.cpu.burst", RefusedIn = RuntimeMode.Rootless)]
    public async Task Processor_time_is_limited() => await HoldsAsync(
        new Resources { Cpu = new CpuLimits { Shares = 512, Quota = 40_000, Period = 50_000, Burst = 10_000 } },
        "cpu",
        [("cpu.shares", "512"), ("cpu.cfs_quota_us", "40000"), ("cpu.cfs_period_us", "50000"), ("cpu.cfs_burst_us", "10000")],
        [("cpu.weight", "20"), ("cpu.max", "40000 50000"), ("cpu.max.burst", "10000")]);

    [Fact]
    [SpecProperty("linux.resources.cpu.idle", RefusedIn = RuntimeMode.Rootless)]
    public async Task A_container_may_run_when_nothing_else_does() => await HoldsAsync(
        new Resources { Cpu = new CpuLimits { Shares = 512, Idle = 1 } }, "cpu", [("cpu.idle", "1")], [("cpu.idle", "1")]);

    [Fact]
    [SpecProperty("linux.resources.cpu.realtimeRuntime", RefusedIn = RuntimeMode.Rootless)]
    [SpecProperty("linux.resources.cpu.realtimePeriod", RefusedIn = RuntimeMode.Rootless)]
    public async Task Real_time_comes_out_of_what_the_cgroup_above_has()
    {
        var above = CgroupHost.Detect().Locate(TestHost.CgroupParent);
        Assert.SkipWhen(above.V1("cpu") is null || !File.Exists(Path.Combine(Path.GetDirectoryName(above.V1("cpu")!)!, "cpu.rt_runtime_us")), "this kernel has no real-time groups");
        await RefusedAsync(IsRefused ? "linux.resources.cpu" : "linux.resources.cpu.realtimeRuntime", request => WithResources(request, new Resources { Cpu = new CpuLimits { RealtimeRuntime = 10_000, RealtimePeriod = 1_000_000 } }));
        if (IsRefused)
        {
            return;
        }

        Assert.SkipUnless(TryWrite(above.V1("cpu") + "/cpu.rt_runtime_us", "20000"), "this host's own root has no real time to give away");

        try
        {
            await HoldsAsync(new Resources { Cpu = new CpuLimits { RealtimeRuntime = 10_000, RealtimePeriod = 1_000_000 } }, "cpu", [("cpu.rt_runtime_us", "10000"), ("cpu.rt_period_us", "1000000")], []);
        }
        finally
        {
            // The container's own cgroup, which has some of it, may be on its way out.
            await NamespaceTests.Until(() => TryWrite(above.V1("cpu") + "/cpu.rt_runtime_us", "0"));
        }
    }

    [Fact]
    [SpecProperty("linux.resources.cpu.cpus", RefusedIn = RuntimeMode.Rootless)]
    [SpecProperty("linux.resources.cpu.mems", RefusedIn = RuntimeMode.Rootless)]
    public async Task Processors_and_memory_nodes_are_chosen() => await HoldsAsync(
        new Resources { Cpu = new CpuLimits { Cpus = "0", Mems = "0" } }, "cpuset", [("cpuset.cpus", "0"), ("cpuset.mems", "0")], [("cpuset.cpus", "0"), ("cpuset.mems", "0")]);

    [Fact]
    [SpecProperty("linux.resources.pids.limit", RefusedIn = RuntimeMode.Rootless)]
    public async Task Processes_are_limited() => await HoldsAsync(new Resources { Pids = new PidsLimit(17) }, "pids", [("pids.max", "17")], [("pids.max", "17")]);

    [Fact]
    [SpecProperty("linux.resources.blockIO.throttleReadBpsDevice", RefusedIn = RuntimeMode.Rootless)]
    [SpecProperty("linux.resources.blockIO.throttleWriteBpsDevice", RefusedIn = RuntimeMode.Rootless)]
    [SpecProperty("linux.resources.blockIO.throttleReadIOPSDevice", RefusedIn = RuntimeMode.Rootless)]
    [SpecProperty("linux.resources.blockIO.throttleWriteIOPSDevice", RefusedIn = RuntimeMode.Rootless)]
    public async Task Block_devices_are_throttled()
    {
        var device = Directory.EnumerateDirectories("/sys/block").Select(path => File.ReadAllText(path + "/dev").Trim().Split(':')).FirstOrDefault();
        Assert.SkipWhen(device is null, "this host has no block device");
        var (major, minor) = (long.Parse(device![0]), long.Parse(device[1]));
        var name = $"{major}:{minor}";
        await HoldsAsync(
            new Resources
            {
                BlockIo = new BlockIoLimits
                {
                    ThrottleReadBpsDevice = [new ThrottleDevice(major, minor, 1 << 20)],
                    ThrottleWriteBpsDevice = [new ThrottleDevice(major, minor, 2 << 20)],
                    ThrottleReadIopsDevice = [new ThrottleDevice(major, minor, 100)],
                    ThrottleWriteIopsDevice = [new ThrottleDevice(major, minor, 200)],
                },
            },
            "blkio",
            [("blkio.throttle.read_bps_device", $"{name} 1048576"), ("blkio.throttle.write_bps_device", $"{name} 2097152"), ("blkio.throttle.read_iops_device", $"{name} 100"), ("blkio.throttle.write_iops_device", $"{name} 200")],
            [("io.max", $"{name} rbps=1048576 wbps=2097152 riops=100 wiops=200")]);
    }

    [Fact]
    [SpecProperty("linux.resources.blockIO.weight (a warning where the kernel has none)", RefusedIn = RuntimeMode.Rootless)]
    [SpecProperty("linux.resources.blockIO.leafWeight (a warning; gone since Linux 5.0)", RefusedIn = RuntimeMode.Rootless)]
    public async Task What_a_kernel_has_no_weights_for_is_said()
    {
        var weights = new Resources { BlockIo = new BlockIoLimits { Weight = 300, LeafWeight = 200 } };
        if (IsRefused)
        {
            await RefusedAsync("linux.resources.blockIO", request => WithResources(request, weights));
            return;
        }

        await using var container = await StartAsync(["true"], request => WithResources(request, weights));
        await container.ExitAsync();
        Assert.Contains(container.Sandbox.Warnings, warning => warning.Contains("leafWeight", StringComparison.Ordinal));
    }

    [Fact]
    [SpecProperty("linux.resources.devices", OtherwiseIn = RuntimeMode.UserNamespaced | RuntimeMode.Rootless, Otherwise = "nobody can make a device node there")]
    public async Task Device_rules_decide_what_may_be_used()
    {
        if (IsOtherwise)
        {
            // What can't be made needs no rule; what is shown can be used.
            Assert.Equal("1\n0\n", await OutputOfAsync("busybox mknod /tmp/log c 1 11; test -e /tmp/log; echo $?; true > /dev/null; echo $?"));
            return;
        }

        // The kernel's log, which is opened for writing and not written. Nodes may be made of anything, as with runc.
        const string script = "busybox mknod /tmp/log c 1 11; true > /tmp/log; echo $?; true > /dev/null; echo $?";
        Assert.Equal("1\n0\n", await OutputOfAsync(script, request => request));
        Assert.Equal("0\n0\n", await OutputOfAsync(script, request => WithLinux(request, linux => linux with
        {
            Resources = linux.Resources! with { Devices = [.. linux.Resources.Devices, new DeviceRule(true, "c", 1, 11, "w")] },
        })));
    }

    [Theory]
    [InlineData("hugetlb", "linux.resources.hugepageLimits")]
    [InlineData("rdma", "linux.resources.rdma")]
    [InlineData("net_cls", "linux.resources.network.classID")]
    [InlineData("net_prio", "linux.resources.network.priorities")]
    [SpecProperty("linux.resources.hugepageLimits", RefusedIn = RuntimeMode.Rootless)]
    [SpecProperty("linux.resources.rdma", RefusedIn = RuntimeMode.Rootless)]
    [SpecProperty("linux.resources.network.classID", RefusedIn = RuntimeMode.Rootless)]
    [SpecProperty("linux.resources.network.priorities", RefusedIn = RuntimeMode.Rootless)]
    public async Task A_controller_the_host_lacks_is_refused_by_name_and_one_it_has_is_used(string controller, string property)
    {
        var resources = controller switch
        {
            "hugetlb" => new Resources { HugepageLimits = [new HugepageLimit("2MB", 2 << 20)] },
            "rdma" => new Resources { Rdma = new Dictionary<string, RdmaLimit> { ["mlx5_1"] = new(3, 10_000) } },
            "net_cls" => new Resources { Network = new NetworkLimits { ClassID = 0x100001 } },
            _ => new Resources { Network = new NetworkLimits { Priorities = [new InterfacePriority("lo", 3)] } },
        };
        var location = CgroupHost.Detect().Locate("/any");
        var isThere = location.V1(controller) is not null || location.V2(controller) is not null;
        var hasDevice = controller != "rdma" || Directory.Exists("/sys/class/infiniband/mlx5_1");
        if (isThere && hasDevice && Mode != RuntimeMode.Rootless)
        {
            await using var container = await StartAsync(["true"], request => WithResources(request, resources));
            await container.ExitAsync();
            return;
        }

        Assert.Contains(isThere && Mode != RuntimeMode.Rootless ? "mlx5_1" : $"\"{controller}\"", await RefusedAsync(property, request => WithResources(request, resources)));
    }

    [Fact]
    [SpecProperty("linux.resources.unified", RefusedIn = RuntimeMode.Rootless)]
    public async Task Files_of_cgroup_v2_are_written_or_refused_where_there_is_none()
    {
        var resources = new Resources { Unified = new Dictionary<string, string> { ["memory.high"] = "33554432" } };
        if (!IsRefused && CgroupHost.Detect().Locate("/any").Unified is not null)
        {
            await HoldsAsync(resources, "memory", [], [("memory.high", "33554432")]);
            return;
        }

        await RefusedAsync("linux.resources.unified", request => WithResources(request, resources));
    }

    [Fact]
    [SpecProperty("linux.resources.memory.checkBeforeUpdate", RefusedIn = RuntimeMode.Rootless)]
    public async Task A_limit_below_what_is_used_is_refused_when_asked_to_look_first()
    {
        var tooLittle = new Resources { Memory = new MemoryLimits { Limit = 4096, CheckBeforeUpdate = true } };
        if (IsRefused)
        {
            await RefusedAsync("linux.resources.memory", request => WithResources(request, tooLittle));
            return;
        }

        await using var container = await StartAsync(["sleep", "1000"]);
        var cgroup = CgroupHost.Detect().Locate(container.Location.CgroupsPath);
        var refused = Assert.ThrowsAny<Errors.WherryException>(() => LiveLimits.Apply(cgroup, tooLittle, []));
        Assert.Contains("4096", refused.Message);
    }

    private async Task HoldsAsync(Resources resources, string controller, (string File, string Text)[] v1, (string File, string Text)[] v2)
    {
        var host = CgroupHost.Detect().Locate("/any");
        var expected = host.V1(controller) is not null ? v1 : v2;
        if (IsRefused)
        {
            // A processor set is one of the processor's properties.
            var property = resources.Unified is not null ? "unified" : controller switch { "cpuset" => "cpu", "blkio" => "blockIO", _ => controller };
            await RefusedAsync($"linux.resources.{property}", request => WithResources(request, resources));
            return;
        }

        Assert.SkipWhen(expected.Length == 0, $"this host's {controller} controller has no such limit");
        await using var container = await StartAsync(["sleep", "1000"], request => WithResources(request, resources));
        var cgroup = CgroupHost.Detect().Locate(container.Location.CgroupsPath);
        var directory = cgroup.V1(controller) ?? cgroup.V2(controller == "blkio" ? "io" : controller);
        Assert.NotNull(directory);
        foreach (var (file, text) in expected)
        {
            Assert.Contains(text, File.ReadAllText(Path.Combine(directory, file)));
        }
    }

    private static bool TryWrite(string file, string text)
    {
        try
        {
            File.WriteAllText(file, text);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static SandboxRequest WithResources(SandboxRequest request, Resources resources) =>
        WithLinux(request, linux => linux with { Resources = resources with { Devices = linux.Resources!.Devices } });
}
