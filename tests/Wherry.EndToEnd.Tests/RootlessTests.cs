using System.Globalization;

namespace Wherry.EndToEnd.Tests;

/// <summary>One engine of an ordinary user, with busybox, for all the tests of the class.</summary>
public sealed class RootlessFixture : IAsyncLifetime
{
    public RootlessEngine Engine { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Binaries.Need("slirp4netns");
        Engine = await RootlessEngine.StartOnAsync(await OrdinaryHost.StartAsync());
        await Engine.LoadBusyboxAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (Engine is not null)
        {
            await Engine.DisposeAsync();
        }
    }
}

/// <summary>The engine as an ordinary user runs it: what it can do, and what nobody gains by it.</summary>
public sealed class RootlessTests(RootlessFixture fixture) : IClassFixture<RootlessFixture>
{
    private RootlessEngine Engine => fixture.Engine;

    private OrdinaryHost Host => fixture.Engine.Host;

    private Client Client(string kind) => Engine.Client(kind);

    [Theory, BothClients]
    public async Task An_ordinary_user_runs_containers(string client)
    {
        var ran = (await Client(client).RunAsync("run", "--rm", "busybox", "sh", "-c", "id -u; hostname; exit 7")).Exited(7);
        Assert.Equal("0", ran.Lines[0]);

        var id = await Client(client).DetachedAsync("busybox", "sh", "-c", "echo said; echo written > /note; sleep 600");
        await Eventually.TrueAsync(async () => await Client(client).TextAsync("logs", id) == "said", "the log has what was said");
        Assert.Equal("written", await Client(client).TextAsync("exec", id, "cat", "/note"));
        Assert.Equal("1001", await Client(client).TextAsync("exec", "-u", "1001", id, "id", "-u"));

        var copy = Path.Combine(Host.Home, $"note-{client}");
        (await Client(client).RunAsync("cp", $"{id}:/note", copy)).Succeeded();
        Assert.Equal("written\n", await File.ReadAllTextAsync(copy, TestContext.Current.CancellationToken));

        (await Client(client).RunAsync("commit", id, $"noted-{client}")).Succeeded();
        Assert.Equal("written", await Client(client).TextAsync("run", "--rm", $"noted-{client}", "cat", "/note"));
        await Client(client).RemoveAsync(id);
    }

    [Fact]
    public async Task Processes_are_the_users_and_his_subordinate_ids_on_the_host()
    {
        var root = await Client(Clients.Wherry).DetachedAsync("busybox", "sleep", "600");
        var other = await Client(Clients.Wherry).DetachedAsync("-u", "1000", "busybox", "sleep", "600");

        Assert.Equal(Host.Uid, await UidOfAsync(root));
        Assert.Equal(Host.FirstSubordinateId + 999, await UidOfAsync(other));
        Assert.Equal(Host.Uid, UidOf(Engine.ProcessId));
        await Client(Clients.Wherry).RemoveAsync(root, other);
    }

    [Fact]
    public async Task A_files_owner_in_the_image_is_kept()
    {
        var id = await Client(Clients.Wherry).TextAsync("create", "busybox", "sh", "-c", "touch /mine; chown 1000:50 /mine; chmod 4711 /mine");
        (await Client(Clients.Wherry).RunAsync("start", "-a", id)).Succeeded();
        await Client(Clients.Wherry).TextAsync("commit", id, "owned");
        var archive = Path.Combine(Host.Home, "owned.tar");
        await Client(Clients.Wherry).TextAsync("save", "-o", archive, "owned");
        await Client(Clients.Wherry).TextAsync("rmi", "-f", "owned");
        await Client(Clients.Wherry).TextAsync("load", "-q", "-i", archive);

        Assert.Equal("1000:50 4711", await Client(Clients.Wherry).TextAsync("run", "--rm", "owned", "stat", "-c", "%u:%g %a", "/mine"));
        await Client(Clients.Wherry).RemoveAsync(id);
    }

    [Fact]
    public async Task Deleted_files_and_replaced_directories_stay_so_in_an_image_of_the_container()
    {
        var first = await Client(Clients.Wherry).TextAsync("create", "busybox", "sh", "-c", "mkdir /d; touch /d/old /gone");
        (await Client(Clients.Wherry).RunAsync("start", "-a", first)).Succeeded();
        await Client(Clients.Wherry).TextAsync("commit", first, "before");
        var second = await Client(Clients.Wherry).TextAsync("create", "before", "sh", "-c", "rm -r /d /gone; mkdir /d; touch /d/new");
        (await Client(Clients.Wherry).RunAsync("start", "-a", second)).Succeeded();
        await Client(Clients.Wherry).TextAsync("commit", second, "after");
        var archive = Path.Combine(Host.Home, "after.tar");
        await Client(Clients.Wherry).TextAsync("save", "-o", archive, "after");
        await Client(Clients.Wherry).TextAsync("rmi", "-f", "after");
        await Client(Clients.Wherry).TextAsync("load", "-q", "-i", archive);

        Assert.Equal("new", await Client(Clients.Wherry).TextAsync("run", "--rm", "after", "sh", "-c", "ls /d; ls /gone 2>/dev/null || true"));
        await Client(Clients.Wherry).RemoveAsync(first, second);
    }

