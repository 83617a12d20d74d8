using System.Globalization;

namespace Wherry.EndToEnd.Tests;

/// <summary>What a container may do and see.</summary>
public sealed class IsolationTests(EngineFixture fixture) : EngineTests(fixture)
{
    /// <summary>Docker's default set: chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service, net_raw, sys_chroot, mknod, audit_write, setfcap.</summary>
    private const ulong DefaultCapabilities = 0xa80425fb;
    private const int NetAdmin = 12;
    private const int Chown = 0;

    [Theory, BothClients]
    public async Task By_default_a_program_has_dockers_capabilities(string client) =>
        Assert.Equal(DefaultCapabilities & HostCapabilities(), await CapabilitiesAsync(client));

    [Theory, BothClients]
    public async Task Capabilities_can_be_added_and_dropped(string client)
    {
        Assert.Equal((DefaultCapabilities | 1UL << NetAdmin) & HostCapabilities(), await CapabilitiesAsync(client, "--cap-add", "NET_ADMIN"));
        Assert.Equal(DefaultCapabilities & HostCapabilities() & ~(1UL << Chown), await CapabilitiesAsync(client, "--cap-drop", "CAP_CHOWN"));
        Assert.Equal(0UL, await CapabilitiesAsync(client, "--cap-drop", "ALL"));
        Assert.Equal(1UL << Chown, await CapabilitiesAsync(client, "--cap-drop", "all", "--cap-add", "chown"));
        (await Client(client).RunAsync("run", "--rm", "--cap-add", "NONSENSE", "busybox", "true")).Failed(125, "NONSENSE");
    }

    [Theory, BothClients]
    public async Task Privileged_gives_all_the_host_can_give(string client)
    {
        Assert.Equal(HostCapabilities(), await CapabilitiesAsync(client, "--privileged"));
        (await Client(client).RunAsync("run", "--rm", "--privileged", "busybox", "sh", "-c", "mount -t tmpfs tmpfs /mnt 2>/dev/null || mkdir /mnt && mount -t tmpfs tmpfs /mnt")).Succeeded();
        (await Client(client).RunAsync("run", "--rm", "--cap-add", "ALL", "busybox", "true")).Succeeded();
    }

    [Theory, BothClients]
    public async Task Another_user_has_no_capabilities(string client) =>
        Assert.Equal(0UL, await CapabilitiesAsync(client, "-u", "1000"));

    [Theory, BothClients]
    public async Task Without_privileges_nothing_is_mounted_and_the_kernel_is_not_tuned(string client)
    {
        (await Client(client).RunAsync("run", "--rm", "busybox", "mount", "-t", "tmpfs", "tmpfs", "/tmp")).Refused("");
        (await Client(client).RunAsync("run", "--rm", "busybox", "sh", "-c", "echo 1 > /proc/sys/kernel/panic")).Refused("Read-only file system");
        (await Client(client).RunAsync("run", "--rm", "busybox", "sh", "-c", "echo 1 > /sys/kernel/mm/transparent_hugepage/defrag")).Refused("");
        (await Client(client).RunAsync("run", "--rm", "busybox", "sh", "-c", "echo b > /proc/sysrq-trigger")).Refused("");
    }

    [Theory, BothClients]
    public async Task Sensitive_files_are_masked(string client)
    {
        Assert.Equal("0", (await Client(client).TextAsync("run", "--rm", "busybox", "sh", "-c", "cat /proc/kcore /proc/timer_list /proc/keys 2>/dev/null | wc -c")).Trim());
        Assert.Equal("", await Client(client).TextAsync("run", "--rm", "busybox", "sh", "-c", "ls -A /sys/firmware"));
    }

    [Theory, BothClients]
    public async Task The_usual_devices_are_there_and_no_others_can_be_used(string client)
    {
        var devices = (await Client(client).TextAsync("run", "--rm", "busybox", "ls", "/dev")).Split('\n');
        foreach (var device in new[] { "null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm", "mqueue", "fd", "stdin", "stdout", "stderr" })
        {
            Assert.Contains(device, devices);
        }

        (await Client(client).RunAsync("run", "--rm", "busybox", "sh", "-c", "echo x > /dev/null && head -c 1 /dev/zero && head -c 1 /dev/urandom")).Succeeded();
        // Major 1, minor 1 is /dev/mem: it can be made, but the device rules forbid opening it.
        (await Client(client).RunAsync("run", "--rm", "busybox", "sh", "-c", "mknod /memory c 1 1 && cat /memory")).Refused("not permitted");
    }

