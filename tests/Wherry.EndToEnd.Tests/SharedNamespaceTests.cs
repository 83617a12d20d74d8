namespace Wherry.EndToEnd.Tests;

/// <summary>Containers in one another's namespaces: <c>container:NAME</c>.</summary>
public sealed class SharedNamespaceTests(EngineFixture fixture) : EngineTests(fixture)
{
    [Theory, BothClients]
    public async Task A_joined_pid_namespace_shows_the_others_processes_and_ends_with_its_first(string client)
    {
        var first = await Client(client).DetachedAsync("busybox", "sleep", "4321");
        var joined = await Client(client).DetachedAsync("--pid", $"container:{first}", "busybox", "sleep", "1234");
        Assert.Contains("sleep 4321", await Client(client).TextAsync("exec", joined, "ps", "-o", "args"), StringComparison.Ordinal);
        Assert.Contains("sleep 1234", await Client(client).TextAsync("exec", first, "ps", "-o", "args"), StringComparison.Ordinal);
        Assert.Equal($"container:{first}", await Client(client).FieldAsync(joined, "{{.HostConfig.PidMode}}"));

        await Client(client).TextAsync("kill", first);
        await Client(client).WaitForStatusAsync(joined, "exited");
        Assert.Equal("137", await Client(client).FieldAsync(joined, "{{.State.ExitCode}}"));
        (await Client(client).RunAsync("start", joined)).Refused("cannot join PID namespace of a non running container");
        await Client(client).RemoveAsync(first, joined);
    }

    [Theory, BothClients]
    public async Task A_joiner_that_ends_leaves_nothing_in_the_others_pid_namespace(string client)
    {
        var first = await Client(client).DetachedAsync("busybox", "sleep", "600");
        Assert.Equal(3, (await Client(client).RunAsync("run", "--rm", "--pid", $"container:{first}", "busybox", "sh", "-c", "sleep 4321 & exit 3")).ExitCode);
        Assert.DoesNotContain("sleep 4321", await Client(client).TextAsync("exec", first, "ps", "-o", "args"), StringComparison.Ordinal);
        Assert.Equal("running", await Client(client).FieldAsync(first, "{{.State.Status}}"));
        await Client(client).RemoveAsync(first);
    }

    [Theory, BothClients]
    public async Task Shared_memory_is_joined_where_the_other_shares_it(string client)
    {
        var donor = await Client(client).DetachedAsync("--ipc", "shareable", "--shm-size", "3m", "busybox", "sh", "-c", "echo from-donor > /dev/shm/a; sleep 600");
        await Eventually.TrueAsync(async () => (await Client(client).RunAsync("exec", donor, "test", "-s", "/dev/shm/a")).ExitCode == 0, "the donor has written");
        var seen = await Client(client).TextAsync("run", "--rm", "--ipc", $"container:{donor}", "busybox", "sh", "-c", "cat /dev/shm/a; echo back > /dev/shm/b; readlink /proc/self/ns/ipc");
        Assert.Equal($"from-donor\n{await Client(client).TextAsync("exec", donor, "readlink", "/proc/self/ns/ipc")}", seen);
        Assert.Equal("back", await Client(client).TextAsync("exec", donor, "cat", "/dev/shm/b"));

        var alone = await Client(client).DetachedAsync("busybox", "sleep", "600");
        (await Client(client).RunAsync("run", "--rm", "--ipc", $"container:{alone}", "busybox", "true")).Failed(125, "non-shareable IPC (hint: use IpcMode:shareable for the donor container)");
        await Client(client).RemoveAsync(donor, alone);
    }

    [Theory, BothClients]
    public async Task What_cannot_be_joined_is_refused(string client)
    {
        var resting = await Client(client).TextAsync("create", "--ipc", "shareable", "busybox", "true");
        foreach (var option in new[] { "--pid", "--ipc" })
        {
            (await Client(client).RunAsync("run", "--rm", option, "container:no-such", "busybox", "true")).Failed(125, "No such container: no-such");
            (await Client(client).RunAsync("run", "--rm", option, $"container:{resting}", "busybox", "true")).Failed(125, "non running container");
            (await Client(client).RunAsync("run", "--rm", option, "container:", "busybox", "true")).Refused("mode");
        }

        (await Client(client).RunAsync("run", "--rm", "--uts", $"container:{resting}", "busybox", "true")).Refused("UTS mode");
        Assert.Equal([resting], (await Client(client).RunAsync("ps", "-aq", "--no-trunc")).Succeeded().Lines.Intersect([resting]));
        await Client(client).RemoveAsync(resting);
    }

