using System.Diagnostics;
using System.Globalization;

namespace Wherry.EndToEnd.Tests;

/// <summary>The engine may die at any moment; containers, their output and their exit codes may not.</summary>
public sealed class EngineCrashTests(EngineFixture fixture) : EngineTests(fixture)
{
    [Theory, BothClients]
    public async Task No_line_is_lost_or_doubled_when_the_engine_is_killed(string client)
    {
        const int lines = 400;
        var id = await Client(client).DetachedAsync("busybox", "sh", "-c", $"i=0; while [ $i -lt {lines} ]; do i=$((i+1)); echo $i; usleep 10000; done; exit 21");

        for (var round = 0; round < 3; round++)
        {
            await Task.Delay(700, TestContext.Current.CancellationToken);
            await Engine.KillAsync();
            await Task.Delay(300, TestContext.Current.CancellationToken);
            await Engine.StartAsync();
            Assert.Equal("running", await Client(client).FieldAsync(id, "{{.State.Status}}"));
        }

        Assert.Equal("21", await Client(client).TextAsync("wait", id));
        Assert.Equal(Enumerable.Range(1, lines).Select(number => number.ToString(CultureInfo.InvariantCulture)), (await Client(client).RunAsync("logs", id)).Succeeded().Lines);
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task An_exit_code_is_kept_when_the_program_ends_while_the_engine_is_down(string client)
    {
        var id = await Client(client).DetachedAsync("busybox", "sh", "-c", "sleep 0.5; echo last words; exit 44");
        var removed = await Client(client).DetachedAsync("--rm", "busybox", "sleep", "0.5");
        await Engine.KillAsync();
        await Task.Delay(1500, TestContext.Current.CancellationToken);
        await Engine.StartAsync();

        Assert.Equal("exited 44", await Client(client).FieldAsync(id, "{{.State.Status}} {{.State.ExitCode}}"));
        Assert.Equal("last words", await Client(client).TextAsync("logs", id));
        var finished = DateTimeOffset.Parse(await Client(client).FieldAsync(id, "{{.State.FinishedAt}}"), CultureInfo.InvariantCulture);
        Assert.InRange((DateTimeOffset.UtcNow - finished).TotalSeconds, 0.5, 30);
        await Eventually.TrueAsync(async () => (await Client(client).RunAsync("inspect", removed)).ExitCode != 0, "--rm is kept as well");
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task After_a_restart_everything_still_works_on_a_container_that_lived_on(string client)
    {
        var port = Ports.Free();
        var id = await Client(client).DetachedAsync("-i", "-p", $"{port}:80", "--name", "survivor-" + client, "busybox", "sh", "-c", "nc -ll -p 80 -e echo alive & read line; echo read $line; exit 3");
        Assert.Equal("alive", await Ports.AskUntilAnsweredAsync(System.Net.IPAddress.Loopback, port));

        await Engine.RestartAsync();

        Assert.Equal("alive", await Ports.AskUntilAnsweredAsync(System.Net.IPAddress.Loopback, port));
        if (Ports.HostHasIPv6Loopback)
        {
            Assert.Equal("alive", await Ports.AskUntilAnsweredAsync(System.Net.IPAddress.IPv6Loopback, port));
        }

        Assert.Equal("in", await Client(client).TextAsync("exec", id, "echo", "in"));
        (await Client(client).RunAsync("run", "-d", "-p", $"{port}:80", "busybox", "true")).Failed(125, "port is already allocated");
        using var attached = Client(client).Start("attach", id);
        await attached.StandardInput.WriteAsync("typed\n");
        await attached.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
        Assert.Equal("read typed\n", await attached.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken));
        Assert.Equal("3", await Client(client).TextAsync("wait", id));
        foreach (var left in (await Docker.RunAsync("ps", "-aq")).Lines)
        {
            await Client(client).RemoveAsync(left);
        }
    }

    [Theory, BothClients]
    public async Task Sigterm_ends_the_engine_and_leaves_containers_running(string client)
    {
        var id = await Client(client).DetachedAsync("busybox", "sleep", "120");
        var pid = await Client(client).FieldAsync(id, "{{.State.Pid}}");

        Assert.Equal(0, await Engine.StopAsync());
        Assert.False(File.Exists(Engine.SocketPath), "the socket is gone");
        Assert.True(Directory.Exists($"/proc/{pid}"), "the container runs on");
        await Engine.StartAsync();

        Assert.Equal($"running {pid}", await Client(client).FieldAsync(id, "{{.State.Status}} {{.State.Pid}}"));
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task A_killed_supervisor_takes_its_container_along_and_is_noticed(string client)
    {
        var id = await Client(client).DetachedAsync("busybox", "sh", "-c", "sleep 1000 & sleep 1000");
        var pid = int.Parse(await Client(client).FieldAsync(id, "{{.State.Pid}}"), CultureInfo.InvariantCulture);
        var status = await File.ReadAllLinesAsync($"/proc/{pid}/status", TestContext.Current.CancellationToken);
        var supervisor = status.First(line => line.StartsWith("PPid", StringComparison.Ordinal)).Split('\t')[1];

        await Command.RunAsync("/bin/kill", "-9", supervisor);

        await Client(client).WaitForStatusAsync(id, "exited");
        await Eventually.TrueAsync(() => !Directory.Exists($"/proc/{pid}"), "the program is gone");
        Assert.NotEqual("0", await Client(client).FieldAsync(id, "{{.State.ExitCode}}"));
        (await Client(client).RunAsync("start", id)).Succeeded();
        await Client(client).RemoveAsync(id);
    }

    [Fact]
    public async Task A_hundred_random_kills_during_a_loop_of_runs_lose_and_leak_nothing()
    {
        var random = new Random(20131126); // the same sequence every time
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var completed = 0;
        var kept = new System.Collections.Concurrent.ConcurrentBag<string>();

        var watch = Stopwatch.StartNew();
        (await Docker.RunAsync("run", "--rm", "busybox", "true")).Succeeded();
        var before = watch.Elapsed;

        // Three clients at work: what they are told may be an error, but never a wrong answer.
        var workers = Enumerable.Range(0, 3).Select(worker => Task.Run(async () =>
        {
            for (var turn = 0; !stop.IsCancellationRequested; turn++)
            {
                var name = $"storm-{worker}-{turn}";
                string[] network = turn % 2 == 0 ? ["--network", "none"] : [];
                var run = await Docker.RunAsync(["run", "--name", name, .. network, "busybox", "sh", "-c", $"echo {name}; exit 7"]);
                if (run.ExitCode == 7)
                {
                    Assert.Equal(name, run.Text);
                    Interlocked.Increment(ref completed);
                    kept.Add(name);
                }

                if (turn % 3 == 0)
                {
                    await Docker.RunAsync("rm", "-f", name);
                }
            }
        })).ToArray();

        // On a busy machine an engine would else never live as long as one run takes.
        var longest = (int)Math.Clamp(3 * before.TotalMilliseconds, 250, 1500);
        for (var kill = 0; kill < 100; kill++)
        {
            await Task.Delay(random.Next(5, longest), TestContext.Current.CancellationToken);
            await Engine.RestartAsync();
        }

        await stop.CancelAsync();
        await Task.WhenAll(workers);
        Assert.True(completed > 20, $"only {completed} runs came through");

        // Whatever exists is in a definite state, and what a client saw ending with 7 has ended with 7.
        foreach (var line in (await Docker.RunAsync("ps", "-a", "--format", "{{.Names}} {{.State}}")).Succeeded().Lines)
        {
            var (name, state) = (line.Split(' ')[0], line.Split(' ')[1]);
            Assert.Contains(state, new[] { "created", "exited" });
            if (kept.Contains(name))
            {
                Assert.Equal("exited 7", await Docker.FieldAsync(name, "{{.State.Status}} {{.State.ExitCode}}"));
                Assert.Equal(name, await Docker.TextAsync("logs", name));
            }
        }

        var all = (await Docker.RunAsync("ps", "-aq")).Lines;
        (await Docker.RunAsync(["rm", "-f", .. all])).Succeeded();
        await Leaks.AssertNoneAsync(Engine);
    }
}
