using System.Text.Json;
using Wherry.Api.Contracts.Containers;
using Wherry.Engine.Specs;
using Wherry.Engine.Validation;
using Wherry.Engine.Volumes;
using Wherry.Linux.Processes;
using Wherry.Oci.Runtime;
using MountType = Wherry.Engine.Volumes.MountType;

namespace Wherry.Engine.Tests.Specs;

public sealed class SpecBuilderTests
{
    private static SpecInputs Inputs(HostConfig? host = null, ContainerConfig? config = null, HostFacts? facts = null) => new()
    {
        Id = "c0ffee",
        Config = config ?? new ContainerConfig { Hostname = "box", Cmd = ["true"] },
        Host = host ?? new HostConfig(),
        RootPath = "/c/rootfs",
        ContainerDirectory = "/c",
        CgroupsPath = "/wherry/c0ffee",
        HostFacts = facts ?? SampleHosts.Ordinary,
        Mounts = [],
    };

    private static Spec Build(HostConfig? host = null, ContainerConfig? config = null, HostFacts? facts = null) =>
        SpecBuilder.Build(Inputs(host, config, facts));

    private static Wherry.Oci.Runtime.Mount MountAt(Spec spec, string destination) => Assert.Single(spec.Mounts, mount => mount.Destination == destination);

    [Fact]
    public void The_same_inputs_give_the_same_bytes() => Assert.Equal(
        JsonSerializer.Serialize(Build(), SpecJson.Default.Spec),
        JsonSerializer.Serialize(Build(), SpecJson.Default.Spec));

    [Fact]
    public void A_container_gets_docker_s_fourteen_capabilities_and_passes_none_on()
    {
        var capabilities = Build().Process!.Capabilities!;
        Assert.Equal(
            "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID CAP_SETPCAP CAP_NET_BIND_SERVICE CAP_NET_RAW CAP_SYS_CHROOT CAP_MKNOD CAP_AUDIT_WRITE CAP_SETFCAP",
            string.Join(' ', capabilities.Bounding));
        Assert.Equal(capabilities.Bounding, capabilities.Effective);
        Assert.Equal(capabilities.Bounding, capabilities.Permitted);
        Assert.Empty(capabilities.Inheritable);
        Assert.Empty(capabilities.Ambient);
    }

    [Theory]
    [InlineData("net_admin", null, true, 15)]
    [InlineData("CAP_NET_ADMIN", "chown", true, 14)]
    [InlineData("NET_ADMIN", "ALL", true, 1)]
    [InlineData("ALL", "NET_ADMIN", false, 40)]
    [InlineData("all", null, true, 41)]
    [InlineData(null, "all", false, 0)]
    public void Capabilities_are_added_and_dropped_under_any_spelling(string? add, string? drop, bool hasNetAdmin, int count)
    {
        var bounding = Build(new HostConfig { CapAdd = add is null ? null : [add], CapDrop = drop is null ? null : [drop] }).Process!.Capabilities!.Bounding;
        Assert.Equal(count, bounding.Count);
        Assert.Equal(hasNetAdmin, bounding.Contains("CAP_NET_ADMIN"));
    }

    [Fact]
    public void A_privileged_container_gets_all_the_host_can_give_and_hides_nothing()
    {
        var spec = Build(new HostConfig { Privileged = true }, facts: SampleHosts.Hardened);
        Assert.Equal(40, spec.Process!.Capabilities!.Bounding.Count);
        Assert.DoesNotContain("CAP_SYS_RESOURCE", spec.Process.Capabilities.Bounding);
        Assert.Empty(spec.Linux!.MaskedPaths);
        Assert.Empty(spec.Linux.ReadonlyPaths);
        Assert.DoesNotContain("ro", MountAt(spec, "/sys").Options);
        Assert.DoesNotContain("ro", MountAt(spec, "/sys/fs/cgroup").Options);
        Assert.Equal([new DeviceRule(Allow: true, Access: "rwm")], spec.Linux.Resources!.Devices);
    }

