namespace Wherry.EndToEnd.Tests;

/// <summary>The flags of <c>run</c>, one by one.</summary>
public sealed class RunTests(EngineFixture fixture) : EngineTests(fixture)
{
    [Theory, BothClients]
    public async Task The_programs_output_comes_back_and_nothing_else(string client)
    {
        var result = (await Client(client).RunAsync("run", "--rm", "busybox", "echo", "hello")).Succeeded();

        Assert.Equal("hello\n", result.Output);
        Assert.Equal("", result.Error);
    }

    [Theory, BothClients]
    public async Task Standard_output_and_standard_error_stay_apart(string client)
    {
        var result = (await Client(client).RunAsync("run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2")).Succeeded();

        Assert.Equal("out\n", result.Output);
        Assert.Equal("err\n", result.Error);
    }

    [Theory, BothClients]
    public async Task Every_byte_of_a_large_output_arrives(string client)
    {
        var result = (await Client(client).RunAsync("run", "--rm", "busybox", "sh", "-c", "seq 1 200000")).Succeeded();

        Assert.Equal(200000, result.Lines.Length);
        Assert.Equal("200000", result.Lines[^1]);
    }

    [Theory, BothClients]
    public async Task Detached_prints_the_id_and_returns_at_once(string client)
    {
        var result = (await Client(client).RunAsync("run", "-d", "busybox", "sleep", "60")).Succeeded();

        Assert.Matches("^[0-9a-f]{64}$", result.Text);
        Assert.Equal("true", await Client(client).FieldAsync(result.Text, "{{.State.Running}}"));
        await Client(client).RemoveAsync(result.Text);
    }

    [Theory, BothClients]
    public async Task Interactive_passes_standard_input_on(string client)
    {
        var result = (await Client(client).RunAsync(["run", "-i", "--rm", "busybox", "cat"], "one\ntwo\n")).Succeeded();

        Assert.Equal("one\ntwo\n", result.Output);
    }

    [Theory, BothClients]
    public async Task A_megabyte_of_standard_input_arrives_and_its_end_is_seen(string client)
    {
        var input = string.Concat(Enumerable.Repeat("0123456789abcde\n", 65536));
        var result = (await Client(client).RunAsync(["run", "-i", "--rm", "busybox", "wc", "-c"], input)).Succeeded();

        Assert.Equal("1048576", result.Text.Trim());
    }

    [Theory, BothClients]
    public async Task Without_interactive_standard_input_is_empty(string client)
    {
        var result = (await Client(client).RunAsync(["run", "--rm", "busybox", "wc", "-c"], "ignored")).Succeeded();

        Assert.Equal("0", result.Text.Trim());
    }

    [Theory, BothClients]
    public async Task With_a_terminal_the_program_sees_one_of_the_clients_size(string client)
    {
        using var terminal = Client(client).StartInTerminal("run", "-it", "--rm", "busybox", "sh", "-c", "sleep 0.3; tty; stty size");

        await terminal.SeesAsync("/dev/pts/0");
        await terminal.SeesAsync("40 120");
        Assert.Equal(0, await terminal.ExitAsync());
    }

    [Theory, BothClients]
    public async Task A_shell_on_a_terminal_answers_and_its_exit_code_is_ours(string client)
    {
        using var terminal = Client(client).StartInTerminal("run", "-it", "--rm", "busybox", "sh");

        await terminal.SeesAsync("# ");
        terminal.Type("echo $((6*7))-answer\n");
        await terminal.SeesAsync("42-answer");
        terminal.Type("exit 9\n");
        Assert.Equal(9, await terminal.ExitAsync());
    }

