using System.Globalization;

namespace Wherry.EndToEnd.Tests;

/// <summary>What containers have said, afterwards and while they speak.</summary>
public sealed class LogTests(EngineFixture fixture) : EngineTests(fixture)
{
    [Theory, BothClients]
    public async Task Both_streams_are_kept_apart(string client)
    {
        var id = await EndedAsync(client, "echo out; echo err >&2");

        var logs = (await Client(client).RunAsync("logs", id)).Succeeded();

        Assert.Equal("out\n", logs.Output);
        Assert.Equal("err\n", logs.Error);
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Tail_shows_the_last_lines(string client)
    {
        var id = await EndedAsync(client, "seq 1 5000");

        Assert.Equal(["4998", "4999", "5000"], (await Client(client).RunAsync("logs", "--tail", "3", id)).Succeeded().Lines);
        Assert.Empty((await Client(client).RunAsync("logs", "--tail", "0", id)).Succeeded().Lines);
        Assert.Equal(5000, (await Client(client).RunAsync("logs", "--tail", "all", id)).Succeeded().Lines.Length);
        Assert.Equal(5000, (await Client(client).RunAsync("logs", "-n", "9999", id)).Succeeded().Lines.Length);
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Timestamps_and_since_and_until_agree(string client)
    {
        var id = await EndedAsync(client, "echo one; sleep 1.2; echo two; sleep 1.2; echo three");

        var stamped = (await Client(client).RunAsync("logs", "-t", id)).Succeeded().Lines;
        Assert.Equal(["one", "two", "three"], stamped.Select(line => line.Split(' ')[1]));
        var times = stamped.Select(line => DateTimeOffset.Parse(line.Split(' ')[0], CultureInfo.InvariantCulture)).ToArray();
        Assert.True(times[0] < times[1] && times[1] < times[2]);

        var between = times[0].AddMilliseconds(600).ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);
        Assert.Equal(["two", "three"], (await Client(client).RunAsync("logs", "--since", between, id)).Succeeded().Lines);
        Assert.Equal(["one"], (await Client(client).RunAsync("logs", "--until", between, id)).Succeeded().Lines);
        Assert.Equal(3, (await Client(client).RunAsync("logs", "--since", "10m", id)).Succeeded().Lines.Length);
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Follow_shows_lines_as_they_come_and_ends_with_the_container(string client)
    {
        var id = await Client(client).DetachedAsync("busybox", "sh", "-c", "echo early; sleep 1; echo late; sleep 0.3; exit 2");
        using var follow = Client(client).Start("logs", "-f", id);

        Assert.Equal("early", await follow.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        Assert.Equal("running", await Client(client).FieldAsync(id, "{{.State.Status}}"));
        Assert.Equal("late", await follow.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        Assert.Null(await follow.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        await follow.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, follow.ExitCode);
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Followed_lines_are_neither_lost_nor_doubled(string client)
    {
        var id = await Client(client).DetachedAsync("busybox", "sh", "-c", "sleep 0.3; seq 1 50000");

        var followed = (await Client(client).RunAsync("logs", "-f", id)).Succeeded().Lines;

        Assert.Equal(Enumerable.Range(1, 50000).Select(number => number.ToString(CultureInfo.InvariantCulture)), followed);
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task A_terminals_output_is_logged_as_it_was(string client)
    {
        var id = await Client(client).DetachedAsync("-t", "busybox", "sh", "-c", "echo one; echo two >&2");
        await Client(client).TextAsync("wait", id);

        Assert.Equal("one\r\ntwo\r\n", (await Client(client).RunAsync("logs", id)).Succeeded().Output);
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Odd_bytes_and_lines_without_an_end_are_kept(string client)
    {
        var id = await EndedAsync(client, "printf 'caf\\303\\251 \"quoted\" back\\\\slash\\ttab\\n'; printf 'no end'");

        Assert.Equal("café \"quoted\" back\\slash\ttab\nno end", (await Client(client).RunAsync("logs", id)).Succeeded().Output);
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task A_very_long_line_is_kept_whole(string client)
    {
        var id = await EndedAsync(client, "head -c 300000 /dev/zero | tr '\\0' x; echo");

        Assert.Equal(300001, (await Client(client).RunAsync("logs", id)).Succeeded().Output.Length);
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task A_second_run_adds_to_the_first(string client)
    {
        var id = await EndedAsync(client, "echo run");
        await Client(client).TextAsync("start", id);
        await Client(client).TextAsync("wait", id);

        Assert.Equal(["run", "run"], (await Client(client).RunAsync("logs", id)).Succeeded().Lines);
        await Client(client).RemoveAsync(id);
    }

    private async Task<string> EndedAsync(string client, string script)
    {
        var id = await Client(client).DetachedAsync("busybox", "sh", "-c", script);
        await Client(client).TextAsync("wait", id);
        return id;
    }
}