    [Theory, BothClients]
    public async Task A_read_only_root_refuses_writes_but_its_mounts_do_not(string client)
    {
        (await Client(client).RunAsync("run", "--rm", "--read-only", "busybox", "touch", "/x")).Failed(1, "Read-only file system");
        (await Client(client).RunAsync("run", "--rm", "--read-only", "--tmpfs", "/tmp", "-v", "/data", "busybox", "sh", "-c", "touch /tmp/x /data/x /dev/shm/x")).Succeeded();
    }

    [Theory, BothClients]
    public async Task Processes_of_the_host_are_not_seen(string client)
    {
        Assert.Equal("1", await Client(client).TextAsync("run", "--rm", "busybox", "sh", "-c", "echo $$"));

        var id = await Client(client).DetachedAsync("busybox", "sleep", "60");
        Assert.InRange((await Client(client).TextAsync("exec", id, "ps", "-o", "pid")).Split('\n').Length, 2, 3);
        await Client(client).RemoveAsync(id);
    }

    // Two layers hold here, close-on-exec on every descriptor and close_range before the program: it takes both away to fail.
    [Theory, BothClients]
    public async Task No_descriptor_or_directory_of_the_engine_leaks_in(string client)
    {
        // ls itself opens the directory it lists.
        var run = await Client(client).TextAsync("run", "--rm", "busybox", "sh", "-c", "ls /proc/self/fd | wc -l; readlink /proc/self/cwd");
        Assert.Equal(["4", "/"], run.Split('\n').Select(line => line.Trim()));

        var id = await Client(client).DetachedAsync("busybox", "sleep", "60");
        var exec = await Client(client).TextAsync("exec", id, "sh", "-c", "ls /proc/self/fd | wc -l; readlink /proc/self/cwd");
        Assert.Equal(["4", "/"], exec.Split('\n').Select(line => line.Trim()));
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Only_the_containers_own_mounts_are_seen(string client)
    {
        var mounts = await Client(client).TextAsync("run", "--rm", "busybox", "cat", "/proc/self/mountinfo");

        // The root's overlay names its directories on the host in its options; as a mount point none may appear.
        Assert.DoesNotContain(mounts.Split('\n'), line => line.Split(' ')[4].StartsWith(Engine.DataRoot, StringComparison.Ordinal));
        Assert.InRange(mounts.Split('\n').Length, 10, 60);
    }

    [Theory, BothClients]
    public async Task Each_container_has_its_own_cgroup(string client)
    {
        var id = await Client(client).DetachedAsync("busybox", "sleep", "60");
        var pid = await Client(client).FieldAsync(id, "{{.State.Pid}}");

        var cgroups = await File.ReadAllTextAsync($"/proc/{pid}/cgroup", TestContext.Current.CancellationToken);
        Assert.Contains(Engine.CgroupParent, cgroups, StringComparison.Ordinal);
        Assert.Contains(id, cgroups, StringComparison.Ordinal);
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task No_new_privileges_and_supplementary_groups_are_obeyed(string client)
    {
        Assert.Equal("NoNewPrivs:\t1", await Client(client).TextAsync("run", "--rm", "--security-opt", "no-new-privileges", "busybox", "grep", "NoNewPrivs", "/proc/self/status"));
        Assert.Contains("4321", await Client(client).TextAsync("run", "--rm", "--group-add", "4321", "busybox", "id", "-G"), StringComparison.Ordinal);
    }

    /// <summary>What root on this host may hand on.</summary>
    private static ulong HostCapabilities() => Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith("CapBnd", StringComparison.Ordinal)));

    private static ulong Parse(string line) => ulong.Parse(line.Split('\t')[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private async Task<ulong> CapabilitiesAsync(string client, params string[] flags) =>
        Parse(await Client(client).TextAsync(["run", "--rm", .. flags, "busybox", "grep", "CapEff", "/proc/self/status"]));
}
