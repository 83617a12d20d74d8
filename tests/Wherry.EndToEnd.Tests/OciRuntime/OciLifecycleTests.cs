using System.Globalization;
using System.Text.Json.Nodes;

namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>create, start, run, state, list, delete.</summary>
public sealed class OciLifecycleTests(OciHost host) : IClassFixture<OciHost>
{
    [Fact]
    public async Task Create_waits_and_start_runs_the_program()
    {
        var bundle = host.Bundle("echo started; sleep 1000");
        var id = await host.CreateAsync(bundle);
        Assert.Equal("created", await host.StatusAsync(id));
        Assert.Equal("", OciHost.Output(bundle));

        (await host.RunAsync("start", id)).Succeeded();
        Assert.Equal("running", await host.StatusAsync(id));
        await Eventually.TrueAsync(() => OciHost.Output(bundle) == "started\n", "the program has run");
        (await host.RunAsync("start", id)).Failed(1, "cannot start an already running container");

        (await host.RunAsync("kill", id, "KILL")).Succeeded();
        await host.WaitForStatusAsync(id, "stopped");
        (await host.RunAsync("start", id)).Failed(1, "cannot start a container that has stopped");
        (await host.RunAsync("delete", id)).Succeeded();
        (await host.RunAsync("state", id)).Failed(1, "container does not exist");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_program_and_what_is_executed_later_have_the_bundles_filter(bool inUserNamespace)
    {
        var bundle = host.Bundle("grep Seccomp: /proc/self/status; touch /tmp/x; sleep 1000", config =>
        {
            config["process"]!["noNewPrivileges"] = true;
            config["linux"]!["seccomp"] = JsonNode.Parse("""
                { "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{ "names": ["open", "openat", "creat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 122, "args": [{ "index": 2, "value": 64, "valueTwo": 64, "op": "SCMP_CMP_MASKED_EQ" }] }] }
                """);
            if (inUserNamespace)
            {
                config["linux"]!["namespaces"]!.AsArray().Add(JsonNode.Parse("""{ "type": "user" }"""));
                config["linux"]!["uidMappings"] = JsonNode.Parse("""[{ "containerID": 0, "hostID": 100000, "size": 65536 }]""");
                config["linux"]!["gidMappings"] = JsonNode.Parse("""[{ "containerID": 0, "hostID": 100000, "size": 65536 }]""");
            }
        });
        var id = await host.CreateAsync(bundle);
        (await host.RunAsync("start", id)).Succeeded();
        var error = bundle + "/output.error";
        await Eventually.TrueAsync(() => File.ReadAllText(error).Contains("quota", StringComparison.Ordinal), "the program was refused a new file");
        Assert.Equal("Seccomp:\t2\n", OciHost.Output(bundle));
        (await host.RunAsync("exec", id, "touch", "/tmp/x")).Failed(1, "quota");
        (await host.RunAsync("delete", "--force", id)).Succeeded();
    }

    [Fact]
    public async Task State_has_the_fields_callers_read()
    {
        var bundle = host.Bundle("sleep 1000");
        var pidFile = Path.Combine(bundle, "pid");
        var id = await host.CreateAsync(bundle, "--pid-file", pidFile);
        var state = await host.StateAsync(id);
        Assert.Equal(
            ["annotations", "bundle", "created", "id", "ociVersion", "owner", "pid", "rootfs", "status"],
            state.AsObject().Select(pair => pair.Key).Order(StringComparer.Ordinal));
        Assert.Equal("1.0.2", (string)state["ociVersion"]!);
        Assert.Equal(id, (string)state["id"]!);
        Assert.Equal(bundle, (string)state["bundle"]!);
        Assert.Equal(host.RootFilesystem, (string)state["rootfs"]!);
        Assert.Equal("value", (string)state["annotations"]!["org.example.key"]!);
        Assert.EndsWith("Z", (string)state["created"]!, StringComparison.Ordinal);
        Assert.Equal(await File.ReadAllTextAsync(pidFile), ((int)state["pid"]!).ToString(CultureInfo.InvariantCulture));

        (await host.RunAsync("kill", id, "KILL")).Succeeded();
        await host.WaitForStatusAsync(id, "stopped");
        Assert.Equal(0, (int)(await host.StateAsync(id))["pid"]!);
        (await host.RunAsync("delete", id)).Succeeded();
    }

    [Fact]
    public async Task The_first_process_outlives_create_and_dies_with_delete_force()
    {
        var bundle = host.Bundle("sleep 1000");
        var id = await host.CreateAsync(bundle);
        var pid = (int)(await host.StateAsync(id))["pid"]!;
        (await host.RunAsync("start", id)).Succeeded();
        (await host.RunAsync("delete", id)).Failed(1, $"cannot delete container {id} that is not stopped: running");

        (await host.RunAsync("delete", "--force", id)).Succeeded();
        await Eventually.TrueAsync(() => IsGone(pid), "the first process has ended");
        (await host.RunAsync("delete", "--force", id)).Succeeded();
        (await host.RunAsync("delete", id)).Failed(1, "container does not exist");
        Assert.DoesNotContain(host.Cgroups(), path => path.EndsWith(Path.GetFileName(bundle), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_created_container_can_be_deleted_without_force()
    {
        var id = await host.CreateAsync(host.Bundle("true"));
        (await host.RunAsync("delete", id)).Succeeded();
        (await host.RunAsync("state", id)).Failed(1, "container does not exist");
    }

    [Fact]
    public async Task A_missing_program_fails_create_in_the_words_callers_look_for()
    {
        var bundle = host.Bundle(["no-such-program"]);
        var log = Path.Combine(bundle, "log.json");
        var id = OciHost.NewId();
        var result = await host.RunAsync("--log", log, "--log-format", "json", "create", "--bundle", bundle, id);
        result.Failed(1, "exec: \"no-such-program\": executable file not found in $PATH");
        var line = JsonNode.Parse((await File.ReadAllLinesAsync(log, TestContext.Current.CancellationToken))[^1])!;
        Assert.Equal("error", (string)line["level"]!);
        Assert.Contains("executable file not found in $PATH", (string)line["msg"]!, StringComparison.Ordinal);
        Assert.NotNull((string?)line["time"]);
        await NothingOfAsync(id, bundle);
    }

    [Fact]
    public async Task A_program_that_is_no_program_fails_start()
    {
        var file = Path.Combine(host.RootFilesystem, "bin/not-a-program");
        await File.WriteAllTextAsync(file, "\0\0\0\0", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var bundle = host.Bundle(["/bin/not-a-program"]);
        var id = await host.CreateAsync(bundle);
        (await host.RunAsync("start", id)).Failed(1, "exec format error");
        await host.WaitForStatusAsync(id, "stopped");
        (await host.RunAsync("delete", id)).Succeeded();
    }

    [Fact]
    public async Task A_bundle_that_can_not_be_mounted_leaves_nothing()
    {
        var bundle = host.Bundle("true", config => config["mounts"]!.AsArray().Add(JsonNode.Parse("""{ "destination": "/data", "type": "bind", "source": "/nonexistent-source", "options": ["bind"] }""")));
        var id = OciHost.NewId();
        (await host.RunAsync("create", "--bundle", bundle, id)).Refused("/nonexistent-source");
        await NothingOfAsync(id, bundle);
    }

    [Fact]
    public async Task An_id_is_taken_once_and_a_cgroup_with_processes_is_nobodys()
    {
        var bundle = host.Bundle("sleep 1000");
        var id = await host.CreateAsync(bundle);
        (await host.RunAsync("create", "--bundle", bundle, id)).Failed(1, "container with given ID already exists");
        var other = OciHost.NewId();
        (await host.RunAsync("create", "--bundle", bundle, other)).Failed(1, "container's cgroup is not empty");
        Assert.Equal("created", await host.StatusAsync(id));
        (await host.RunAsync("state", other)).Failed(1, "container does not exist");
    }

    [Theory]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData(".")]
    [InlineData("a b")]
    [InlineData("ä")]
    public async Task Ids_that_are_no_file_names_are_refused(string id)
    {
        (await host.RunAsync("create", "--bundle", host.Bundle("true"), id)).Failed(1, "invalid container ID format");
        (await host.RunAsync("delete", "--force", id)).Failed(1, "invalid container ID format");
    }

    [Fact]
    public async Task Run_ends_with_the_programs_exit_code_and_leaves_nothing()
    {
        var bundle = host.Bundle("echo out; echo err >&2; exit 7");
        var id = OciHost.NewId();
        var result = (await host.RunAsync("run", "--bundle", bundle, id)).Exited(7);
        Assert.Equal("out\n", result.Output);
        Assert.Equal("err\n", result.Error);
        await NothingOfAsync(id, bundle);

        (await host.RunAsync("run", "--keep", "--bundle", bundle, id)).Exited(7);
        Assert.Equal("stopped", await host.StatusAsync(id));
        (await host.RunAsync("delete", id)).Succeeded();
    }

    [Fact]
    public async Task Run_detached_ends_while_the_program_goes_on()
    {
        var bundle = host.Bundle("echo here; sleep 1000");
        var id = OciHost.NewId();
        var pidFile = Path.Combine(bundle, "pid");
        (await host.LeaveAsync(bundle, "run", "-d", "--bundle", bundle, "--pid-file", pidFile, id)).Succeeded();
        Assert.Equal("running", await host.StatusAsync(id));
        await Eventually.TrueAsync(() => OciHost.Output(bundle) == "here\n", "the program has run");
        Assert.True(Directory.Exists($"/proc/{await File.ReadAllTextAsync(pidFile, TestContext.Current.CancellationToken)}"));
        (await host.RunAsync("delete", "-f", id)).Succeeded();
    }

    [Fact]
    public async Task Run_passes_signals_on()
    {
        var bundle = host.Bundle("trap 'exit 9' TERM; echo ready; while true; do sleep 0.1; done");
        var id = OciHost.NewId();
        using var run = Command.Start(Binaries.OciRuntime, ["--root", host.Root, "run", "--bundle", bundle, id], null);
        Assert.Equal("ready", await run.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        (await Command.RunAsync("kill", "-TERM", run.Id.ToString(CultureInfo.InvariantCulture))).Succeeded();
        await run.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(9, run.ExitCode);
    }

    [Fact]
    public async Task List_shows_containers_as_a_table_as_json_and_by_id()
    {
        await using var own = new OciHost();
        await own.InitializeAsync();
        Assert.Equal("null", (await own.RunAsync("list", "--format", "json")).Succeeded().Text);
        var id = await own.CreateAsync(own.Bundle("sleep 1000"));

        var table = (await own.RunAsync("list")).Succeeded().Lines;
        Assert.Equal(["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"], table[0].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal([id, "created", "root"], table[1].Split(' ', StringSplitOptions.RemoveEmptyEntries) is var cells ? [cells[0], cells[2], cells[5]] : []);
        var json = JsonNode.Parse((await own.RunAsync("list", "-f", "json")).Succeeded().Output)!.AsArray();
        Assert.Equal(id, (string)Assert.Single(json)!["id"]!);
        Assert.Equal("root", (string)json[0]!["owner"]!);
        Assert.Equal(id, (await own.RunAsync("list", "-q")).Succeeded().Text);
        (await own.RunAsync("list", "--format", "yaml")).Failed(1, "invalid format option");
    }

    [Fact]
    public async Task Preserved_descriptors_reach_the_program_and_no_others_do()
    {
        var bundle = host.Bundle("cat <&3; cat <&4; ls /proc/self/fd");
        var first = Path.Combine(bundle, "first");
        await File.WriteAllTextAsync(first, "three\n", TestContext.Current.CancellationToken);
        var second = Path.Combine(bundle, "second");
        await File.WriteAllTextAsync(second, "four\n", TestContext.Current.CancellationToken);
        var result = await Command.RunAsync("/bin/sh", "-c", "exec 3<\"$1\" 4<\"$2\" 5<\"$2\"; shift 2; exec \"$@\"", "sh", first, second,
            Binaries.OciRuntime, "--root", host.Root, "run", "--preserve-fds", "2", "--bundle", bundle, OciHost.NewId());
        // ls itself opens the directory, with the lowest number that is free.
        Assert.Equal("three\nfour\n0\n1\n2\n3\n4\n5\n", result.Succeeded().Output);
        (await host.RunAsync("run", "--preserve-fds", "99", "--bundle", bundle, OciHost.NewId())).Refused("to preserve from 3 on, is not open");
    }

    [Fact]
    public async Task Activation_sockets_are_handed_on()
    {
        var bundle = host.Bundle("echo $LISTEN_FDS $LISTEN_PID; cat <&3");
        var file = Path.Combine(bundle, "file");
        await File.WriteAllTextAsync(file, "three\n", TestContext.Current.CancellationToken);
        var result = await Command.RunAsync("/bin/sh", "-c", "exec 3<\"$1\"; shift; LISTEN_FDS=1 exec \"$@\"", "sh", file,
            Binaries.OciRuntime, "--root", host.Root, "run", "--bundle", bundle, OciHost.NewId());
        Assert.Equal("1 1\nthree\n", result.Succeeded().Output);
    }

    [Fact]
    public async Task Hooks_run_at_their_points_and_a_failing_one_leaves_nothing()
    {
        var seen = Path.Combine(host.Directory, "hooks-seen");
        JsonNode Hook(string kind) => JsonNode.Parse($$"""{ "path": "/bin/sh", "args": ["sh", "-c", "read state; echo {{kind}} $state >>{{seen}}"] }""")!;
        var bundle = host.Bundle("sleep 1000", config => config["hooks"] = new JsonObject
        {
            ["prestart"] = new JsonArray(Hook("prestart")),
            ["createRuntime"] = new JsonArray(Hook("createRuntime")),
            ["poststart"] = new JsonArray(Hook("poststart")),
            ["poststop"] = new JsonArray(Hook("poststop")),
        });
        var id = await host.CreateAsync(bundle);
        var pid = (int)(await host.StateAsync(id))["pid"]!;
        (await host.RunAsync("start", id)).Succeeded();
        // What becomes of the bundle no longer matters.
        File.Delete(Path.Combine(bundle, "config.json"));
        (await host.RunAsync("delete", "--force", id)).Succeeded();
        var lines = (await File.ReadAllLinesAsync(seen, TestContext.Current.CancellationToken)).Select(line => (Kind: line.Split(' ')[0], State: JsonNode.Parse(line[(line.IndexOf(' ') + 1)..])!)).ToArray();
        Assert.Equal(["prestart", "createRuntime", "poststart", "poststop"], lines.Select(line => line.Kind));
        Assert.Equal(["creating", "creating", "running", "stopped"], lines.Select(line => (string)line.State["status"]!));
        Assert.All(lines.Take(3), line => Assert.Equal(pid, (int)line.State["pid"]!));
        Assert.All(lines, line => Assert.Equal(id, (string)line.State["id"]!));

        var failing = host.Bundle("true", config => config["hooks"] = JsonNode.Parse("""{ "createRuntime": [{ "path": "/bin/sh", "args": ["sh", "-c", "echo trouble >&2; exit 3"] }] }"""));
        var other = OciHost.NewId();
        (await host.RunAsync("create", "--bundle", failing, other)).Refused("trouble");
        await NothingOfAsync(other, failing);
    }

    [Fact]
    public async Task The_root_can_be_entered_without_pivot_root_and_keyrings_are_the_containers_own()
    {
        var bundle = host.Bundle("ls /; cat /proc/keys");
        var id = OciHost.NewId();
        var moved = (await host.RunAsync("run", "--no-pivot", "--bundle", bundle, id)).Succeeded().Output;
        Assert.StartsWith("bin\ndev\netc\nproc\nroot\nsys\ntmp\n", moved, StringComparison.Ordinal);
        Assert.Contains("_ses." + id, moved, StringComparison.Ordinal);
        Assert.DoesNotContain("_ses." + id + "-shared", (await host.RunAsync("run", "--no-new-keyring", "--bundle", bundle, id + "-shared")).Succeeded().Output, StringComparison.Ordinal);
    }

    private async Task NothingOfAsync(string id, string bundle)
    {
        (await host.RunAsync("state", id)).Failed(1, "container does not exist");
        Assert.False(Directory.Exists(Path.Combine(host.Root, id)));
        Assert.DoesNotContain(host.Cgroups(), path => path.EndsWith("/" + Path.GetFileName(bundle), StringComparison.Ordinal));
    }

    private static bool IsGone(int pid) =>
        !File.Exists($"/proc/{pid}/stat") || File.ReadAllText($"/proc/{pid}/stat").Contains(") Z ", StringComparison.Ordinal);
}
