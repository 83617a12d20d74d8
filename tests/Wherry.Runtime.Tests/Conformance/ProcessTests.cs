using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;
using static Wherry.Runtime.Tests.Harness.TestContainer;

namespace Wherry.Runtime.Tests.Conformance;

public abstract class ProcessTests(RuntimeMode mode) : ConformanceTests(mode)
{
    [Collection(ContainerCollection.Name)]
    public sealed class AsRoot() : ProcessTests(RuntimeMode.Root);

    [Collection(ContainerCollection.Name)]
    public sealed class InUserNamespace() : ProcessTests(RuntimeMode.UserNamespaced);

    [Collection(ContainerCollection.Name)]
    public sealed class Rootless() : ProcessTests(RuntimeMode.Rootless);

    [Theory]
    [InlineData("SCHED_BATCH", 5, 0, 3, "policy")]
    [InlineData("SCHED_OTHER", 7, 0, 0, "policy")]
    [InlineData("SCHED_IDLE", 0, 0, 5, "policy")]
    [SpecProperty("process.scheduler")]
    public async Task The_scheduler_is_as_asked(string policy, int nice, int priority, int number, string field)
    {
        var output = await OutputOfAsync($"grep -E '^{field}' /proc/self/sched; busybox cut -d' ' -f19 /proc/self/stat", request => WithProcess(request, process => process with { Scheduler = new Scheduler { Policy = policy, Nice = nice, Priority = priority } }));
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(number.ToString(), lines[0].Split(':')[1].Trim());
        Assert.Equal(nice.ToString(), lines[^1]);
    }

    [Fact]
    [SpecProperty("process.ioPriority")]
    public async Task The_io_priority_is_as_asked() =>
        Assert.Equal("best-effort: prio 6\n", await OutputOfAsync("busybox ionice", request => WithProcess(request, process => process with { IoPriority = new IoPriority("IOPRIO_CLASS_BE", 6) })));

    [Fact]
    [SpecProperty("linux.personality")]
    public async Task The_personality_is_as_asked() =>
        Assert.Equal("00000008\n", await OutputOfAsync("cat /proc/self/personality", request => WithLinux(request, linux => linux with { Personality = new Personality("LINUX32", []) })));

    [Fact]
    [SpecProperty("linux.memoryPolicy")]
    public async Task The_memory_policy_is_as_asked()
    {
        Assert.SkipWhen(!File.Exists("/proc/self/numa_maps"), "this kernel has no memory policies (CONFIG_NUMA)");
        Assert.Contains("bind:0", await OutputOfAsync("cat /proc/self/numa_maps", request => WithLinux(request, linux => linux with { MemoryPolicy = new MemoryPolicy("MPOL_BIND", "0", []) })));
    }

    [Fact]
    [SpecProperty("process.user.umask")]
    [SpecProperty("process.user.additionalGids")]
    [SpecProperty("process.user.uid")]
    [SpecProperty("process.user.gid")]
    public async Task The_user_is_as_asked() =>
        Assert.Equal("1000 1001 50,77\n0027\n", await OutputOfAsync("echo $(id -u) $(id -g) $(grep Groups /proc/self/status | busybox cut -f2 | busybox tr ' ' ',' | busybox sed 's/,$//'); umask", request => WithProcess(request, process => process with
        {
            User = new User { Uid = 1000, Gid = 1001, AdditionalGids = [50, 77], Umask = 23 },
        })));

    [Fact]
    [SpecProperty("process.terminal")]
    [SpecProperty("process.consoleSize")]
    public async Task The_terminal_has_its_size_from_the_start()
    {
        var output = await OutputOfAsync("stty size; tty; test -c /dev/console && echo console", request => WithProcess(request, process => process with { Terminal = true, ConsoleSize = new ConsoleSize(33, 77) }));
        Assert.Equal("33 77\r\n/dev/pts/0\r\nconsole\r\n", output);
    }

    [Fact]
    [SpecProperty("process.rlimits")]
    public async Task Resource_limits_are_as_asked() =>
        Assert.Equal("11\n22\n", await OutputOfAsync("ulimit -n; ulimit -Hn", request => WithProcess(request, process => process with { Rlimits = [new Rlimit("RLIMIT_NOFILE", 11, 22)] })));

    [Fact]
    [SpecProperty("process.oomScoreAdj")]
    public async Task The_oom_score_is_as_asked() =>
        Assert.Equal("345\n", await OutputOfAsync("cat /proc/self/oom_score_adj", request => WithProcess(request, process => process with { OomScoreAdj = 345 })));

    [Fact]
    [SpecProperty("process.noNewPrivileges")]
    public async Task No_new_privileges_is_set() =>
        Assert.Equal("NoNewPrivs:\t1\n", await OutputOfAsync("grep NoNewPrivs /proc/self/status", request => WithProcess(request, process => process with { NoNewPrivileges = true })));

