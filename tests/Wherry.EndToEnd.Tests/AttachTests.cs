namespace Wherry.EndToEnd.Tests;

/// <summary>Attaching to what already runs, and leaving it running.</summary>
public sealed class AttachTests(EngineFixture fixture) : EngineTests(fixture)
{
    [Theory, BothClients]
    public async Task Attach_speaks_with_a_program_that_reads_its_input(string client)
    {
        var id = await Client(client).DetachedAsync("-i", "busybox", "sh", "-c", "read line; echo \"got $line\"; exit 4");

        using var attached = Client(client).Start("attach", id);
        await attached.StandardInput.WriteAsync("hello\n");
        await attached.StandardInput.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Equal("got hello\n", await attached.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken));
        await attached.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(4, attached.ExitCode);
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Detach_keys_leave_the_container_running(string client)
    {
        var id = await Client(client).TextAsync("run", "-d", "-it", "busybox", "sh");
        using (var terminal = Client(client).StartInTerminal("attach", id))
        {
            await Task.Delay(300, TestContext.Current.CancellationToken);
            terminal.Type("echo $((20+3))-here\n");
            await terminal.SeesAsync("23-here");
            terminal.Type("\u0010\u0011"); // Ctrl-P Ctrl-Q
            await terminal.ExitAsync();
        }

        Assert.Equal("running", await Client(client).FieldAsync(id, "{{.State.Status}}"));

        using (var again = Client(client).StartInTerminal("attach", "--detach-keys", "ctrl-x", id))
        {
            await Task.Delay(300, TestContext.Current.CancellationToken);
            again.Type("echo $((20+4))-still\n");
            await again.SeesAsync("24-still");
            again.Type("\u0018"); // Ctrl-X
            await again.ExitAsync();
        }

        Assert.Equal("running", await Client(client).FieldAsync(id, "{{.State.Status}}"));
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Two_attached_clients_see_the_same(string client)
    {
        var id = await Client(client).DetachedAsync("-i", "busybox", "sh", "-c", "read x; seq 1 1000");
        using var first = Client(client).Start("attach", "--no-stdin", id);
        using var second = Client(client).Start("attach", "--no-stdin", id);
        await Task.Delay(500, TestContext.Current.CancellationToken);

        await Client(client).RunAsync(["attach", id], "go\n");

        var both = await Task.WhenAll(first.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), second.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken));
        Assert.All(both, output => Assert.Equal(1000, output.TrimEnd().Split('\n').Length));
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task A_client_that_goes_away_does_not_stop_the_program(string client)
    {
        var id = await Client(client).DetachedAsync("busybox", "sh", "-c", "i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo line $i; sleep 0.05; done");
        using (var attached = Client(client).Start("attach", id))
        {
            await attached.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
            attached.Kill();
            await attached.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal("0", await Client(client).TextAsync("wait", id));
        Assert.Equal(40, (await Client(client).RunAsync("logs", id)).Lines.Length);
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Attaching_to_what_has_ended_is_refused(string client)
    {
        var id = await Client(client).DetachedAsync("busybox", "true");
        await Client(client).TextAsync("wait", id);

        (await Client(client).RunAsync("attach", id)).Refused("stopped container");
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task A_slow_reader_neither_loses_output_nor_stops_the_log(string client)
    {
        var id = await Client(client).DetachedAsync("-i", "busybox", "sh", "-c", "read go; seq 1 100000");
        using var slow = Client(client).Start("attach", id);
        await Task.Delay(300, TestContext.Current.CancellationToken);
        await slow.StandardInput.WriteAsync("go\n");
        await slow.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
        await Task.Delay(1500, TestContext.Current.CancellationToken); // reads nothing meanwhile

        var lines = (await slow.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).TrimEnd().Split('\n');

        Assert.Equal(100000, lines.Length);
        Assert.Equal("0", await Client(client).TextAsync("wait", id));
        Assert.Equal(100000, (await Client(client).RunAsync("logs", id)).Lines.Length);
        await Client(client).RemoveAsync(id);
    }
}