    [Fact]
    public void An_ordinary_container_can_t_reach_the_host_through_proc_and_sys()
    {
        var spec = Build();
        Assert.Contains("/proc/kcore", spec.Linux!.MaskedPaths);
        Assert.Contains("/sys/firmware", spec.Linux.MaskedPaths);
        Assert.Contains("/proc/sys", spec.Linux.ReadonlyPaths);
        Assert.Contains("ro", MountAt(spec, "/sys").Options);
        Assert.Equal(new DeviceRule(Allow: false, Access: "rwm"), spec.Linux.Resources!.Devices[0]);
        Assert.Empty(Build(new HostConfig { MaskedPaths = [], ReadonlyPaths = [] }).Linux!.MaskedPaths);
    }

    [Fact]
    public void The_kernel_s_file_systems_are_mounted_before_anything_else() => Assert.Equal(
        ["/proc", "/dev", "/dev/pts", "/sys", "/sys/fs/cgroup", "/dev/mqueue", "/dev/shm", "/etc/resolv.conf", "/etc/hostname", "/etc/hosts"],
        Build().Mounts.Select(mount => mount.Destination));

    [Fact]
    public void Shared_memory_has_the_size_asked_for()
    {
        Assert.Contains("size=67108864", MountAt(Build(), "/dev/shm").Options);
        Assert.Contains("size=4096", MountAt(Build(new HostConfig { ShmSize = 4096 }), "/dev/shm").Options);
        Assert.DoesNotContain(Build(new HostConfig { IpcMode = "none" }).Mounts, mount => mount.Destination == "/dev/shm");
    }

    [Fact]
    public void What_the_user_mounts_takes_the_place_of_the_default()
    {
        var spec = SpecBuilder.Build(Inputs() with
        {
            Mounts =
            [
                new ResolvedMount { Type = MountType.Bind, Source = "/h/dev", Destination = "/dev" },
                new ResolvedMount { Type = MountType.Bind, Source = "/h/hosts", Destination = "/etc/hosts", ReadOnly = true },
            ],
        });
        Assert.Equal("/h/dev", MountAt(spec, "/dev").Source);
        Assert.DoesNotContain(spec.Mounts, mount => mount.Destination.StartsWith("/dev/", StringComparison.Ordinal));
        Assert.Equal(["rbind", "rprivate", "ro"], MountAt(spec, "/etc/hosts").Options);
    }

    [Fact]
    public void A_read_only_root_leaves_writable_what_programs_can_t_do_without()
    {
        var spec = SpecBuilder.Build(Inputs(new HostConfig { ReadonlyRootfs = true }) with
        {
            Mounts =
            [
                new ResolvedMount { Type = MountType.Volume, Source = "/v/_data", Destination = "/data" },
                new ResolvedMount { Type = MountType.Tmpfs, Destination = "/run", TmpfsOptions = ["nosuid"] },
            ],
        });
        Assert.True(spec.Root!.Readonly);
        Assert.All(["/dev", "/dev/shm", "/dev/pts", "/data", "/run", "/proc"], path => Assert.DoesNotContain("ro", MountAt(spec, path).Options));
        Assert.All(["/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/sys"], path => Assert.Contains("ro", MountAt(spec, path).Options));
    }

    [Fact]
    public void Environment_begins_with_path_and_host_name_which_the_user_may_overrule_or_take_out()
    {
        var config = new ContainerConfig { Hostname = "box", Tty = true, Env = ["A=1", "PATH=/bin", "A=2", "TERM"] };
        Assert.Equal(["PATH=/bin", "HOSTNAME=box", "A=2"], Build(config: config).Process!.Env);
        Assert.Equal(
            ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=box", "TERM=xterm"],
            Build(config: config with { Env = null }).Process!.Env);
    }

    [Fact]
    public void The_program_is_entrypoint_and_command_in_the_working_directory()
    {
        var process = Build(config: new ContainerConfig { Entrypoint = ["/init"], Cmd = ["serve", "-v"], WorkingDir = "/srv" }).Process!;
        Assert.Equal(["/init", "serve", "-v"], process.Args);
        Assert.Equal("/srv", process.Cwd);
        Assert.Equal("/", Build().Process!.Cwd);
    }

