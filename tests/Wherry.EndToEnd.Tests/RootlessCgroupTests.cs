using System.Diagnostics;

namespace Wherry.EndToEnd.Tests;

/// <summary>One engine of an ordinary user, in a cgroup of his, with busybox, for all the tests of the class.</summary>
public sealed class RootlessCgroupFixture : IAsyncLifetime
{
    public RootlessEngine? Engine { get; private set; }

    public DelegatedCgroup? Cgroup { get; private set; }

    public async ValueTask InitializeAsync()
    {
        if (!DelegatedCgroup.IsUnified)
        {
            return;
        }

        var host = await OrdinaryHost.StartAsync();
        Cgroup = await DelegatedCgroup.MakeAsync(host.Uid);
        Engine = await RootlessEngine.StartOnAsync(host, Cgroup.DirectoryPath);
        await Engine.LoadBusyboxAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (Engine is not null)
        {
            await Engine.DisposeAsync();
        }

        Cgroup?.Dispose();
    }
}

/// <summary>An ordinary user's engine in a cgroup of the unified tree that is his: limits as root's engine has them.</summary>
public sealed class RootlessCgroupTests : IClassFixture<RootlessCgroupFixture>
{
    private readonly RootlessEngine _engine;
    private readonly DelegatedCgroup _cgroup;

    public RootlessCgroupTests(RootlessCgroupFixture fixture)
    {
        Assert.SkipUnless(DelegatedCgroup.IsUnified, "this host's cgroup tree is not unified; the virtual machine's is");
        _engine = fixture.Engine!;
        _cgroup = fixture.Cgroup!;
    }

    [Theory, BothClients]
    public async Task Limits_are_kept_and_a_container_without_any_gets_no_warning(string kind)
    {
        var client = _engine.Client(kind);
        var limited = await client.RunAsync(
            "run", "--rm", "--memory", "64m", "--memory-swap", "64m", "--pids-limit", "20", "--cpus", "0.5", "busybox",
            "sh", "-c", "cd /sys/fs/cgroup && cat memory.max memory.swap.max pids.max cpu.max");
        Assert.Equal(["67108864", "0", "20", "50000 100000"], limited.Succeeded().Lines);
        Assert.Equal("", limited.Error);
        Assert.Equal("", (await client.RunAsync("run", "--rm", "busybox", "true")).Succeeded().Error);

        (await client.RunAsync("run", "--rm", "--pids-limit", "8", "busybox", "sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do sleep 5 & done; wait")).Refused("can't fork");
        Assert.DoesNotContain("WARNING: No memory", (await client.RunAsync("info")).Succeeded().Error, StringComparison.Ordinal);
        Assert.Equal("2", await client.TextAsync("info", "--format", "{{.CgroupVersion}}"));
    }

    [Theory, BothClients]
    public async Task Who_takes_too_much_memory_is_killed_and_the_record_says_so(string kind)
    {
        var client = _engine.Client(kind);
        var id = await client.DetachedAsync("--memory", "16m", "--memory-swap", "16m", "busybox", "sh", "-c", "tail /dev/zero");
        Assert.Equal("137", await client.TextAsync("wait", id));
        Assert.Equal("true", await client.FieldAsync(id, "{{.State.OOMKilled}}"));
        await client.RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task A_paused_container_stands_still_and_goes_on(string kind)
    {
        var client = _engine.Client(kind);
        var id = await client.DetachedAsync("busybox", "sh", "-c", "while :; do date +%s%N > /ticks; done");
        (await client.RunAsync("pause", id)).Succeeded();
        Assert.Equal("paused", await client.FieldAsync(id, "{{.State.Status}}"));
        var ticks = Path.Combine(_engine.DataRoot, "snapshots", id, "upper/ticks");
        var before = await File.ReadAllTextAsync(ticks, TestContext.Current.CancellationToken);
        await Task.Delay(500, TestContext.Current.CancellationToken);
        Assert.Equal(before, await File.ReadAllTextAsync(ticks, TestContext.Current.CancellationToken));
        (await client.RunAsync("unpause", id)).Succeeded();
        await Eventually.TrueAsync(async () => await File.ReadAllTextAsync(ticks) != before, "it goes on");
        await client.RemoveAsync(id);
    }

    [Fact]
    public async Task A_container_and_what_is_run_in_it_are_in_its_cgroup_which_goes_with_it()
    {
        var docker = _engine.Client(Clients.Docker);
        var id = await docker.DetachedAsync("--memory", "64m", "busybox", "sleep", "300");
        Assert.Contains($"wherry/{id}", _cgroup.Below());
        var members = Path.Combine(_cgroup.DirectoryPath, "wherry", id, "cgroup.procs");
        Assert.Single(await File.ReadAllLinesAsync(members, TestContext.Current.CancellationToken));
        (await docker.RunAsync("exec", "-d", id, "sleep", "300")).Succeeded();
        await Eventually.TrueAsync(() => File.ReadAllLines(members).Length == 2, "the exec is in the container's cgroup");

        // The engine is out of the way of the controllers, with all that belongs to it.
        Assert.Empty(await File.ReadAllLinesAsync(Path.Combine(_cgroup.DirectoryPath, "cgroup.procs"), TestContext.Current.CancellationToken));
        Assert.NotEmpty(await File.ReadAllLinesAsync(Path.Combine(_cgroup.DirectoryPath, "wherry.engine/cgroup.procs"), TestContext.Current.CancellationToken));
        await docker.RemoveAsync(id);
        Assert.DoesNotContain($"wherry/{id}", _cgroup.Below());
    }

    [Fact]
    public async Task An_engine_that_was_killed_goes_on_where_it_was()
    {
        var docker = _engine.Client(Clients.Docker);
        var id = await docker.DetachedAsync("--memory", "64m", "busybox", "sleep", "300");
        await _engine.KillAsync();

        // Where controllers are handed down no process may be put: who starts engines by hand starts them beside the old one.
        _engine.Cgroup = Path.Combine(_cgroup.DirectoryPath, "wherry.engine");
        await _engine.StartAsync();
        (await docker.RunAsync("pause", id)).Succeeded();
        (await docker.RunAsync("unpause", id)).Succeeded();
        Assert.Equal("67108864", await docker.TextAsync("exec", id, "cat", "/sys/fs/cgroup/memory.max"));
        Assert.Equal("33554432", await docker.TextAsync("run", "--rm", "--memory", "32m", "busybox", "cat", "/sys/fs/cgroup/memory.max"));
        var watch = Stopwatch.StartNew();
        await docker.RemoveAsync(id);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 20);
    }
}
