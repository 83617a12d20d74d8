using System.Globalization;
using System.Text.Json.Nodes;

namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>checkpoint and restore, with CRIU. Debian's does not know every kernel; eng/vm/test.sh boots one that it does.</summary>
public sealed class OciCheckpointTests(OciHost host) : IClassFixture<OciHost>
{
    // Each line has what lives in memory alone, the process's id inside, and a number that goes on; the same is in a tmpfs.
    private const string Counter = """
        secret=$(cat /proc/sys/kernel/random/uuid); n=0; exec 3>>/data/lines
        while true; do n=$((n+1)); echo $n $$ $secret >&3; echo $n >/tmp/now; sleep 0.05; done
        """;

    // Says so when it is told to end, and with what.
    private const string Patient = """n=0; while ! test -e /data/go; do n=$((n+1)); echo $n >/data/now; sleep 0.05; done; echo end; echo error >&2; exit 7""";

    [Fact]
    public async Task Processes_go_on_where_they_were()
    {
        Criu.Need();
        var bundle = Bundle(Counter, config =>
        {
            config["linux"]!["maskedPaths"] = new JsonArray("/proc/kcore", "/proc/acpi");
            config["linux"]!["readonlyPaths"] = new JsonArray("/proc/sys");
            config["linux"]!["namespaces"]!.AsArray().Add(new JsonObject { ["type"] = "cgroup" });
            var mounts = config["mounts"]!.AsArray();
            mounts.Add(new JsonObject { ["destination"] = "/sys", ["type"] = "sysfs", ["source"] = "sysfs", ["options"] = new JsonArray("ro") });
            mounts.Add(new JsonObject { ["destination"] = "/sys/fs/cgroup", ["type"] = "cgroup", ["source"] = "cgroup", ["options"] = new JsonArray("ro") });
            mounts.Add(new JsonObject { ["destination"] = "/dev/mqueue", ["type"] = "mqueue", ["source"] = "mqueue" });
            config["linux"]!["resources"] = JsonNode.Parse("""{ "memory": { "limit": 67108864 }, "pids": { "limit": 20 } }""");
        });
        var id = await RunAsync(bundle);
        await CheckpointCommands.CountsAsync(bundle, 3);
        await ExecAsync(id, "echo kept >/tmp/file");
        (await CheckpointAsync(bundle, id)).Succeeded();
        (await host.RunAsync("state", id)).Failed(1, "container does not exist");
        Assert.DoesNotContain(host.Cgroups(), cgroup => cgroup.EndsWith("/" + Path.GetFileName(bundle), StringComparison.Ordinal));
        var before = CheckpointCommands.Lines(bundle).Length;

        var other = OciHost.NewId();
        var pidFile = Path.Combine(bundle, "pid");
        (await RestoreAsync(bundle, other, "--detach", "--pid-file", pidFile)).Succeeded();
        await CheckpointCommands.CountsAsync(bundle, before + 3);
        var lines = CheckpointCommands.Lines(bundle);
        Assert.Equal(Enumerable.Range(1, lines.Length), lines.Select(line => int.Parse(line[0], CultureInfo.InvariantCulture)));
        Assert.All(lines, line => Assert.Equal(("1", lines[0][2]), (line[1], line[2])));

        var state = await host.StateAsync(other);
        Assert.Equal("running", (string)state["status"]!);
        Assert.Equal(await File.ReadAllTextAsync(pidFile, TestContext.Current.CancellationToken), (string)state["pid"]!.ToString());
        Assert.Equal("kept", await ExecAsync(other, "cat /tmp/file"));
        Assert.Equal("0", await ExecAsync(other, "wc -c </proc/kcore"));
        Assert.Equal("", await ExecAsync(other, "ls /proc/acpi"));
        Assert.Equal("refused", await ExecAsync(other, "echo 1 2>/dev/null >/proc/sys/kernel/domainname || echo refused"));
        Assert.Equal("refused", await ExecAsync(other, "touch /made 2>/dev/null || echo refused"));
        Assert.Contains("0::/", await ExecAsync(other, "cat /proc/self/cgroup"), StringComparison.Ordinal);
        Assert.Equal("67108864", Limit(bundle, "memory", "memory.limit_in_bytes", "memory.max"));
        Assert.Equal("20", Limit(bundle, "pids", "pids.max", "pids.max"));

        (await host.RunAsync("pause", other)).Succeeded();
        Assert.Equal("paused", await host.StatusAsync(other));
        (await host.RunAsync("resume", other)).Succeeded();
        (await host.RunAsync("kill", other, "KILL")).Succeeded();
        await host.WaitForStatusAsync(other, "stopped");
        (await host.RunAsync("delete", other)).Succeeded();
    }