    [Theory]
    [InlineData(1_500_000_000, 0, 0, 150_000L, 100_000L)]
    [InlineData(10_000_000, 0, 0, 1_000L, 100_000L)]
    [InlineData(0, 50_000, 20_000, 20_000L, 50_000L)]
    [InlineData(0, 0, -1, -1L, null)]
    public void Cpus_become_quota_and_period(long nanoCpus, long period, long quota, long? expectedQuota, long? expectedPeriod)
    {
        var cpu = Build(new HostConfig { NanoCpus = nanoCpus, CpuPeriod = period, CpuQuota = quota }).Linux!.Resources!.Cpu!;
        Assert.Equal(expectedQuota, cpu.Quota);
        Assert.Equal(expectedPeriod, (long?)cpu.Period);
    }

    [Theory]
    [InlineData(100, 0, 200L)]
    [InlineData(100, -1, -1L)]
    [InlineData(100, 150, 150L)]
    [InlineData(0, -1, -1L)]
    public void Swap_is_twice_the_memory_unless_told_otherwise(long memory, long swap, long? expected) =>
        Assert.Equal(expected, Build(new HostConfig { Memory = memory, MemorySwap = swap }).Linux!.Resources!.Memory!.Swap);

    [Fact]
    public void Limits_the_host_can_t_enforce_are_left_out()
    {
        var host = new HostConfig { Memory = 64 << 20, NanoCpus = 1_000_000_000, PidsLimit = 10, CpusetCpus = "0", BlkioWeight = 100 };
        var resources = Build(host, facts: SampleHosts.Ordinary with { Controllers = new HashSet<string>() }).Linux!.Resources!;
        Assert.True(resources is { Memory: null, Cpu: null, Pids: null, BlockIo: null });
        Assert.Null(Build(host, facts: SampleHosts.Ordinary with { SwapLimit = false }).Linux!.Resources!.Memory!.Swap);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData(0L, null)]
    [InlineData(-1L, null)]
    [InlineData(100L, 100L)]
    public void Pids_are_limited_only_by_a_positive_number(long? asked, long? expected) =>
        Assert.Equal(expected, Build(new HostConfig { PidsLimit = asked }).Linux!.Resources!.Pids?.Limit);

    [Fact]
    public void Ulimits_and_oom_score_are_clipped_where_the_kernel_would_refuse_them()
    {
        var host = new HostConfig { OomScoreAdj = -500, Ulimits = [new Ulimit { Name = "nofile", Soft = -1, Hard = -1 }] };
        var free = Build(host).Process!;
        Assert.Equal((-500, new Rlimit("RLIMIT_NOFILE", ulong.MaxValue, ulong.MaxValue)), (free.OomScoreAdj!.Value, free.Rlimits[0]));
        var clipped = Build(host, facts: SampleHosts.Hardened).Process!;
        Assert.Equal((-5, new Rlimit("RLIMIT_NOFILE", 524_288, 524_288)), (clipped.OomScoreAdj!.Value, clipped.Rlimits[0]));
    }

    [Fact]
    public void Namespaces_are_new_joined_or_the_host_s()
    {
        static string Text(Spec spec) => string.Join(' ', spec.Linux!.Namespaces.Select(space => space.Type + (space.Path is null ? "" : "=" + space.Path)));
        Assert.Equal("mount network uts pid ipc", Text(Build()));
        Assert.Equal("mount network uts pid ipc cgroup", Text(Build(facts: SampleHosts.Unified)));
        Assert.Equal("mount network uts pid ipc cgroup", Text(Build(new HostConfig { CgroupnsMode = "private" })));
        Assert.Equal("mount", Text(Build(new HostConfig { NetworkMode = "host", UTSMode = "host", PidMode = "host", IpcMode = "host" })));
        Assert.Contains(
            "network=/proc/7/ns/net",
            Text(SpecBuilder.Build(Inputs(new HostConfig { NetworkMode = "container:x" }) with { NetworkNamespacePath = "/proc/7/ns/net" })));
    }

