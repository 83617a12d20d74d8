using System.Globalization;
using System.Text.Json.Nodes;

namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>kill, exec, ps, pause and resume.</summary>
public sealed class OciProcessTests(OciHost host) : IClassFixture<OciHost>
{
    [Fact]
    public async Task Signals_arrive_by_name_and_by_number()
    {
        var bundle = host.Bundle("trap 'echo usr1' USR1; trap 'echo term; exit 0' TERM; echo ready; while true; do sleep 0.05; done");
        var id = await host.CreateAsync(bundle);
        (await host.RunAsync("start", id)).Succeeded();
        await Eventually.TrueAsync(() => OciHost.Output(bundle) == "ready\n", "the traps are set");
        (await host.RunAsync("kill", id, "SIGUSR1")).Succeeded();
        await Eventually.TrueAsync(() => OciHost.Output(bundle) == "ready\nusr1\n", "the first signal has arrived");
        (await host.RunAsync("kill", id, "10")).Succeeded();
        await Eventually.TrueAsync(() => OciHost.Output(bundle) == "ready\nusr1\nusr1\n", "the second signal has arrived");
        (await host.RunAsync("kill", id, "SIGNONSENSE")).Failed(1, "unknown signal");
        (await host.RunAsync("kill", id)).Succeeded();
        await host.WaitForStatusAsync(id, "stopped");
        Assert.EndsWith("term\n", OciHost.Output(bundle), StringComparison.Ordinal);
        (await host.RunAsync("kill", id)).Failed(1, "container not running");
        (await host.RunAsync("kill", "nobody")).Failed(1, "container does not exist");
    }

    [Fact]
    public async Task Kill_all_reaches_every_process()
    {
        // Without a pid namespace of its own nothing ends with the first process.
        var bundle = host.Bundle("sleep 1000 & sleep 1000 & wait", config => config["linux"]!["namespaces"]!.AsArray().RemoveAt(0));
        var id = await host.CreateAsync(bundle);
        (await host.RunAsync("start", id)).Succeeded();
        await Eventually.TrueAsync(async () => (await PidsAsync(id)).Length == 3, "three processes run");
        (await host.RunAsync("kill", "--all", id, "KILL")).Succeeded();
        await Eventually.TrueAsync(async () => (await PidsAsync(id)).Length == 0, "no process runs");
        await host.WaitForStatusAsync(id, "stopped");
        (await host.RunAsync("delete", id)).Succeeded();
    }

    /// <summary>As crun does, for podman's --group-add keep-groups.</summary>
    [Theory]
    [InlineData("1", "4321")]
    [InlineData("0", "777")]
    public async Task The_caller_s_groups_are_kept_where_an_annotation_says_so(string value, string groups)
    {
        var bundle = host.Bundle("echo $(grep ^Groups: /proc/self/status)", config =>
        {
            config["process"]!["user"]!["additionalGids"] = new JsonArray(777);
            config["annotations"] = new JsonObject { ["run.oci.keep_original_groups"] = value };
        });
        var result = await Command.RunAsync("setpriv", "--groups", "4321", Binaries.OciRuntime, "--root", host.Root, "run", "--bundle", bundle, OciHost.NewId());
        Assert.Equal($"Groups: {groups}", result.Succeeded().Text);
    }