    [Fact]
    public async Task A_published_port_is_reached_on_the_hosts_addresses()
    {
        var id = await Client(Clients.Wherry).DetachedAsync("-p", "8081:80", "busybox", "nc", "-ll", "-p", "80", "-e", "echo", "served");

        foreach (var address in new[] { "127.0.0.1", "::1", OrdinaryHost.Address })
        {
            await Eventually.HoldsAsync(async () => Assert.Equal("served", (await Host.RootShellAsync($"busybox nc -w 2 {address} 8081 </dev/null")).Text));
        }

        await Client(Clients.Wherry).RemoveAsync(id);
        Assert.NotEqual(0, (await Host.RootShellAsync("busybox nc -w 2 127.0.0.1 8081 </dev/null")).ExitCode);
    }

    [Fact]
    public async Task A_port_below_1024_is_refused_with_the_setting_that_allows_it()
    {
        (await Client(Clients.Wherry).RunAsync("run", "--rm", "--name", "low", "-p", "81:80", "busybox", "true")).Refused("net.ipv4.ip_unprivileged_port_start");
        Assert.NotEqual(0, (await Client(Clients.Wherry).RunAsync("inspect", "low")).ExitCode);
    }

    [Fact]
    public async Task The_network_goes_out_through_the_helper_and_not_to_the_hosts_loopback()
    {
        using var server = Command.Start("/bin/sh", ["-c", $"exec nsenter --net=/proc/{Text(Host.ProcessId)}/ns/net busybox nc -ll -p 7000 -e echo outside"], null);
        try
        {
            await Eventually.HoldsAsync(async () => Assert.Equal("outside", await Client(Clients.Wherry).TextAsync("run", "--rm", "busybox", "nc", "-w", "3", OrdinaryHost.Address, "7000")));
            var loopback = await Client(Clients.Wherry).RunAsync("run", "--rm", "busybox", "nc", "-w", "3", "10.0.2.2", "7000");
            Assert.NotEqual("outside", loopback.Text);
            Assert.Contains("nameserver 10.0.2.3", await Client(Clients.Wherry).TextAsync("run", "--rm", "busybox", "cat", "/etc/resolv.conf"), StringComparison.Ordinal);
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync(CancellationToken.None);
        }
    }

    [Fact]
    public async Task Containers_reach_one_another_and_the_hosts_network_can_be_shared()
    {
        var id = await Client(Clients.Wherry).DetachedAsync("busybox", "nc", "-ll", "-p", "80", "-e", "echo", "neighbour");
        var address = await Client(Clients.Wherry).FieldAsync(id, "{{.NetworkSettings.Networks.bridge.IPAddress}}");
        await Eventually.HoldsAsync(async () => Assert.Equal("neighbour", await Client(Clients.Wherry).TextAsync("run", "--rm", "busybox", "nc", "-w", "2", address, "80")));
        (await Client(Clients.Wherry).RunAsync("run", "--rm", "busybox", "ping", "-c", "1", "-W", "2", address)).Succeeded();

        Assert.Contains(OrdinaryHost.Address, await Client(Clients.Wherry).TextAsync("run", "--rm", "--network", "host", "busybox", "ip", "address"), StringComparison.Ordinal);
        await Client(Clients.Wherry).RemoveAsync(id);
    }

    [Fact]
    public async Task Killed_and_started_again_the_engine_finds_its_containers_logs_ports_and_exit_codes()
    {
        var wherry = Client(Clients.Wherry);
        var ended = await wherry.DetachedAsync("busybox", "sh", "-c", "echo last words; sleep 1; exit 44");
        var alive = await wherry.DetachedAsync("-p", "8083:80", "busybox", "nc", "-ll", "-p", "80", "-e", "echo", "survived");
        await Engine.KillAsync();
        await Task.Delay(1500, TestContext.Current.CancellationToken);
        await Engine.StartAsync();

        Assert.Equal("exited 44", await wherry.FieldAsync(ended, "{{.State.Status}} {{.State.ExitCode}}"));
        Assert.Equal("last words", await wherry.TextAsync("logs", ended));
        Assert.Equal("running", await wherry.FieldAsync(alive, "{{.State.Status}}"));
        Assert.Equal("in", await wherry.TextAsync("exec", alive, "echo", "in"));
        Assert.Equal("survived", (await Host.RootShellAsync("busybox nc -w 2 127.0.0.1 8083 </dev/null")).Text);
        (await wherry.RunAsync("run", "--rm", "busybox", "ping", "-c", "1", "-W", "2", await wherry.FieldAsync(alive, "{{.NetworkSettings.Networks.bridge.IPAddress}}"))).Succeeded();
        await wherry.RemoveAsync(ended, alive);
    }