    [Fact]
    public void A_user_namespace_has_its_mappings_and_shows_volumes_and_the_engine_s_files_through_them()
    {
        var ids = new IdMap([new IdRange(0, 200_000, 10)], [new IdRange(0, 300_000, 20), new IdRange(50, 7, 1)]);
        ResolvedMount[] mounts =
        [
            new() { Type = MountType.Volume, Source = "/v", Destination = "/vol" },
            new() { Type = MountType.Bind, Source = "/b", Destination = "/raw" },
            new() { Type = MountType.Bind, Source = "/b", Destination = "/mapped", IdMap = true },
        ];
        var spec = SpecBuilder.Build(Inputs() with { Ids = ids, Mounts = mounts });
        Assert.Contains(new Namespace("user", null), spec.Linux!.Namespaces);
        Assert.Equal([new IdMapping(0, 200_000, 10)], spec.Linux.UidMappings);
        Assert.Equal([new IdMapping(0, 300_000, 20), new IdMapping(50, 7, 1)], spec.Linux.GidMappings);
        Assert.Equal("0 50", spec.Linux.Sysctl!["net.ipv4.ping_group_range"]);
        Assert.Equal(["/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/vol", "/mapped"], spec.Mounts.Where(mount => mount.Options.Contains("idmap")).Select(mount => mount.Destination).OrderBy(destination => Array.IndexOf(["/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/vol", "/mapped"], destination)));
        Assert.DoesNotContain(SpecBuilder.Build(Inputs() with { Mounts = mounts }).Mounts, mount => mount.Options.Contains("idmap"));
    }

    [Fact]
    public void Namespaces_of_other_containers_are_joined_by_path()
    {
        var spec = SpecBuilder.Build(Inputs(new HostConfig { PidMode = "container:x", IpcMode = "container:x" }) with { PidNamespacePath = "/proc/7/ns/pid", IpcNamespacePath = "/proc/7/ns/ipc" });
        Assert.Contains(new Namespace("pid", "/proc/7/ns/pid"), spec.Linux!.Namespaces);
        Assert.Contains(new Namespace("ipc", "/proc/7/ns/ipc"), spec.Linux.Namespaces);
        Assert.Equal("bind", MountAt(spec, "/dev/shm").Type);
    }

    [Fact]
    public void Network_parameters_are_set_only_in_a_network_of_the_container_s_own()
    {
        Assert.Equal("0", Build().Linux!.Sysctl!["net.ipv4.ip_unprivileged_port_start"]);
        Assert.Empty(Build(new HostConfig { NetworkMode = "host" }).Linux!.Sysctl!);
        Assert.Equal(
            "1024",
            Build(new HostConfig { Sysctls = new() { ["net.ipv4.ip_unprivileged_port_start"] = "1024" } }).Linux!.Sysctl!["net.ipv4.ip_unprivileged_port_start"]);
    }

    [Fact]
    public void Devices_asked_for_are_made_and_allowed()
    {
        var node = new Device { Path = "/dev/fuse", Type = "c", Major = 10, Minor = 229 };
        var spec = SpecBuilder.Build(Inputs(new HostConfig { DeviceCgroupRules = ["c 13:* rw"] }) with { Devices = [new GrantedDevice(node, "rw")] });
        Assert.Equal([node], spec.Linux!.Devices);
        Assert.Contains(new DeviceRule(Allow: true, "c", 10, 229, "rw"), spec.Linux.Resources!.Devices);
        Assert.Contains(new DeviceRule(Allow: true, "c", 13, null, "rw"), spec.Linux.Resources.Devices);
    }

    [Fact]
    public void A_host_device_is_found_with_its_numbers()
    {
        var granted = Assert.Single(HostDevices.Resolve(new HostConfig { Devices = [new DeviceMapping { PathOnHost = "/dev/null", PathInContainer = "/dev/nothing" }] }));
        Assert.Equal(("/dev/nothing", "c", 1, 3, "rwm"), (granted.Node.Path, granted.Node.Type, granted.Node.Major, granted.Node.Minor, granted.Access));
        Assert.Throws<Wherry.Errors.WherryException>(() => HostDevices.Resolve(new HostConfig { Devices = [new DeviceMapping { PathOnHost = "/no/such" }] }));
        Assert.Throws<Wherry.Errors.WherryException>(() => HostDevices.Resolve(new HostConfig { Devices = [new DeviceMapping { PathOnHost = "/etc/passwd" }] }));
        Assert.Contains(HostDevices.Resolve(new HostConfig { Privileged = true }), device => device.Node.Path == "/dev/null");
    }

    [Fact]
    public void Only_capabilities_named_one_by_one_must_be_had() =>
        Assert.Equal(["CAP_SYS_TIME"], SpecBuilder.AskedByName(new HostConfig { CapAdd = ["ALL", "sys_time"] }));
}