    [Fact]
    public async Task Ps_lists_by_id_and_as_ps_does()
    {
        var id = await host.StartAsync("sleep 1234 & sleep 1234");
        await Eventually.TrueAsync(async () => (await PidsAsync(id)).Length == 2, "two processes run");
        var table = (await host.RunAsync("ps", id)).Succeeded().Lines;
        Assert.Contains("PID", table[0], StringComparison.Ordinal);
        Assert.Equal(2, table.Count(line => line.Contains("sleep 1234", StringComparison.Ordinal)));
        Assert.Equal(3, table.Length);
        Assert.Equal(["PID", "COMMAND"], (await host.RunAsync("ps", id, "-o", "pid,comm")).Succeeded().Lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        (await host.RunAsync("ps", "--format", "xml", id)).Failed(1, "invalid format option");
    }

    [Fact]
    public async Task Exec_runs_a_program_inside_and_ends_with_its_exit_code()
    {
        var id = await host.StartAsync("sleep 1000");
        var result = (await host.RunAsync("exec", id, "sh", "-c", "echo $FROM; readlink /proc/self/ns/pid; exit 42")).Exited(42);
        Assert.Equal("bundle", result.Lines[0]);
        Assert.Equal(result.Lines[1], (await Command.RunAsync("readlink", $"/proc/{(int)(await host.StateAsync(id))["pid"]!}/ns/pid")).Text);
        Assert.Equal("1000:1001 /tmp x=y", (await host.RunAsync("exec", "-u", "1000:1001", "--cwd", "/tmp", "-e", "X=x=y", id, "sh", "-c", "echo $(id -u):$(id -g) $(pwd) $X")).Succeeded().Text);
        Assert.Contains("44", (await host.RunAsync("exec", "-g", "44", id, "id", "-G")).Succeeded().Text.Split(' '));
        (await host.RunAsync("exec", id, "no-such-program")).Failed(255, "executable file not found in $PATH");
        (await host.RunAsync("exec", id)).Failed(255, "process args cannot be empty");
        (await host.RunAsync("exec", "nobody", "true")).Failed(255, "container does not exist");
    }

    [Fact]
    public async Task Exec_takes_options_of_the_program_as_the_programs()
    {
        var id = await host.StartAsync("sleep 1000");
        Assert.Equal("--tty", (await host.RunAsync("exec", id, "echo", "--tty")).Succeeded().Text);
    }

    [Fact]
    public async Task Exec_reads_its_program_from_a_file_and_gives_it_capabilities()
    {
        var id = await host.StartAsync("sleep 1000");
        var file = Path.Combine(host.Directory, "process.json");
        await File.WriteAllTextAsync(file, """
            { "args": ["sh", "-c", "grep CapEff /proc/self/status; pwd; echo $A"], "env": ["PATH=/bin", "A=b"], "cwd": "/tmp", "user": { "uid": 0, "gid": 0 } }
            """, TestContext.Current.CancellationToken);
        var lines = (await host.RunAsync("exec", "--process", file, id)).Succeeded().Lines;
        Assert.Equal(["CapEff:\t0000000000000020", "/tmp", "b"], lines);
        Assert.Equal("CapEff:\t0000000000000021", (await host.RunAsync("exec", "--cap", "CAP_CHOWN", id, "grep", "CapEff", "/proc/self/status")).Succeeded().Text);
    }

    [Fact]
    public async Task Exec_detached_leaves_its_program_running()
    {
        var bundle = host.Bundle("sleep 1000");
        var id = await host.CreateAsync(bundle);
        (await host.RunAsync("start", id)).Succeeded();
        var pidFile = Path.Combine(bundle, "exec-pid");
        (await host.LeaveAsync(bundle, "exec", "-d", "--pid-file", pidFile, id, "sleep", "1000")).Succeeded();
        var pid = int.Parse(await File.ReadAllTextAsync(pidFile, TestContext.Current.CancellationToken), CultureInfo.InvariantCulture);
        Assert.Contains(pid, await PidsAsync(id));
    }

    [Fact]
    public async Task Pause_stops_everything_until_resume()
    {
        var id = await host.StartAsync("sleep 1000");
        (await host.RunAsync("resume", id)).Failed(1, "container not paused");
        (await host.RunAsync("pause", id)).Succeeded();
        Assert.Equal("paused", await host.StatusAsync(id));
        (await host.RunAsync("pause", id)).Failed(1, "container not running");
        (await host.RunAsync("exec", id, "true")).Failed(255, "cannot exec in a paused container");
        (await host.RunAsync("delete", id)).Failed(1, "that is not stopped: paused");
        (await host.RunAsync("resume", id)).Succeeded();
        Assert.Equal("running", await host.StatusAsync(id));
        (await host.RunAsync("exec", id, "true")).Succeeded();

        (await host.RunAsync("pause", id)).Succeeded();
        (await host.RunAsync("kill", id, "KILL")).Succeeded();
        await host.WaitForStatusAsync(id, "stopped");
    }

    [Fact]
    public async Task A_paused_container_can_be_deleted_by_force()
    {
        var id = await host.StartAsync("sleep 1000");
        (await host.RunAsync("pause", id)).Succeeded();
        (await host.RunAsync("delete", "--force", id)).Succeeded();
        (await host.RunAsync("state", id)).Failed(1, "container does not exist");
    }

    [Fact]
    public async Task A_descriptor_of_the_process_is_sent_to_the_pidfd_socket()
    {
        var bundle = host.Bundle("sleep 1000");
        var id = "";
        var message = await ReceiveDescriptorAsync(Path.Combine(bundle, "created"), async socket => id = await host.CreateAsync(bundle, "--pidfd-socket", socket));
        Assert.Equal($"pidfd {(int)(await host.StateAsync(id))["pid"]!}", message);

        (await host.RunAsync("start", id)).Succeeded();
        var pidFile = Path.Combine(bundle, "exec.pid");
        message = await ReceiveDescriptorAsync(
            Path.Combine(bundle, "executed"),
            async socket => (await host.LeaveAsync(bundle, "exec", "--detach", "--pidfd-socket", socket, "--pid-file", pidFile, id, "sleep", "1000")).Succeeded());
        Assert.Equal($"pidfd {await File.ReadAllTextAsync(pidFile, TestContext.Current.CancellationToken)}", message);
    }

    // What came with the descriptor, and which process that stands for.
    private static async Task<string> ReceiveDescriptorAsync(string socket, Func<string, Task> send)
    {
        const string receiver = """
            import socket, sys
            listener = socket.socket(socket.AF_UNIX); listener.bind(sys.argv[1]); listener.listen()
            print("listening", flush=True)
            message, descriptors, _, _ = socket.recv_fds(listener.accept()[0], 100, 1)
            print(message.decode(), *[line.split()[1] for line in open(f"/proc/self/fdinfo/{descriptors[0]}") if line.startswith("Pid:")])
            """;
        using var process = Command.Start(Binaries.Need("python3"), ["-c", receiver, socket], null);
        Assert.Equal("listening", await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        await send(socket);
        var answer = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return answer.Trim();
    }

    private async Task<int[]> PidsAsync(string id) =>
        JsonNode.Parse((await host.RunAsync("ps", "--format", "json", id)).Succeeded().Output)?.AsArray().Select(pid => (int)pid!).ToArray() ?? [];
}
