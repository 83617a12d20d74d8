using System.Text;
using System.Text.Json;
using Wherry.Errors;
using Wherry.Linux.Cgroups;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Bundles;
using Wherry.Shim.Oci.Commands;

namespace Wherry.Runtime.Tests.Parts;

public sealed class SpecReaderTests
{
    private static readonly Spec Full = new()
    {
        Hostname = "h",
        Domainname = "d",
        Root = new Root { Path = "rootfs", Readonly = true },
        Annotations = new Dictionary<string, string> { ["a"] = "b\"c" },
        Hooks = new Hooks { Poststop = [new Hook { Path = "/x", Args = ["y"], Env = ["z=1"], Timeout = 3 }] },
        Mounts = [new Mount { Destination = "/m", Type = "bind", Source = "/s", Options = ["ro"], UidMappings = [new IdMapping(0, 1, 2)], GidMappings = [new IdMapping(3, 4, 5)] }],
        Process = new Process
        {
            Terminal = true,
            ConsoleSize = new ConsoleSize(1, 2),
            User = new User { Uid = 1, Gid = 2, Umask = 18, AdditionalGids = [3, 4] },
            Args = ["a", "ü"],
            Env = ["E=1"],
            Cwd = "/w",
            Capabilities = new Capabilities { Effective = ["A"], Bounding = ["B"], Inheritable = ["C"], Permitted = ["D"], Ambient = ["E"] },
            Rlimits = [new Rlimit("RLIMIT_NOFILE", 1, ulong.MaxValue)],
            NoNewPrivileges = true,
            OomScoreAdj = -5,
            ApparmorProfile = "ap",
            SelinuxLabel = "se",
            Scheduler = new Scheduler { Policy = "SCHED_DEADLINE", Nice = -1, Priority = 2, Flags = ["SCHED_FLAG_RECLAIM"], Runtime = 3, Deadline = 4, Period = 5 },
            IoPriority = new IoPriority("IOPRIO_CLASS_BE", 6),
            ExecCpuAffinity = new ExecCpuAffinity("0", "0-1"),
        },
        Linux = new LinuxConfig
        {
            UidMappings = [new IdMapping(1, 2, 3)],
            GidMappings = [new IdMapping(4, 5, 6)],
            Namespaces = [new Namespace("pid"), new Namespace("network", "/n")],
            Devices = [new Device { Path = "/dev/x", Type = "c", Major = 1, Minor = 2, FileMode = 438, Uid = 5, Gid = 6 }],
            CgroupsPath = "/c",
            Sysctl = new Dictionary<string, string> { ["net.x"] = "1" },
            RootfsPropagation = "slave",
            MaskedPaths = ["/a"],
            ReadonlyPaths = ["/b"],
            MountLabel = "l",
            TimeOffsets = new Dictionary<string, TimeOffset> { ["monotonic"] = new(-1, 2) },
            Personality = new Personality("LINUX32", ["f"]),
            NetDevices = new Dictionary<string, NetDevice> { ["eth1"] = new("eth0"), ["eth2"] = new(null) },
            IntelRdt = new IntelRdt { ClosID = "c", Schemata = ["L3:0=f"], L3CacheSchema = "L3", MemBwSchema = "MB:0=10", EnableMonitoring = true },
            MemoryPolicy = new MemoryPolicy("MPOL_BIND", "0", ["MPOL_F_STATIC_NODES"]),
            Resources = new Resources
            {
                Devices = [new DeviceRule(true, "c", 1, 2, "rwm")],
                Memory = new MemoryLimits { Limit = 1, Reservation = 2, Swap = -1, Swappiness = 4, DisableOomKiller = true, Kernel = 5, KernelTcp = 6, UseHierarchy = true, CheckBeforeUpdate = true },
                Cpu = new CpuLimits { Shares = 1, Quota = -2, Period = 3, Cpus = "0-1", Mems = "0", Burst = 4, RealtimeRuntime = 5, RealtimePeriod = 6, Idle = 1 },
                Pids = new PidsLimit(7),
                BlockIo = new BlockIoLimits
                {
                    Weight = 8,
                    LeafWeight = 9,
                    WeightDevice = [new WeightDevice(1, 2, 3, 4)],
                    ThrottleReadBpsDevice = [new ThrottleDevice(1, 2, 3)],
                    ThrottleWriteBpsDevice = [new ThrottleDevice(4, 5, 6)],
                    ThrottleReadIopsDevice = [new ThrottleDevice(7, 8, 9)],
                    ThrottleWriteIopsDevice = [new ThrottleDevice(10, 11, 12)],
                },
                HugepageLimits = [new HugepageLimit("2MB", 3)],
                Network = new NetworkLimits { ClassID = 1, Priorities = [new InterfacePriority("lo", 2)] },
                Rdma = new Dictionary<string, RdmaLimit> { ["mlx"] = new(1, 2) },
                Unified = new Dictionary<string, string> { ["memory.high"] = "1" },
            },
        },
    };

    [Fact]
    public void Every_field_the_serializer_writes_is_read_back()
    {
        var written = JsonSerializer.Serialize(Full, SpecJson.Default.Spec);
        var read = Bundle.ParseSpec(Encoding.UTF8.GetBytes(written));
        Assert.Equal(written, JsonSerializer.Serialize(read, SpecJson.Default.Spec));
    }

    [Fact]
    public void What_is_absent_or_null_is_as_the_types_have_it()
    {
        var read = Bundle.ParseSpec("""{"process":{"args":["x"],"user":null},"linux":{"seccomp":{"a":[1,{"b":2}]},"resources":{}},"unknown":[{}]}"""u8);
        Assert.Empty(read.Process!.Rlimits);
        Assert.Equal("/", read.Process.Cwd);
        Assert.Equal(0u, read.Process.User.Uid);
        Assert.Empty(read.Linux!.Namespaces);
        Assert.Empty(read.Linux.Resources!.Devices);
    }

    [Theory]
    [InlineData("""{"process":{"args":"x"}}""")]
    [InlineData("""{"process":[]}""")]
    [InlineData("""{"process":{"user":{"uid":-1}}}""")]
    [InlineData("""{"process":""")]
    [InlineData("")]
    [InlineData("[]")]
    public void What_is_malformed_is_refused(string text) =>
        Assert.Throws<WherryException>(() => Bundle.ParseSpec(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void The_template_of_the_spec_command_is_a_bundle_configuration()
    {
        var spec = Bundle.ParseSpec(Encoding.UTF8.GetBytes(SpecTemplate.Text));
        Assert.Equal(["sh"], spec.Process!.Args);
        Assert.Equal(CgroupHost.Detect().IsUnified ? 6 : 5, spec.Linux!.Namespaces.Count);
    }

    [Fact]
    public void The_features_are_json()
    {
        using var json = JsonDocument.Parse(FeaturesCommand.Text);
        Assert.Equal(FeaturesCommand.NewestSpec, json.RootElement.GetProperty("ociVersionMax").GetString());
    }
}
