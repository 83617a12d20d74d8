namespace Wherry.EndToEnd.Tests;

/// <summary>Options that tighten or loosen what a container may do.</summary>
public sealed class SecurityOptionTests(EngineFixture fixture) : EngineTests(fixture)
{
    [Theory, BothClients]
    public async Task A_root_without_set_uid_is_mounted_so(string client)
    {
        var with = await Client(client).TextAsync("run", "--rm", "--security-opt", "nosuid=true", "busybox", "sh", "-c", "grep ' / overlay' /proc/mounts");
        var without = await Client(client).TextAsync("run", "--rm", "busybox", "sh", "-c", "grep ' / overlay' /proc/mounts");
        Assert.Contains("nosuid", with, StringComparison.Ordinal);
        Assert.DoesNotContain("nosuid", without, StringComparison.Ordinal);
    }

    [Theory, BothClients]
    public async Task What_the_kernel_lacks_is_named(string client)
    {
        Assert.SkipWhen(File.Exists("/sys/fs/selinux/enforce") || Directory.Exists("/sys/kernel/security/apparmor"), "this kernel has them");
        (await Client(client).RunAsync("run", "--rm", "--security-opt", "apparmor=some-profile", "busybox", "true")).Failed(125, "AppArmor");
        (await Client(client).RunAsync("run", "--rm", "--security-opt", "label=type:container_t", "busybox", "true")).Failed(125, "SELinux");
        (await Client(client).RunAsync("run", "--rm", "--security-opt", "apparmor=unconfined", "--security-opt", "label=disable", "busybox", "true")).Succeeded();
    }

    [Theory, BothClients]
    public async Task Unconfined_system_paths_are_neither_masked_nor_read_only(string client)
    {
        Assert.DoesNotContain("/proc/sys ", await Client(client).TextAsync("run", "--rm", "--security-opt", "systempaths=unconfined", "busybox", "cat", "/proc/mounts"), StringComparison.Ordinal);
        Assert.Contains("/proc/sys ", await Client(client).TextAsync("run", "--rm", "busybox", "cat", "/proc/mounts"), StringComparison.Ordinal);
    }

    [Theory, BothClients]
    public async Task An_out_of_memory_score_is_given_and_clipped_with_a_warning(string client)
    {
        Assert.Equal("500", await Client(client).TextAsync("run", "--rm", "--oom-score-adj", "500", "busybox", "cat", "/proc/self/oom_score_adj"));
        (await Client(client).RunAsync("run", "--rm", "--oom-score-adj", "-900", "busybox", "true")).Succeeded();
        (await Client(client).RunAsync("run", "--rm", "--oom-score-adj", "2000", "busybox", "true")).Failed(125, "oom");
    }

    [Theory, BothClients]
    public async Task A_device_is_given_with_just_the_access_asked_for(string client)
    {
        Assert.Equal("ok", await Client(client).TextAsync("run", "--rm", "--device", "/dev/loop-control", "busybox", "sh", "-c", "test -c /dev/loop-control && : < /dev/loop-control && echo ok"));
        (await Client(client).RunAsync("run", "--rm", "--device", "/dev/loop-control:/dev/named:m", "busybox", "sh", "-c", "test -c /dev/named && : < /dev/named")).Refused("not permitted");
        (await Client(client).RunAsync("run", "--rm", "--device", "/dev/no-such", "busybox", "true")).Failed(125, "/dev/no-such");
    }

    [Theory, BothClients]
    public async Task A_device_that_has_gone_since_keeps_nobody_from_an_exec(string client)
    {
        var node = Path.Combine(HostDirectory(), "node");
        (await Command.RunAsync("mknod", node, "c", "1", "3")).Succeeded();
        var id = await Client(client).DetachedAsync("--device", $"{node}:/dev/gone", "busybox", "sleep", "1000");
        File.Delete(node);

        Assert.Equal("ok", await Client(client).TextAsync("exec", id, "echo", "ok"));
        (await Wherry.RunAsync("security", id)).Succeeded();
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task A_device_rule_lets_a_node_be_used_that_the_container_makes(string client)
    {
        const string script = "mknod /loop c 10 237 && : < /loop";
        (await Client(client).RunAsync("run", "--rm", "busybox", "sh", "-c", script)).Refused("not permitted");
        (await Client(client).RunAsync("run", "--rm", "--device-cgroup-rule", "c 10:237 r", "busybox", "sh", "-c", script)).Succeeded();
        (await Client(client).RunAsync("run", "--rm", "--device-cgroup-rule", "x 1:11 r", "busybox", "true")).Failed(125, "x 1:11 r");
    }

    [Theory, BothClients]
    public async Task Kernel_parameters_of_its_own_namespaces_can_be_set(string client)
    {
        Assert.Equal("1", await Client(client).TextAsync("run", "--rm", "--sysctl", "net.ipv4.ip_forward=1", "busybox", "cat", "/proc/sys/net/ipv4/ip_forward"));
        Assert.Equal("77777", await Client(client).TextAsync("run", "--rm", "--sysctl", "kernel.msgmax=77777", "busybox", "cat", "/proc/sys/kernel/msgmax"));
        (await Client(client).RunAsync("run", "--rm", "--sysctl", "kernel.panic=1", "busybox", "true")).Failed(125, "kernel.panic");
        (await Client(client).RunAsync("run", "--rm", "--network", "host", "--sysctl", "net.ipv4.ip_forward=1", "busybox", "true")).Failed(125, "net.ipv4.ip_forward");
    }

    [Theory, BothClients]
    public async Task Shared_memory_has_the_size_asked_for(string client) =>
        Assert.Equal("8192", (await Client(client).TextAsync("run", "--rm", "--shm-size", "8m", "busybox", "sh", "-c", "df -k /dev/shm | tail -1 | awk '{print $2}'")).Trim());

    [Theory, BothClients]
    public async Task Namespaces_can_be_the_hosts(string client)
    {
        foreach (var (option, kind) in new[] { ("--pid", "pid"), ("--ipc", "ipc"), ("--uts", "uts"), ("--network", "net"), ("--cgroupns", "cgroup") })
        {
            var host = File.ResolveLinkTarget($"/proc/self/ns/{kind}", returnFinalTarget: false)!.Name;
            var own = await Client(client).TextAsync("run", "--rm", "busybox", "readlink", $"/proc/self/ns/{kind}");
            Assert.Equal(host, await Client(client).TextAsync("run", "--rm", option, "host", "busybox", "readlink", $"/proc/self/ns/{kind}"));
            if (kind != "cgroup")
            {
                Assert.NotEqual(host, own);
            }
        }

        Assert.NotEqual(
            File.ResolveLinkTarget("/proc/self/ns/cgroup", returnFinalTarget: false)!.Name,
            await Client(client).TextAsync("run", "--rm", "--cgroupns", "private", "busybox", "readlink", "/proc/self/ns/cgroup"));
        (await Client(client).RunAsync("run", "--rm", "--pid", "nonsense", "busybox", "true")).Failed(125, "PID");
    }
}