    [Fact]
    [SpecProperty("process.capabilities")]
    public async Task The_five_capability_sets_are_as_asked() =>
        Assert.Equal("0000000000002000 0000000000002000 0000000000002000 0000000000002021 0000000000002000", (await OutputOfAsync("echo $(grep ^Cap /proc/self/status | busybox cut -f2)", request => WithProcess(request, process => process with
        {
            User = new User { Uid = 1000 },
            Capabilities = new Capabilities
            {
                Bounding = ["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"],
                Permitted = ["CAP_NET_RAW"],
                Effective = ["CAP_NET_RAW"],
                Inheritable = ["CAP_NET_RAW"],
                Ambient = ["CAP_NET_RAW"],
            },
        }))).Trim());

    /// <summary>A newer specification's names are no reason to fail (config.md, "capabilities": runtimes should not).</summary>
    [Fact]
    public async Task A_capability_nobody_knows_is_ignored_and_said() =>
        Assert.Equal("0000000000000020\n", await OutputOfAsync("grep ^CapBnd /proc/self/status | busybox cut -f2", request => WithProcess(request, process => process with
        {
            Capabilities = new Capabilities { Bounding = ["CAP_KILL", "CAP_FLY"], Effective = ["CAP_FLY"], Permitted = ["CAP_FLY"] },
        })));

    [Fact]
    public async Task Of_two_values_of_a_variable_the_last_counts()
    {
        var environment = await OutputOfAsync("cat /proc/$$/environ", request => WithProcess(request, process => process with { Env = [.. process.Env, "A=1", "B=2", "A=3"] }));
        Assert.Equal(["A=3", "B=2"], environment.Split('\0').Where(entry => entry is ['A' or 'B', '=', ..]));
    }

    /// <summary>What crun's callers annotate is for wherry-oci; the engine gives none of its own groups away.</summary>
    [Fact]
    public async Task The_engine_s_groups_are_kept_for_no_annotation() =>
        Assert.Equal("Groups: 777", (await OutputOfAsync("echo $(grep ^Groups: /proc/self/status)", request => request with
        {
            Spec = request.Spec with
            {
                Process = request.Spec.Process! with { User = new User { AdditionalGids = [777] } },
                Annotations = new Dictionary<string, string> { ["run.oci.keep_original_groups"] = "1" },
            },
        })).Trim());

    [Fact]
    [SpecProperty("process.args")]
    [SpecProperty("process.env")]
    [SpecProperty("process.cwd")]
    public async Task Arguments_environment_and_directory_are_as_asked()
    {
        await using var container = await StartAsync(["sh", "-c", "echo \"$0|$1|$V\"; pwd", "a b", ""], request => WithProcess(request, process => process with { Env = ["PATH=/bin", "V=x=y"], Cwd = "/data" }));
        await container.ExitAsync();
        Assert.Equal("a b||x=y\n/data\n", container.Log("stdout"));
    }

    [Fact]
    [SpecProperty("linux.sysctl")]
    public async Task Kernel_parameters_of_its_own_namespaces_are_set() =>
        Assert.Equal("1\n12345\n", await OutputOfAsync("cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax", request => WithLinux(request, linux => linux with
        {
            Sysctl = new Dictionary<string, string> { ["net.ipv4.ip_forward"] = "1", ["kernel.msgmax"] = "12345" },
        })));

    [Fact]
    [SpecProperty("linux.devices", OtherwiseIn = RuntimeMode.UserNamespaced | RuntimeMode.Rootless, Otherwise = "the host's own node is shown, with the host's owner and mode")]
    public async Task Devices_are_made_as_asked() =>
        Assert.Equal(IsOtherwise ? "666:65534:65534 1 3\n" : "640:7:8 1 3\n", await OutputOfAsync("stat -c '%a:%u:%g %t %T' /dev/deep/null2", request => WithLinux(request, linux => linux with
        {
            Devices = [new Device { Path = "/dev/deep/null2", Type = "c", Major = 1, Minor = 3, FileMode = 0x1a0, Uid = 7, Gid = 8 }],
        })));

    /// <summary>Nor would a configuration's hostname and it agree.</summary>
    [Fact]
    public async Task The_host_name_is_no_kernel_parameter_to_set() =>
        await RefusedAsync("linux.sysctl: \"kernel.hostname\"", request => WithLinux(request, linux => linux with { Sysctl = new Dictionary<string, string> { ["kernel.hostname"] = "other" } }));

    [Fact]
    public async Task A_device_that_can_be_neither_made_nor_shown_is_refused_by_name()
    {
        // A number that no device of any host has.
        SandboxRequest Change(SandboxRequest request) => WithLinux(request, linux => linux with { Devices = [new Device { Path = "/dev/none", Type = "c", Major = 1, Minor = 251 }] });
        if (Mode == RuntimeMode.Root)
        {
            Assert.Equal("1 fb\n", await OutputOfAsync("stat -c '%t %T' /dev/none", Change));
            return;
        }

        Assert.Contains("/dev/none", await RefusedAsync("linux.devices", Change));
    }

