namespace Wherry.EndToEnd.Tests;

/// <summary>The unit that is installed for ordinary users, under a service manager of the user's. Only a host that systemd runs has it.</summary>
public sealed class RootlessSystemdTests : IAsyncLifetime
{
    private OrdinaryHost _host = null!;
    private UserManager? _manager;

    private string Address => $"unix://{_host.RuntimeDirectory}/wherry/wherry.sock";

    public async ValueTask InitializeAsync()
    {
        UserManager.Need();
        _host = await OrdinaryHost.StartAsync();
        await InstallAsync();
        _manager = await UserManager.StartAsync(_host);
    }

    public async ValueTask DisposeAsync()
    {
        if (_manager is not null)
        {
            await _manager.DisposeAsync();
        }

        if (_host is not null)
        {
            await _host.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task The_users_unit_gives_the_engine_limits_and_a_restart_of_it_keeps_the_containers()
    {
        (await SystemctlAsync("start", "wherryd")).Succeeded();
        var wherry = _host.Client(Clients.Wherry, Address);
        await new Client(Clients.Wherry, Binaries.Wherry, Address).TextAsync("load", "-q", "-i", await BaseImages.ArchiveAsync(BaseImages.Busybox));
        var docker = _host.Client(Clients.Docker, Address);

        var ran = await docker.RunAsync("run", "--rm", "--memory", "64m", "--memory-swap", "64m", "--pids-limit", "20", "--cpus", "0.5", "busybox", "sh", "-c", "cd /sys/fs/cgroup && cat memory.max pids.max cpu.max");
        Assert.Equal(["67108864", "20", "50000 100000"], ran.Succeeded().Lines);
        Assert.Equal("", ran.Error);
        var id = await docker.DetachedAsync("--memory", "64m", "busybox", "sleep", "300");
        (await docker.RunAsync("pause", id)).Succeeded();
        Assert.Equal("paused", await docker.FieldAsync(id, "{{.State.Status}}"));
        (await docker.RunAsync("unpause", id)).Succeeded();

        (await SystemctlAsync("restart", "wherryd")).Succeeded();
        Assert.Equal("running", await wherry.FieldAsync(id, "{{.State.Status}}"));
        Assert.Equal("67108864", await wherry.TextAsync("exec", id, "cat", "/sys/fs/cgroup/memory.max"));

        // The manager looks its own cgroups over again; the containers' are not among them.
        (await SystemctlAsync("daemon-reload")).Succeeded();
        Assert.Equal("33554432", await wherry.TextAsync("run", "--rm", "--memory", "32m", "busybox", "cat", "/sys/fs/cgroup/memory.max"));
        await wherry.RemoveAsync(id);
        (await SystemctlAsync("stop", "wherryd")).Succeeded();
    }

    private async Task InstallAsync()
    {
        var units = Path.Combine(_host.Home, ".config/systemd/user");
        var unit = (await File.ReadAllTextAsync(Path.Combine(Binaries.Repository, "eng/wherryd-user.service.in"), TestContext.Current.CancellationToken))
            .Replace("@BINDIR@", Path.Combine(_host.Directory, "bin"), StringComparison.Ordinal);
        (await _host.RunAsync(["sh", "-c", $"mkdir -p {units} && cat > {units}/wherryd.service"], unit)).Succeeded();
    }

    private Task<CommandResult> SystemctlAsync(params string[] arguments) => _manager!.SystemctlAsync(arguments);
}
