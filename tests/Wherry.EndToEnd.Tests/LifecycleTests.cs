using System.Globalization;

namespace Wherry.EndToEnd.Tests;

/// <summary>create, start, stop, kill, restart, wait, rename, rm, ps, inspect.</summary>
public sealed class LifecycleTests(EngineFixture fixture) : EngineTests(fixture)
{
    private const string TrapTerm = "trap 'echo stopping; exit 7' TERM; echo ready; while :; do sleep 0.05; done";

    [Theory, BothClients]
    public async Task A_created_container_runs_when_it_is_started(string client)
    {
        var name = Harness.Client.NewName();
        var id = await Client(client).TextAsync("create", "--name", name, "busybox", "echo", "started");
        Assert.Equal("created", await Client(client).FieldAsync(name, "{{.State.Status}}"));

        Assert.Equal("started", await Client(client).TextAsync("start", "-a", name));

        Assert.Equal("exited", await Client(client).FieldAsync(id, "{{.State.Status}}"));
        Assert.Equal(name, await Client(client).TextAsync("start", name));
        Assert.Equal("0", await Client(client).TextAsync("wait", name));
        await Client(client).RemoveAsync(name);
    }

    [Theory, BothClients]
    public async Task Start_attached_returns_the_programs_code(string client)
    {
        var id = await Client(client).TextAsync("create", "-i", "busybox", "sh", "-c", "cat; exit 6");

        var result = (await Client(client).RunAsync(["start", "-a", "-i", id], "typed\n")).Exited(6);

        Assert.Equal("typed\n", result.Output);
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Stop_asks_first_and_the_program_may_tidy_up(string client)
    {
        var id = await Client(client).DetachedAsync("busybox", "sh", "-c", TrapTerm);
        await Eventually.TrueAsync(async () => await Client(client).TextAsync("logs", id) == "ready", "the trap is set");

        Assert.Equal(id, await Client(client).TextAsync("stop", id));

        Assert.Equal("7", await Client(client).FieldAsync(id, "{{.State.ExitCode}}"));
        Assert.Equal("ready\nstopping", await Client(client).TextAsync("logs", id));
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Stop_kills_what_does_not_listen_when_its_time_is_up(string client)
    {
        var id = await Client(client).DetachedAsync("busybox", "sleep", "60");

        var stop = (await Client(client).RunAsync("stop", "-t", "1", id)).Succeeded();

        Assert.InRange(stop.Elapsed.TotalSeconds, 0.9, 6);
        Assert.Equal("137", await Client(client).FieldAsync(id, "{{.State.ExitCode}}"));
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Stop_sends_the_signal_that_was_chosen(string client)
    {
        const string program = "trap 'exit 11' USR1; trap 'exit 12' HUP; echo ready; while :; do sleep 0.05; done";
        var chosen = await Client(client).DetachedAsync("--stop-signal", "SIGUSR1", "busybox", "sh", "-c", program);
        await Eventually.TrueAsync(async () => await Client(client).TextAsync("logs", chosen) == "ready", "the traps are set");

        await Client(client).TextAsync("stop", chosen);
        Assert.Equal("11", await Client(client).FieldAsync(chosen, "{{.State.ExitCode}}"));

        await Client(client).TextAsync("start", chosen);
        await Eventually.TrueAsync(async () => (await Client(client).RunAsync("logs", chosen)).Lines.Length == 2, "the traps are set again");
        await Client(client).TextAsync("stop", "-s", "HUP", chosen);
        Assert.Equal("12", await Client(client).FieldAsync(chosen, "{{.State.ExitCode}}"));
        await Client(client).RemoveAsync(chosen);
    }

    [Theory, BothClients]
    public async Task Stopping_what_has_ended_is_no_error(string client)
    {
        var id = await Client(client).DetachedAsync("busybox", "true");
        await Client(client).TextAsync("wait", id);

        (await Client(client).RunAsync("stop", id)).Succeeded();
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Kill_sends_any_signal(string client)
    {
        var id = await Client(client).DetachedAsync("busybox", "sh", "-c", "trap 'echo hup' HUP; echo ready; while :; do sleep 0.05; done");
        await Eventually.TrueAsync(async () => await Client(client).TextAsync("logs", id) == "ready", "the trap is set");

        await Client(client).TextAsync("kill", "-s", "HUP", id);
        await Eventually.TrueAsync(async () => await Client(client).TextAsync("logs", id) == "ready\nhup", "the signal arrived");
        Assert.Equal("running", await Client(client).FieldAsync(id, "{{.State.Status}}"));

        await Client(client).TextAsync("kill", "--signal", "9", id);
        Assert.Equal("137", await Client(client).TextAsync("wait", id));
        (await Client(client).RunAsync("kill", id)).Refused("is not running");
        (await Client(client).RunAsync("kill", "-s", "NONSENSE", id)).Refused("signal");
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Restart_runs_the_program_anew(string client)
    {
        var id = await Client(client).DetachedAsync("busybox", "sh", "-c", "echo run; " + TrapTerm);
        await Eventually.TrueAsync(async () => (await Client(client).RunAsync("logs", id)).Lines.Length == 2, "it runs");
        var before = await Client(client).FieldAsync(id, "{{.State.StartedAt}}");

        await Client(client).TextAsync("restart", id);

        await Eventually.TrueAsync(async () => (await Client(client).TextAsync("logs", id)).Split('\n').Count(line => line == "run") == 2, "it ran again");
        Assert.NotEqual(before, await Client(client).FieldAsync(id, "{{.State.StartedAt}}"));
        Assert.Equal("running", await Client(client).FieldAsync(id, "{{.State.Status}}"));
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Files_survive_stop_and_start(string client)
    {
        var id = await Client(client).DetachedAsync("busybox", "sh", "-c", "date +%s%N >> /kept; wc -l < /kept; sleep 60");
        await Eventually.TrueAsync(async () => await Client(client).TextAsync("logs", id) == "1", "the first run wrote its file");
        await Client(client).TextAsync("stop", "-t", "0", id);
        await Client(client).TextAsync("start", id);

        await Eventually.TrueAsync(async () => (await Client(client).TextAsync("logs", id)).Split('\n').LastOrDefault() == "2", "the second run saw the first one's file");
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Wait_returns_the_code_before_and_after_the_end(string client)
    {
        var id = await Client(client).DetachedAsync("busybox", "sh", "-c", "sleep 0.5; exit 33");

        Assert.Equal("33", await Client(client).TextAsync("wait", id));
        Assert.Equal("33", await Client(client).TextAsync("wait", id));
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task A_name_is_used_once_and_can_be_changed(string client)
    {
        var first = Harness.Client.NewName();
        var second = Harness.Client.NewName();
        await Client(client).TextAsync("create", "--name", first, "busybox", "true");

        (await Client(client).RunAsync("create", "--name", first, "busybox", "true")).Refused($"/{first}");
        (await Client(client).RunAsync("run", "--name", first, "busybox", "true")).Failed(125, "already in use");

        await Client(client).TextAsync("rename", first, second);
        Assert.Equal($"/{second}", await Client(client).FieldAsync(second, "{{.Name}}"));
        (await Client(client).RunAsync("inspect", first)).Refused(first);

        await Client(client).TextAsync("create", "--name", first, "busybox", "true");
        (await Client(client).RunAsync("rename", first, second)).Refused("already in use");
        (await Client(client).RunAsync("rename", first, "not/allowed")).Refused("not/allowed");
        await Client(client).RemoveAsync(first, second);
    }

    [Theory, BothClients]
    public async Task Containers_are_found_by_name_id_and_unique_prefix(string client)
    {
        var name = Harness.Client.NewName();
        var id = await Client(client).TextAsync("create", "--name", name, "busybox", "true");

        foreach (var reference in new[] { name, "/" + name, id, id[..12], id[..8] })
        {
            Assert.Equal(id, await Client(client).FieldAsync(reference, "{{.Id}}"));
        }

        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task A_running_container_is_removed_only_by_force(string client)
    {
        var id = await Client(client).DetachedAsync("busybox", "sleep", "60");

        (await Client(client).RunAsync("rm", id)).Refused("running");
        Assert.Equal("running", await Client(client).FieldAsync(id, "{{.State.Status}}"));

        Assert.Equal(id, await Client(client).TextAsync("rm", "-f", id));
        (await Client(client).RunAsync("inspect", id)).Refused(id);
    }

    [Theory, BothClients]
    public async Task Unknown_containers_are_named_in_the_error(string client)
    {
        foreach (var command in new[] { "start", "stop", "kill", "restart", "wait", "rm", "logs", "inspect" })
        {
            (await Client(client).RunAsync(command, "nobody-here")).Refused("nobody-here");
        }

        (await Client(client).RunAsync("rename", "nobody-here", "x")).Refused("nobody-here");
        (await Client(client).RunAsync("exec", "nobody-here", "true")).Refused("nobody-here");
        (await Client(client).RunAsync("attach", "nobody-here")).Refused("nobody-here");
    }

    [Theory, BothClients]
    public async Task Ps_lists_what_runs_and_with_a_flag_what_has_ended(string client)
    {
        var label = "ps=" + Harness.Client.NewName();
        var running = await Client(client).DetachedAsync("--label", label, "--name", Harness.Client.NewName("up"), "busybox", "sleep", "60");
        var ended = await Client(client).DetachedAsync("--label", label, "--name", Harness.Client.NewName("down"), "busybox", "sh", "-c", "exit 3");
        await Client(client).TextAsync("wait", ended);

        Assert.Equal([running], (await Client(client).RunAsync("ps", "-q", "--no-trunc", "--filter", "label=" + label)).Lines);
        Assert.Equal([ended, running], (await Client(client).RunAsync("ps", "-a", "-q", "--no-trunc", "--filter", "label=" + label)).Lines);
        Assert.Equal([ended], (await Client(client).RunAsync("ps", "-a", "-q", "--no-trunc", "--filter", "label=" + label, "--filter", "exited=3")).Lines);
        Assert.Equal([ended], (await Client(client).RunAsync("ps", "-q", "--no-trunc", "--filter", "label=" + label, "--filter", "status=exited")).Lines);
        Assert.Equal([running], (await Client(client).RunAsync("ps", "-a", "-q", "--no-trunc", "--filter", "id=" + running[..10])).Lines);
        Assert.Equal(2, (await Client(client).RunAsync("ps", "-a", "-q", "--filter", "label=" + label, "--filter", "ancestor=busybox")).Lines.Length);
        Assert.Empty((await Client(client).RunAsync("ps", "-a", "-q", "--filter", "label=" + label, "--filter", "name=nothing")).Lines);

        var table = await Client(client).TextAsync("ps", "-a", "--filter", "label=" + label);
        foreach (var expected in new[] { "CONTAINER ID", "IMAGE", "COMMAND", "STATUS", "NAMES", "Exited (3)", "Up ", "busybox", running[..12] })
        {
            Assert.Contains(expected, table, StringComparison.Ordinal);
        }

        Assert.Equal(
            ["busybox exited", "busybox running"],
            (await Client(client).RunAsync("ps", "-a", "--filter", "label=" + label, "--format", "{{.Image}} {{.State}}")).Lines);
        await Client(client).RemoveAsync(running, ended);
    }

    [Theory, BothClients]
    public async Task Inspect_shows_what_was_asked_and_what_is(string client)
    {
        var id = await Client(client).DetachedAsync("-e", "X=1", "-m", "64m", "--cpus", "0.5", "--cap-add", "NET_ADMIN", "-v", "/tmp:/from-host:ro", "--label", "k=v", "-w", "/var", "busybox", "sleep", "60");

        var json = await Client(client).InspectAsync(id);

        Assert.Equal(id, json.GetProperty("Id").GetString());
        var state = json.GetProperty("State");
        Assert.Equal("running", state.GetProperty("Status").GetString());
        Assert.True(Directory.Exists($"/proc/{state.GetProperty("Pid").GetInt32()}"));
        Assert.True(state.GetProperty("Running").GetBoolean());
        Assert.False(state.GetProperty("OOMKilled").GetBoolean());
        Assert.True(DateTimeOffset.Parse(state.GetProperty("StartedAt").GetString()!, CultureInfo.InvariantCulture) > DateTimeOffset.UtcNow.AddMinutes(-5));
        Assert.Equal("sleep", json.GetProperty("Path").GetString());
        Assert.Equal("60", json.GetProperty("Args")[0].GetString());
        Assert.StartsWith("sha256:", json.GetProperty("Image").GetString(), StringComparison.Ordinal);
        Assert.Equal("busybox", json.GetProperty("Config").GetProperty("Image").GetString());
        Assert.Contains(json.GetProperty("Config").GetProperty("Env").EnumerateArray(), variable => variable.GetString() == "X=1");
        Assert.Equal("/var", json.GetProperty("Config").GetProperty("WorkingDir").GetString());
        var host = json.GetProperty("HostConfig");
        Assert.Equal(64 << 20, host.GetProperty("Memory").GetInt64());
        Assert.Equal(500_000_000, host.GetProperty("NanoCpus").GetInt64());
        Assert.Contains("NET_ADMIN", host.GetProperty("CapAdd")[0].GetString()!, StringComparison.Ordinal);
        var mount = json.GetProperty("Mounts")[0];
        Assert.Equal("bind", mount.GetProperty("Type").GetString());
        Assert.Equal("/from-host", mount.GetProperty("Destination").GetString());
        Assert.False(mount.GetProperty("RW").GetBoolean());
        var network = json.GetProperty("NetworkSettings").GetProperty("Networks").GetProperty("bridge");
        Assert.Equal(Engine.Gateway, network.GetProperty("Gateway").GetString());
        Assert.NotEqual("", network.GetProperty("IPAddress").GetString());
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Pause_freezes_and_unpause_goes_on(string client)
    {
        var id = await Client(client).DetachedAsync("busybox", "sh", "-c", "while :; do echo tick; sleep 0.02; done");
        await Client(client).TextAsync("pause", id);
        Assert.Equal("paused", await Client(client).FieldAsync(id, "{{.State.Status}}"));

        var ticks = (await Client(client).RunAsync("logs", id)).Lines.Length;
        await Task.Delay(300, TestContext.Current.CancellationToken);
        Assert.Equal(ticks, (await Client(client).RunAsync("logs", id)).Lines.Length);

        await Client(client).TextAsync("unpause", id);
        await Eventually.TrueAsync(async () => (await Client(client).RunAsync("logs", id)).Lines.Length > ticks, "it goes on");
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Top_shows_the_processes(string client)
    {
        var id = await Client(client).DetachedAsync("busybox", "sleep", "61");

        Assert.Contains("sleep 61", await Client(client).TextAsync("top", id), StringComparison.Ordinal);
        await Client(client).RemoveAsync(id);
    }
}