    [Theory, BothClients]
    public async Task A_resized_terminal_is_resized_inside(string client)
    {
        using var terminal = Client(client).StartInTerminal("run", "-it", "--rm", "busybox", "sh");
        await terminal.SeesAsync("# ");

        await Eventually.HoldsAsync(async () =>
        {
            // Again and again, as a client may not have begun to listen for it; the kernel tells of changes only.
            terminal.Resize(33, 98);
            terminal.Resize(33, 99);
            var from = terminal.Screen.Length;
            terminal.Type("stty size\n");
            await terminal.SeesAsync("33 99", from, seconds: 1);
        });

        terminal.Type("exit\n");
        await terminal.ExitAsync();
    }

    [Theory, BothClients]
    public async Task Control_c_on_a_terminal_interrupts_the_program(string client)
    {
        using var terminal = Client(client).StartInTerminal("run", "-it", "--rm", "busybox", "sh", "-c", "trap 'echo interrupted; exit 5' INT; echo ready; while :; do sleep 0.1; done");
        await terminal.SeesAsync("ready");

        terminal.Type("\u0003");
        await terminal.SeesAsync("interrupted");
        Assert.Equal(5, await terminal.ExitAsync());
    }

    [Theory, BothClients]
    public async Task A_signal_to_the_client_reaches_the_program(string client)
    {
        using var process = Client(client).Start("run", "--rm", "busybox", "sh", "-c", "trap 'echo told; exit 3' TERM; echo ready; while :; do sleep 0.1; done");
        Assert.Equal("ready", await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));

        await Command.RunAsync("/bin/kill", "-TERM", $"{process.Id}");

        Assert.Equal("told", await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(3, process.ExitCode);
    }

    [Theory, BothClients]
    public async Task Rm_removes_the_container_and_its_anonymous_volumes(string client)
    {
        var name = Harness.Client.NewName();
        (await Client(client).RunAsync("run", "--rm", "--name", name, "-v", "/data", "busybox", "sh", "-c", "touch /data/x; exit 4")).Exited(4);

        await Eventually.TrueAsync(async () => (await Client(client).RunAsync("inspect", name)).ExitCode != 0, "the container is gone");
        Assert.DoesNotContain((await Docker.RunAsync("volume", "ls", "-q")).Succeeded().Lines, volume => volume.Length == 64);
    }

    [Theory, BothClients]
    public async Task A_detached_container_with_rm_goes_when_it_ends(string client)
    {
        var name = Harness.Client.NewName();
        await Client(client).DetachedAsync("--rm", "--name", name, "busybox", "sleep", "0.3");

        await Eventually.TrueAsync(async () => (await Client(client).RunAsync("inspect", name)).ExitCode != 0, "the container is gone");
    }

    [Theory, BothClients]
    public async Task Environment_comes_from_flags_and_the_clients_own(string client)
    {
        var result = await Client(client).TextAsync("run", "--rm", "-e", "A=1", "--env", "B=two words", "-e", "HOME=/elsewhere", "-e", "WHERRY_HOST", "busybox", "env");

        Assert.Contains("A=1", result.Split('\n'));
        Assert.Contains("B=two words", result.Split('\n'));
        Assert.Contains("HOME=/elsewhere", result.Split('\n'));
        Assert.Contains($"WHERRY_HOST={Engine.Host}", result.Split('\n'));
    }

    [Theory, BothClients]
    public async Task Path_home_and_hostname_are_set_without_asking(string client)
    {
        var lines = (await Client(client).TextAsync("run", "--rm", "--hostname", "quay", "busybox", "env")).Split('\n');

        Assert.Contains("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", lines);
        Assert.Contains("HOME=/root", lines);
        Assert.Contains("HOSTNAME=quay", lines);
    }

    [Theory, BothClients]
    public async Task Environment_comes_from_files(string client)
    {
        var file = Path.Combine(HostDirectory(), "variables");
        await File.WriteAllTextAsync(file, "# a comment\n\nFROM_FILE=yes\nSPACED=a b c\n", TestContext.Current.CancellationToken);

        var lines = (await Client(client).TextAsync("run", "--rm", "--env-file", file, "-e", "OTHER=1", "busybox", "env")).Split('\n');

        Assert.Contains("FROM_FILE=yes", lines);
        Assert.Contains("SPACED=a b c", lines);
        Assert.Contains("OTHER=1", lines);
        Assert.DoesNotContain(lines, line => line.Contains("comment", StringComparison.Ordinal));
    }

