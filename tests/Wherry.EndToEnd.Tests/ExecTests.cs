namespace Wherry.EndToEnd.Tests;

/// <summary>More programs in a running container.</summary>
public sealed class ExecTests(EngineFixture fixture) : EngineTests(fixture)
{
    private string _id = "";

    public override async ValueTask InitializeAsync() =>
        _id = await Docker.DetachedAsync("-e", "FROM_RUN=1", "-w", "/var", "busybox", "sh", "-c", "echo main > /mark; exec sleep 300");

    public override async ValueTask DisposeAsync()
    {
        await Docker.RemoveAsync(_id);
        await base.DisposeAsync();
    }

    [Theory, BothClients]
    public async Task Both_streams_and_the_code_come_back(string client)
    {
        var result = (await Client(client).RunAsync("exec", _id, "sh", "-c", "echo out; echo err >&2; exit 12")).Exited(12);

        Assert.Equal("out\n", result.Output);
        Assert.Equal("err\n", result.Error);
    }

    [Theory, BothClients]
    public async Task It_shares_the_containers_files_processes_and_environment(string client)
    {
        Assert.Equal("main", await Client(client).TextAsync("exec", _id, "cat", "/mark"));
        Assert.Contains("sleep 300", await Client(client).TextAsync("exec", _id, "ps"), StringComparison.Ordinal);
        var lines = (await Client(client).TextAsync("exec", "-e", "ADDED=2", _id, "env")).Split('\n');
        Assert.Contains("FROM_RUN=1", lines);
        Assert.Contains("ADDED=2", lines);
        Assert.Contains(lines, line => line.StartsWith("PATH=", StringComparison.Ordinal));
    }

    [Theory, BothClients]
    public async Task The_working_directory_and_user_can_be_chosen(string client)
    {
        Assert.Equal("/var", await Client(client).TextAsync("exec", _id, "pwd"));
        Assert.Equal("/etc", await Client(client).TextAsync("exec", "-w", "/etc", _id, "pwd"));
        Assert.Equal("321:654", await Client(client).TextAsync("exec", "-u", "321:654", _id, "sh", "-c", "echo $(id -u):$(id -g)"));
    }

    [Theory, BothClients]
    public async Task Standard_input_is_passed_on_and_its_end_is_seen(string client)
    {
        Assert.Equal("typed", (await Client(client).RunAsync(["exec", "-i", _id, "cat"], "typed\n")).Succeeded().Text);
        Assert.Equal("0", (await Client(client).RunAsync(["exec", _id, "wc", "-c"], "ignored")).Succeeded().Text.Trim());
    }

    [Theory, BothClients]
    public async Task A_terminal_works(string client)
    {
        using var terminal = Client(client).StartInTerminal("exec", "-it", _id, "sh");

        await terminal.SeesAsync("# ");
        terminal.Type("tty; stty size; echo $((7*6))-done\n");
        await terminal.SeesAsync("/dev/pts/");
        await terminal.SeesAsync("40 120");
        await terminal.SeesAsync("42-done");
        terminal.Type("exit 8\n");
        Assert.Equal(8, await terminal.ExitAsync());
    }

    [Theory, BothClients]
    public async Task Detached_it_returns_at_once_and_goes_on(string client)
    {
        var mark = "/" + Harness.Client.NewName("mark");
        var result = (await Client(client).RunAsync("exec", "-d", _id, "sh", "-c", $"sleep 0.5; touch {mark}")).Succeeded();
        Assert.Equal("", result.Text);

        await Eventually.TrueAsync(async () => (await Client(client).RunAsync("exec", _id, "test", "-e", mark)).ExitCode == 0, "the detached program did its work");
    }

    [Theory, BothClients]
    public async Task Privileged_adds_what_the_host_can_give(string client)
    {
        var plain = await Client(client).TextAsync("exec", _id, "grep", "CapEff", "/proc/self/status");
        var privileged = await Client(client).TextAsync("exec", "--privileged", _id, "grep", "CapEff", "/proc/self/status");

        Assert.NotEqual(plain, privileged);
    }

    [Theory, BothClients]
    public async Task Large_output_arrives_whole(string client) =>
        Assert.Equal(100000, (await Client(client).RunAsync("exec", _id, "seq", "1", "100000")).Succeeded().Lines.Length);

    [Theory, BothClients]
    public async Task Many_at_once_do_not_disturb_each_other(string client)
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 30).Select(async number =>
            (number, text: await Client(client).TextAsync("exec", _id, "sh", "-c", $"echo {number}; exit 0"))));

        Assert.All(results, result => Assert.Equal($"{result.number}", result.text));
    }

    [Theory, BothClients]
    public async Task It_is_refused_in_a_container_that_does_not_run(string client)
    {
        var id = await Client(client).TextAsync("create", "busybox", "true");

        (await Client(client).RunAsync("exec", id, "true")).Refused("is not running");
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task It_ends_with_the_container(string client)
    {
        var id = await Client(client).DetachedAsync("busybox", "sleep", "60");
        using var process = Client(client).Start("exec", id, "sh", "-c", "echo in; sleep 60");
        Assert.Equal("in", await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));

        await Client(client).TextAsync("kill", id);

        using var bound = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        bound.CancelAfter(10_000);
        await process.WaitForExitAsync(bound.Token);
        Assert.Equal(137, process.ExitCode);
        await Client(client).RemoveAsync(id);
    }
}