    [Fact]
    public async Task A_containers_root_has_no_rights_of_the_hosts_root()
    {
        var secret = Path.Combine(Host.Directory, "secret");
        await File.WriteAllTextAsync(secret, "root's own\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(secret, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        foreach (var options in (string[][])[[], ["--privileged"], ["--privileged", "--pid", "host"]])
        {
            var read = await Client(Clients.Wherry).RunAsync(["run", "--rm", .. options, "-v", $"{Host.Directory}:/host", "busybox", "cat", "/host/secret"]);
            read.Failed(1, "Permission denied");
            var device = await Client(Clients.Wherry).RunAsync(["run", "--rm", .. options, "busybox", "sh", "-c", "mknod /disk b 8 0 2>&1 || head -c 1 /disk"]);
            Assert.Contains("Operation not permitted", device.Output + device.Error, StringComparison.Ordinal);
        }

        (await Client(Clients.Wherry).RunAsync("run", "--rm", "--privileged", "--pid", "host", "busybox", "kill", "-0", "1")).Refused("not permitted");
    }

    [Fact]
    public async Task The_users_own_files_are_roots_in_a_bind_mount()
    {
        var directory = Path.Combine(Host.Home, "shared");
        (await Host.RunAsync("sh", "-c", $"mkdir -p {directory}; echo mine > {directory}/file")).Succeeded();

        Assert.Equal("0 mine", await Client(Clients.Wherry).TextAsync("run", "--rm", "-v", $"{directory}:/data", "busybox", "sh", "-c", "echo $(stat -c %u /data/file) $(cat /data/file); touch /data/made"));
        Assert.Equal(Text(Host.Uid), (await Host.RunAsync("stat", "-c", "%u", $"{directory}/made")).Text);
        (await Client(Clients.Wherry).RunAsync("run", "--rm", "-v", $"{directory}:/data:ro", "busybox", "touch", "/data/other")).Refused("Read-only file system");
    }

    [Fact]
    public async Task Volumes_keep_what_containers_write()
    {
        (await Client(Clients.Wherry).RunAsync("run", "--rm", "-v", "kept:/data", "busybox", "sh", "-c", "echo kept > /data/file; chown 5:5 /data/file")).Succeeded();
        Assert.Equal("kept 5", await Client(Clients.Wherry).TextAsync("run", "--rm", "-v", "kept:/data", "busybox", "sh", "-c", "echo $(cat /data/file) $(stat -c %u /data/file)"));
        (await Client(Clients.Wherry).RunAsync("volume", "rm", "kept")).Succeeded();
    }

    [Theory, BothClients]
    public async Task Info_says_rootless(string client)
    {
        Assert.Contains("rootless", await Client(client).TextAsync("info", "--format", "{{.SecurityOptions}}"), StringComparison.Ordinal);
        Assert.Equal(Engine.DataRoot, await Client(client).TextAsync("info", "--format", "{{.DockerRootDir}}"));
    }

    [Fact]
    public async Task Without_a_cgroup_of_his_own_limits_are_left_out_and_said_to_be()
    {
        var limited = (await Client(Clients.Wherry).RunAsync("run", "--rm", "-m", "64m", "--pids-limit", "50", "busybox", "echo", "ran")).Succeeded();

        Assert.Equal("ran", limited.Text);
        Assert.Contains("memory limit", limited.Error, StringComparison.Ordinal);
        Assert.Contains("PIDs limit", limited.Error, StringComparison.Ordinal);
        (await Client(Clients.Wherry).RunAsync("run", "--rm", "--cpus", "0.5", "busybox", "true")).Refused("NanoCPUs can not be set");
        var id = await Client(Clients.Wherry).DetachedAsync("busybox", "sleep", "600");
        (await Client(Clients.Wherry).RunAsync("pause", id)).Refused("no cgroup freezer");
        Assert.Contains("sleep 600", await Client(Clients.Wherry).TextAsync("top", id), StringComparison.Ordinal);
        await Client(Clients.Wherry).RemoveAsync(id);
    }

    [Fact]
    public async Task A_limit_above_the_users_own_is_clipped_with_a_warning()
    {
        var hard = (await Host.RunAsync("sh", "-c", "ulimit -Hn")).Text;
        var ran = (await Client(Clients.Wherry).RunAsync("run", "--rm", "--ulimit", "nofile=2000000000:2000000000", "busybox", "sh", "-c", "ulimit -Hn")).Succeeded();
        Assert.Equal(hard, ran.Text);
        Assert.Contains("nofile", ran.Error, StringComparison.Ordinal);
    }

    private async Task<int> UidOfAsync(string container) => UidOf(int.Parse(await Client(Clients.Wherry).FieldAsync(container, "{{.State.Pid}}"), CultureInfo.InvariantCulture));

    private static int UidOf(int pid) =>
        int.Parse(File.ReadLines($"/proc/{Text(pid)}/status").First(line => line.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[1], CultureInfo.InvariantCulture);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