    [Fact]
    public async Task A_container_left_running_runs_on_and_its_images_are_good_all_the_same()
    {
        Criu.Need();
        var bundle = Bundle("n=0; while true; do n=$((n+1)); echo $n >/tmp/now; sleep 0.05; done");
        var id = await RunAsync(bundle);
        await Eventually.TrueAsync(async () => await NowAsync(id) > 3, "it counts", seconds: 60);
        (await CheckpointAsync(bundle, id, "--leave-running")).Succeeded();
        var then = await NowAsync(id);
        await Eventually.TrueAsync(async () => await NowAsync(id) > then, "it counts on", seconds: 60);
        (await RestoreAsync(bundle, id, "--detach")).Failed(1, "already exists");
        (await RestoreAsync(bundle, OciHost.NewId(), "--detach")).Failed(1, "cgroup is not empty");
        Assert.Equal("running", await host.StatusAsync(id));
        (await host.RunAsync("delete", "--force", id)).Succeeded();

        (await RestoreAsync(bundle, id, "--detach")).Succeeded();
        Assert.InRange(await NowAsync(id), 4, int.MaxValue);
    }

    [Fact]
    public async Task Restore_in_the_foreground_has_the_callers_streams_and_the_programs_exit_code()
    {
        Criu.Need();
        var bundle = Bundle(Patient);
        var first = host.RunAsync("run", "--bundle", bundle, "patient");
        await Eventually.TrueAsync(() => File.Exists(Path.Combine(bundle, "data/now")), "it runs", seconds: 60);
        (await CheckpointAsync(bundle, "patient")).Succeeded();
        (await first).Exited(137);

        var second = RestoreAsync(bundle, "patient");
        await host.WaitForStatusAsync("patient", "running", seconds: 60);
        await File.WriteAllTextAsync(Path.Combine(bundle, "data/go"), "", TestContext.Current.CancellationToken);
        var end = (await second).Exited(7);
        Assert.Equal("end", end.Text);
        Assert.Equal("error\n", end.Error);
        (await host.RunAsync("state", "patient")).Failed(1, "container does not exist");
    }

    [Fact]
    public async Task Memory_dumped_before_is_not_dumped_again()
    {
        Criu.Need();
        // It waits without another process: one made for that is for a moment a copy of this one, and would be dumped whole.
        var bundle = Bundle("""
            big=$(head -c 500000 /dev/zero | busybox tr '\0' x); n=0; exec 3>>/data/lines
            busybox mkfifo /tmp/silent; exec 4<>/tmp/silent
            while true; do n=$((n+1)); echo $n >&3; read -t 0.05 -u 4 nothing; done
            """);
        var id = await RunAsync(bundle);
        await CheckpointCommands.CountsAsync(bundle, 3);
        (await host.RunAsync("checkpoint", "--pre-dump", "--image-path", Path.Combine(bundle, "first"), id)).Succeeded();
        var then = CheckpointCommands.Lines(bundle).Length;
        await CheckpointCommands.CountsAsync(bundle, then + 3);
        (await CheckpointAsync(bundle, id, "--parent-path", "/absolute")).Failed(1, "must be relative");
        (await CheckpointAsync(bundle, id, "--parent-path", "../nothing")).Failed(1, "there is no directory");
        (await CheckpointAsync(bundle, id, "--parent-path", "../first")).Succeeded();
        Assert.True(PagesIn(Path.Combine(bundle, "checkpoint")) < PagesIn(Path.Combine(bundle, "first")), "the second dump is smaller");
        var before = CheckpointCommands.Lines(bundle).Length;
        (await RestoreAsync(bundle, id, "--detach")).Succeeded();
        await CheckpointCommands.CountsAsync(bundle, before + 3);
    }