    [Fact]
    public async Task Who_joins_a_container_in_a_user_namespace_shares_that_too()
    {
        var first = await Wherry.DetachedAsync("--userns", "auto", "--ipc", "shareable", "busybox", "sleep", "4321");
        string[] all = ["--network", $"container:{first}", "--pid", $"container:{first}", "--ipc", $"container:{first}"];
        foreach (var client in new[] { Docker, Wherry })
        {
            Assert.Equal(
                await Wherry.TextAsync("exec", first, "sh", "-c", "for n in user net pid ipc; do readlink /proc/self/ns/$n; done"),
                await client.TextAsync(["run", "--rm", .. all, "busybox", "sh", "-c", "for n in user net pid ipc; do readlink /proc/self/ns/$n; done"]));
        }

        Assert.Equal(
            await Wherry.TextAsync("exec", first, "readlink", "/proc/self/ns/user"),
            await Wherry.TextAsync("run", "--rm", "--userns", $"container:{first}", "busybox", "readlink", "/proc/self/ns/user"));
        (await Wherry.RunAsync("run", "--rm", "--userns", "auto", "--network", $"container:{first}", "busybox", "true")).Failed(125, "another user namespace");
        (await Wherry.RunAsync("run", "--rm", "--userns", "host", "--network", $"container:{first}", "busybox", "true")).Succeeded();

        var plain = await Wherry.DetachedAsync("busybox", "sleep", "600");
        (await Wherry.RunAsync("run", "--rm", "--userns", "auto", "--pid", $"container:{plain}", "busybox", "true")).Failed(125, "another user namespace");
        (await Wherry.RunAsync("run", "--rm", "--userns", $"container:{plain}", "busybox", "true")).Failed(125, "in the host's user namespace");
        (await Wherry.RunAsync("run", "--rm", "--userns", $"container:{first}", "--pid", $"container:{plain}", "busybox", "true")).Failed(125, "is not that of container");
        await Wherry.RemoveAsync(first, plain);
    }

    [Fact]
    public async Task Security_tells_what_is_shared_with_whom()
    {
        var (first, second) = (Harness.Client.NewName("first"), Harness.Client.NewName("second"));
        await Wherry.DetachedAsync("--name", first, "busybox", "sleep", "600");
        await Wherry.DetachedAsync("--name", second, "--pid", $"container:{first}", "--network", $"container:{first}", "busybox", "sleep", "600");
        Assert.Matches($"Shared namespaces: +.*pid with {first}", await Wherry.TextAsync("security", second));
        var report = await Wherry.TextAsync("security", first);
        Assert.Contains($"pid with {second}", report, StringComparison.Ordinal);
        Assert.Contains($"net with {second}", report, StringComparison.Ordinal);
        Assert.Contains($"the pid namespace is shared with {second}", report, StringComparison.Ordinal);
        await Wherry.RemoveAsync(second, first);
    }

    [Theory, BothClients]
    public async Task Joiners_live_on_while_the_engine_is_killed(string client)
    {
        var first = await Client(client).DetachedAsync("busybox", "sleep", "600");
        var joined = await Client(client).DetachedAsync("--pid", $"container:{first}", "busybox", "sleep", "1234");
        await Engine.RestartAsync();
        Assert.Contains("sleep 1234", await Client(client).TextAsync("exec", joined, "ps", "-o", "args"), StringComparison.Ordinal);
        await Client(client).TextAsync("kill", joined);
        Assert.DoesNotContain("sleep 1234", await Client(client).TextAsync("exec", first, "ps", "-o", "args"), StringComparison.Ordinal);
        await Client(client).RemoveAsync(first, joined);
    }
}
