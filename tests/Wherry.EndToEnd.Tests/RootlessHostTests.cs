namespace Wherry.EndToEnd.Tests;

/// <summary>How an ordinary user's engine begins and ends, and what it makes of hosts that lack something.</summary>
public sealed class RootlessHostTests
{
    [Fact]
    public async Task A_command_starts_the_users_own_engine()
    {
        await using var host = await OrdinaryHost.StartAsync();
        var version = (await host.RunAsync(host.Program("wherry"), "version")).Succeeded();

        Assert.Contains("the engine was not running: started", version.Error, StringComparison.Ordinal);
        Assert.True(File.Exists($"{host.RuntimeDirectory}/wherry/wherry.sock"));
        Assert.True(Directory.Exists($"{host.Home}/.local/share/wherry/content"));
    }

    [Fact]
    public async Task An_engine_that_ends_without_containers_leaves_no_process()
    {
        await using var engine = await RootlessEngine.StartOnAsync(await OrdinaryHost.StartAsync());
        Assert.Contains(engine.Host.Processes(), process => process.Contains("sleep infinity", StringComparison.Ordinal));
        await engine.StopAsync();

        await Eventually.TrueAsync(() => engine.Host.Processes().Count == 0, "the user has no process left");
        Assert.False(File.Exists($"{engine.ExecRoot}/holder"));
    }

    [Theory]
    [InlineData("--shim-path", "/nowhere/wherry-shim", "/nowhere/wherry-shim does not exist")]
    [InlineData("-H", "ftp://x", "ftp://x")]
    public async Task Options_that_make_no_sense_leave_no_process(string option, string value, string said)
    {
        await using var host = await OrdinaryHost.StartAsync();

        (await host.RunAsync(host.Program("wherryd"), option, value)).Refused(said);

        Assert.Empty(host.Processes());
        Assert.False(File.Exists($"{host.RuntimeDirectory}/wherry/holder"));
    }

    [Fact]
    public async Task An_engine_that_ends_leaves_containers_with_their_network()
    {
        Binaries.Need("slirp4netns");
        await using var engine = await RootlessEngine.StartOnAsync(await OrdinaryHost.StartAsync());
        await engine.LoadBusyboxAsync();
        var wherry = engine.Client(Clients.Wherry);
        var id = await wherry.DetachedAsync("busybox", "sh", "-c", $"while :; do nc -w 1 {OrdinaryHost.Address} 7001; sleep 0.2; done");
        await engine.StopAsync();

        // While no engine is there, the container still gets out; what it is told is in its log afterwards.
        await engine.Host.RootShellAsync("busybox timeout 3 busybox nc -l -p 7001 -e echo heard");
        await engine.StartAsync();
        Assert.Contains("heard", await wherry.TextAsync("logs", id), StringComparison.Ordinal);
        await wherry.RemoveAsync(id);
        await engine.StopAsync();
        await Eventually.TrueAsync(() => engine.Host.Processes().Count == 0, "the user has no process left");
    }

    [Theory]
    [InlineData(false, "/etc/subuid")]
    [InlineData(true, "newuidmap", "newuidmap")]
    public async Task Without_ids_beside_his_own_only_root_exists(bool subordinateIds, string said, params string[] missing)
    {
        await using var engine = await RootlessEngine.StartOnAsync(await OrdinaryHost.StartAsync(subordinateIds, missing));
        Assert.Contains(said, engine.Log(), StringComparison.Ordinal);
        Assert.Contains("only root exists in containers", engine.Log(), StringComparison.Ordinal);

        await engine.LoadBusyboxAsync();
        var wherry = engine.Client(Clients.Wherry);
        Assert.Equal("0", await wherry.TextAsync("run", "--rm", "busybox", "id", "-u"));
        Assert.Equal("tty", await wherry.TextAsync("run", "-t", "--rm", "busybox", "sh", "-c", "test -t 1 && echo tty"));
        (await wherry.RunAsync("run", "--rm", "-u", "1000", "busybox", "true")).Refused("Invalid argument");
    }

    [Fact]
    public async Task Without_a_way_out_containers_still_run()
    {
        await using var engine = await RootlessEngine.StartOnAsync(await OrdinaryHost.StartAsync(true, "slirp4netns", "pasta"));
        Assert.Contains("neither slirp4netns nor pasta is installed", engine.Log(), StringComparison.Ordinal);
        await engine.LoadBusyboxAsync();
        Assert.Equal("here", await engine.Client(Clients.Wherry).TextAsync("run", "--rm", "busybox", "echo", "here"));
    }

    [Fact]
    public async Task Pasta_is_the_way_out_where_there_is_no_slirp4netns()
    {
        Binaries.Need("pasta");
        await using var engine = await RootlessEngine.StartOnAsync(await OrdinaryHost.StartAsync(true, "slirp4netns"));
        await engine.LoadBusyboxAsync();
        using var server = Command.Start("/bin/sh", ["-c", $"exec nsenter --net=/proc/{engine.Host.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture)}/ns/net busybox nc -ll -p 7002 -e echo outside"], null);
        try
        {
            await Eventually.HoldsAsync(async () => Assert.Equal("outside", await engine.Client(Clients.Wherry).TextAsync("run", "--rm", "busybox", "sh", "-c", $"timeout 3 nc {OrdinaryHost.Address} 7002 | head -n 1")));
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync(CancellationToken.None);
        }

        Assert.Contains("nameserver 169.254.1.1", await engine.Client(Clients.Wherry).TextAsync("run", "--rm", "busybox", "cat", "/etc/resolv.conf"), StringComparison.Ordinal);
    }
}