    [Theory, BothClients]
    public async Task The_working_directory_is_made_when_it_is_missing(string client) =>
        Assert.Equal("/some/where", await Client(client).TextAsync("run", "--rm", "-w", "/some/where", "busybox", "pwd"));

    [Theory, BothClients]
    public async Task The_user_is_taken_by_number_and_by_name(string client)
    {
        Assert.Equal("1234", await Client(client).TextAsync("run", "--rm", "-u", "1234", "busybox", "id", "-u"));
        Assert.Equal("1234:5678", await Client(client).TextAsync("run", "--rm", "-u", "1234:5678", "busybox", "sh", "-c", "echo $(id -u):$(id -g)"));
        Assert.Equal("0", await Client(client).TextAsync("run", "--rm", "-u", "root", "busybox", "id", "-u"));
    }

    [Theory, BothClients]
    public async Task An_unknown_user_is_refused(string client) =>
        (await Client(client).RunAsync("run", "--rm", "-u", "nobodyknows", "busybox", "true")).Refused("nobodyknows");

    [Theory, BothClients]
    public async Task The_host_name_is_the_one_asked_for_or_the_short_id(string client)
    {
        Assert.Equal("mole", await Client(client).TextAsync("run", "--rm", "--hostname", "mole", "busybox", "hostname"));

        var id = await Client(client).DetachedAsync("busybox", "hostname");
        await Client(client).TextAsync("wait", id);
        Assert.Equal(id[..12], await Client(client).TextAsync("logs", id));
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task The_entry_point_can_be_replaced(string client) =>
        Assert.Equal("a b", await Client(client).TextAsync("run", "--rm", "--entrypoint", "echo", "busybox", "a", "b"));

    [Theory, BothClients]
    public async Task Labels_are_kept(string client)
    {
        var id = await Client(client).TextAsync("create", "--label", "shore=left", "-l", "empty", "busybox", "true");

        Assert.Equal("left", await Client(client).FieldAsync(id, "{{index .Config.Labels \"shore\"}}"));
        Assert.Equal([id], (await Client(client).RunAsync("ps", "-a", "-q", "--no-trunc", "--filter", "label=shore=left")).Lines);
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task With_init_the_program_is_not_process_one_and_orphans_are_reaped(string client)
    {
        Assert.NotEqual("1", await Client(client).TextAsync("run", "--rm", "--init", "busybox", "sh", "-c", "echo $$"));

        var zombies = await Client(client).TextAsync("run", "--rm", "--init", "busybox", "sh", "-c", "(sleep 0.1 & ) ; (sleep 0.1 &); sleep 0.6; ps -o stat | grep -c Z || true");
        Assert.Equal("0", zombies);
    }

    [Theory, BothClients]
    public async Task With_init_signals_are_forwarded(string client)
    {
        var id = await Client(client).DetachedAsync("--init", "busybox", "sleep", "60");

        var stop = (await Client(client).RunAsync("stop", id)).Succeeded();

        Assert.True(stop.Elapsed < TimeSpan.FromSeconds(5), "sleep under init ends at SIGTERM");
        Assert.Equal("143", await Client(client).FieldAsync(id, "{{.State.ExitCode}}"));
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Restart_no_is_accepted(string client) =>
        (await Client(client).RunAsync("run", "--rm", "--restart", "no", "busybox", "true")).Succeeded();

    [Theory, BothClients]
    public async Task Forty_runs_at_once_each_get_their_own_output(string client)
    {
        var runs = await Task.WhenAll(Enumerable.Range(0, 40).Select(async number =>
            (number, text: await Client(client).TextAsync("run", "--rm", "--network", "none", "busybox", "echo", $"run {number}"))));

        Assert.All(runs, run => Assert.Equal($"run {run.number}", run.text));
    }
}