    [Fact]
    public async Task A_paused_container_can_be_checkpointed_and_runs_when_restored()
    {
        Criu.Need();
        var bundle = Bundle(Counter);
        var id = await RunAsync(bundle);
        await CheckpointCommands.CountsAsync(bundle, 3);
        (await host.RunAsync("pause", id)).Succeeded();
        (await CheckpointAsync(bundle, id)).Succeeded();
        var before = CheckpointCommands.Lines(bundle).Length;
        (await RestoreAsync(bundle, id, "--detach")).Succeeded();
        await CheckpointCommands.CountsAsync(bundle, before + 3);
    }

    [Fact]
    public async Task A_joined_network_namespace_is_joined_again_and_memory_can_go_to_a_page_server()
    {
        Criu.Need();
        var name = $"whckpt-{Environment.ProcessId}";
        (await Command.RunAsync("ip", "netns", "add", name)).Succeeded();
        try
        {
            var bundle = Bundle(Counter, config => config["linux"]!["namespaces"]![4]!["path"] = $"/run/netns/{name}");
            var id = await RunAsync(bundle);
            await CheckpointCommands.CountsAsync(bundle, 3);
            var network = await NetworkAsync(id);
            const string port = "20319";
            using var server = Command.Start(Binaries.Need("criu"), ["page-server", "--images-dir", Directory.CreateDirectory(Path.Combine(bundle, "checkpoint")).FullName, "--port", port, "--address", "127.0.0.1"], null);
            await Eventually.TrueAsync(async () => (await Command.RunAsync("ss", "-Hltn", "sport", "=", port)).Text.Length > 0, "the server listens", seconds: 60);
            (await CheckpointAsync(bundle, id, "--page-server", $"127.0.0.1:{port}")).Succeeded();
            await server.WaitForExitAsync(TestContext.Current.CancellationToken);
            var before = CheckpointCommands.Lines(bundle).Length;
            (await RestoreAsync(bundle, id, "--detach")).Succeeded();
            await CheckpointCommands.CountsAsync(bundle, before + 3);
            Assert.Equal(network, await NetworkAsync(id));
            (await host.RunAsync("delete", "--force", id)).Succeeded();
        }
        finally
        {
            (await Command.RunAsync("ip", "netns", "delete", name)).Succeeded();
        }

        async Task<string> NetworkAsync(string id) => File.ResolveLinkTarget($"/proc/{(await host.StateAsync(id))["pid"]}/ns/net", returnFinalTarget: false)!.Name;
    }

    [Fact]
    public async Task Hooks_run_around_checkpoint_and_restore()
    {
        Criu.Need();
        var bundle = Bundle(Counter, config => config["hooks"] = new JsonObject
        {
            ["createRuntime"] = Hook("createRuntime"),
            ["poststop"] = Hook("poststop"),
        });
        JsonArray Hook(string name) => [new JsonObject { ["path"] = "/bin/sh", ["args"] = new JsonArray("sh", "-c", $"(echo {name}; cat; echo) >>hooks") }];
        var id = await RunAsync(bundle);
        await CheckpointCommands.CountsAsync(bundle, 3);
        File.Delete(Path.Combine(bundle, "hooks"));
        (await CheckpointAsync(bundle, id)).Succeeded();
        (await RestoreAsync(bundle, id, "--detach")).Succeeded();
        var ran = await File.ReadAllLinesAsync(Path.Combine(bundle, "hooks"), TestContext.Current.CancellationToken);
        Assert.Equal("poststop", ran[0]);
        Assert.Equal("createRuntime", ran[2]);
        Assert.Equal(((string)JsonNode.Parse(ran[3])!["id"]!, (int)JsonNode.Parse(ran[3])!["pid"]!), (id, (int)(await host.StateAsync(id))["pid"]!));

        (await host.RunAsync("delete", "--force", id)).Succeeded();
        Change(bundle, config => config["hooks"]!["createRuntime"]![0]!["args"] = new JsonArray("sh", "-c", "echo no thanks; exit 3"));
        (await RestoreAsync(bundle, id, "--detach")).Failed(1, "no thanks");
        (await host.RunAsync("state", id)).Failed(1, "container does not exist");
    }