    [Fact]
    [SpecProperty("linux.netDevices", RefusedIn = RuntimeMode.Rootless)]
    public async Task An_interface_is_moved_in_renamed_and_keeps_its_addresses()
    {
        Assert.SkipWhen(!File.Exists("/usr/sbin/ip") && !File.Exists("/sbin/ip"), "needs iproute2");
        var name = $"wrt{Environment.ProcessId % 100000}";
        Ip($"link add {name} type veth peer name {name}p");
        try
        {
            Ip($"address add 10.251.77.1/24 dev {name}");
            Ip($"address add fd77::1/64 dev {name}");
            SandboxRequest Change(SandboxRequest request) => WithLinux(request, linux => linux with { NetDevices = new Dictionary<string, NetDevice> { [name] = new("inside") } });
            if (IsRefused)
            {
                await RefusedAsync("linux.netDevices", Change);
                Assert.True(Directory.Exists("/sys/class/net/" + name), "the host has kept its interface");
                return;
            }

            var output = await OutputOfAsync("busybox ip addr show dev inside", Change);
            Assert.Contains("10.251.77.1/24", output);
            Assert.Contains("fd77::1/64", output);
            Assert.Contains("UP", output);
        }
        finally
        {
            // Its peer in the container is gone with it, as a rule; then this has nothing to remove.
            Ip($"link delete {name}p", mayFail: true);
        }
    }

    [Theory]
    [InlineData("process.apparmorProfile")]
    [InlineData("process.selinuxLabel")]
    [InlineData("linux.mountLabel")]
    [InlineData("linux.intelRdt")]
    [InlineData("process.scheduler.policy")]
    [InlineData("process.ioPriority.class")]
    [InlineData("linux.personality.domain")]
    [InlineData("process.rlimits")]
    [InlineData("linux.sysctl")]
    [InlineData("linux.netDevices")]
    [InlineData("linux.rootfsPropagation")]
    [InlineData("linux.memoryPolicy.mode")]
    [SpecProperty("process.apparmorProfile (refused where the kernel has no AppArmor)")]
    [SpecProperty("process.selinuxLabel (refused where the kernel has no SELinux)")]
    [SpecProperty("linux.mountLabel (refused where the kernel has no SELinux)")]
    [SpecProperty("linux.intelRdt (refused)")]
    public async Task What_cannot_be_done_is_refused_by_name_before_anything_is_made(string property)
    {
        Assert.SkipWhen(property == "process.apparmorProfile" && Linux.AppArmor.AppArmorKernel.IsEnabled, "this kernel has AppArmor");
        Assert.SkipWhen(property is "process.selinuxLabel" or "linux.mountLabel" && Programs.SecurityModules.HasSelinux, "this kernel has SELinux");
        SandboxRequest Change(SandboxRequest request) => property switch
        {
            "process.apparmorProfile" => WithProcess(request, process => process with { ApparmorProfile = "profile" }),
            "process.selinuxLabel" => WithProcess(request, process => process with { SelinuxLabel = "system_u:system_r:container_t:s0" }),
            "process.scheduler.policy" => WithProcess(request, process => process with { Scheduler = new Scheduler { Policy = "SCHED_BEST" } }),
            "process.ioPriority.class" => WithProcess(request, process => process with { IoPriority = new IoPriority("BEST", 0) }),
            "process.rlimits" => WithProcess(request, process => process with { Rlimits = [new Rlimit("RLIMIT_CPU", 1, 2), new Rlimit("RLIMIT_CPU", 1, 2)] }),
            _ => WithLinux(request, linux => property switch
            {
                "linux.mountLabel" => linux with { MountLabel = "system_u:object_r:container_file_t:s0" },
                "linux.intelRdt" => linux with { IntelRdt = new IntelRdt { ClosID = "x" } },
                "linux.personality.domain" => linux with { Personality = new Personality("BSD", []) },
                "linux.sysctl" => linux with { Sysctl = new Dictionary<string, string> { ["vm.swappiness"] = "1" } },
                "linux.netDevices" => linux with { NetDevices = new Dictionary<string, NetDevice> { ["a/b"] = new(null) } },
                "linux.rootfsPropagation" => linux with { RootfsPropagation = "public" },
                _ => linux with { MemoryPolicy = new MemoryPolicy("MPOL_BEST", "0", []) },
            }),
        };
        await RefusedAsync(property, Change);
    }

    private static void Ip(string arguments, bool mayFail = false)
    {
        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("ip", arguments) { RedirectStandardError = true, UseShellExecute = false })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(mayFail || process.ExitCode == 0, error);
    }
}