    [Fact]
    public async Task What_can_not_be_restored_leaves_nothing()
    {
        Criu.Need();
        var bundle = Bundle(Counter);
        var id = await RunAsync(bundle);
        await CheckpointCommands.CountsAsync(bundle, 3);
        (await CheckpointAsync(bundle, id)).Succeeded();
        (await host.RunAsync("restore", "--detach", "--bundle", bundle, "--image-path", Path.Combine(bundle, "nothing"), id)).Failed(1, "there is no checkpoint there");

        Change(bundle, config => config["linux"]!["namespaces"]!.AsArray().RemoveAt(4));
        (await RestoreAsync(bundle, id, "--detach")).Failed(1, "linux.namespaces");
        Change(bundle, config =>
        {
            config["linux"]!["namespaces"]!.AsArray().Add(new JsonObject { ["type"] = "network" });
            config["mounts"]![4]!["source"] = "gone";
        });
        (await RestoreAsync(bundle, id, "--detach")).Failed(1, "bind source path does not exist");
        Change(bundle, config => config["mounts"]!.AsArray().RemoveAt(4));
        (await RestoreAsync(bundle, id, "--detach")).Failed(1, "mount on /data");
        Change(bundle, CheckpointCommands.AddData);

        var core = Path.Combine(bundle, "checkpoint/core-1.img");
        var good = await File.ReadAllBytesAsync(core, TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(core, good[..(good.Length / 2)], TestContext.Current.CancellationToken);
        var damaged = (await RestoreAsync(bundle, id, "--detach")).Failed(1, "CRIU could not restore");
        Assert.Contains("restore.log", damaged.Error, StringComparison.Ordinal);
        (await host.RunAsync("state", id)).Failed(1, "container does not exist");
        Assert.DoesNotContain(host.Cgroups(), cgroup => cgroup.EndsWith("/" + Path.GetFileName(bundle), StringComparison.Ordinal));
        Assert.DoesNotContain(bundle, await File.ReadAllTextAsync("/proc/self/mountinfo", TestContext.Current.CancellationToken), StringComparison.Ordinal);

        await File.WriteAllBytesAsync(core, good, TestContext.Current.CancellationToken);
        (await RestoreAsync(bundle, id, "--detach", "--pid-file", "/nonexistent/pid")).Failed(1, "/nonexistent");
        (await host.RunAsync("state", id)).Failed(1, "container does not exist");
        (await RestoreAsync(bundle, id, "--detach")).Succeeded();
    }

    [Fact]
    public async Task What_exec_has_started_is_not_silently_left_out()
    {
        Binaries.Need("criu");
        var bundle = Bundle(Counter);
        var id = await RunAsync(bundle);
        await CheckpointCommands.CountsAsync(bundle, 3);
        (await host.LeaveAsync(host.Bundle("true"), "exec", "--detach", id, "sleep", "1000")).Succeeded();
        (await CheckpointAsync(bundle, id)).Failed(1, "was started in the container by exec");
        Assert.False(Directory.Exists(Path.Combine(bundle, "checkpoint")));
        Assert.Equal("running", await host.StatusAsync(id));
        await CheckpointCommands.CountsAsync(bundle, CheckpointCommands.Lines(bundle).Length + 3);
    }

    [Fact]
    public async Task Without_a_criu_that_can_run_here_nothing_is_touched()
    {
        Assert.SkipWhen(Criu.Works, "CRIU can run here");
        var bundle = Bundle(Counter);
        var id = await RunAsync(bundle);
        await CheckpointCommands.CountsAsync(bundle, 3);
        if (Binaries.Find("criu") is not null)
        {
            // Why, is in the log, and the log is what is left.
            (await CheckpointAsync(bundle, id)).Failed(1, "CRIU could not dump");
            Assert.Equal(["dump.log"], Files(Path.Combine(bundle, "checkpoint")));
        }

        var other = Path.Combine(bundle, "other");
        (await host.RunAsync("--criu", "no-such-criu", "checkpoint", "--image-path", other, id)).Failed(1, "need CRIU (criu.org), and there is no program no-such-criu");
        (await host.RunAsync("--criu", "/bin/false", "checkpoint", "--image-path", other, id)).Failed(1, "CRIU ended before it had answered");
        Assert.False(Directory.Exists(other));
        Assert.Equal("running", await host.StatusAsync(id));
        await CheckpointCommands.CountsAsync(bundle, CheckpointCommands.Lines(bundle).Length + 3);
    }

    [Theory]
    [InlineData("linux.namespaces: pid", """{ "linux": { "namespaces": [{ "type": "mount" }] } }""")]
    [InlineData("linux.namespaces: uts", """{ "linux": { "namespaces": [{ "type": "pid" }, { "type": "mount" }, { "type": "uts", "path": "/proc/self/ns/uts" }] } }""")]
    [InlineData("process.ioPriority", """{ "process": { "ioPriority": { "class": "IOPRIO_CLASS_BE", "priority": 5 } } }""")]
    public async Task What_criu_can_not_do_is_refused_by_name(string property, string change)
    {
        Binaries.Need("criu");
        var bundle = Bundle(Counter, config =>
        {
            foreach (var (section, values) in JsonNode.Parse(change)!.AsObject())
            {
                foreach (var (name, value) in values!.AsObject())
                {
                    config[section]![name] = value!.DeepClone();
                }
            }
        });
        var id = await RunAsync(bundle);
        (await CheckpointAsync(bundle, id)).Failed(1, property);
        Assert.False(Directory.Exists(Path.Combine(bundle, "checkpoint")));
        Assert.Equal("running", await host.StatusAsync(id));
    }

    [Fact]
    public async Task States_and_options_that_do_not_allow_it_are_refused()
    {
        Binaries.Need("criu");
        var bundle = Bundle(Counter);
        var id = await host.CreateAsync(bundle);
        (await CheckpointAsync(bundle, id)).Failed(1, "cannot be checkpointed in created state");
        (await host.RunAsync("start", id)).Succeeded();
        (await CheckpointAsync(bundle, id, "--lazy-pages")).Failed(1, "--lazy-pages needs --page-server");
        (await CheckpointAsync(bundle, id, "--lazy-pages", "--pre-dump")).Failed(1, "exclude each other");
        (await CheckpointAsync(bundle, id, "--status-fd", "9")).Failed(1, "--status-fd");
        (await CheckpointAsync(bundle, id, "--lazy-pages", "--page-server", "127.0.0.1:20322", "--status-fd", "900")).Failed(1, "invalid --status-fd argument 900");
        (await CheckpointAsync(bundle, id, "--manage-cgroups-mode", "odd")).Failed(1, "invalid manage-cgroups-mode value: odd");
        (await CheckpointAsync(bundle, id, "--empty-ns", "pid")).Failed(1, "\\\"pid\\\" is not supported");
        (await CheckpointAsync(bundle, id, "--page-server", "nowhere")).Failed(1, "ADDRESS:PORT");
        (await RestoreAsync(bundle, OciHost.NewId(), "--no-pivot")).Failed(1, "--no-pivot");
        (await CheckpointAsync(bundle, "nobody")).Failed(1, "container does not exist");
        Assert.False(Directory.Exists(Path.Combine(bundle, "checkpoint")));
        (await host.RunAsync("kill", id, "KILL")).Succeeded();
        await host.WaitForStatusAsync(id, "stopped");
        (await CheckpointAsync(bundle, id)).Failed(1, "cannot be checkpointed in stopped state");
    }

    private static void Change(string bundle, Action<JsonNode> change)
    {
        var path = Path.Combine(bundle, "config.json");
        var config = JsonNode.Parse(File.ReadAllText(path))!;
        change(config);
        File.WriteAllText(path, config.ToJsonString());
    }

    private static string[] Files(string directory) => [.. Directory.GetFiles(directory).Select(file => Path.GetFileName(file))];

    private static long PagesIn(string directory) => Directory.GetFiles(directory, "pages-*.img").Sum(file => new FileInfo(file).Length);

    private string Bundle(string script, Action<JsonNode>? change = null) => host.BundleWithData(script, change);

    private async Task<string> RunAsync(string bundle)
    {
        var id = await host.CreateAsync(bundle);
        (await host.RunAsync("start", id)).Succeeded();
        return id;
    }

    private async Task<string> ExecAsync(string id, string script) => (await host.RunAsync("exec", id, "sh", "-c", script)).Succeeded().Text;

    private async Task<int> NowAsync(string id) =>
        int.TryParse(await ExecAsync(id, "cat /tmp/now || true"), CultureInfo.InvariantCulture, out var now) ? now : 0;

    private string Limit(string bundle, string controller, string v1, string v2) =>
        File.ReadAllText(host.CgroupFile(bundle, controller, v1, v2) ?? throw new InvalidOperationException($"no {controller} controller")).Trim();

    private Task<CommandResult> CheckpointAsync(string bundle, string id, params string[] options) => host.CheckpointAsync(bundle, id, options);

    private Task<CommandResult> RestoreAsync(string bundle, string id, params string[] options) => host.RestoreAsync(bundle, id, options);
}
