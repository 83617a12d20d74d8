namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>Docker's own engine, by containerd's shim, on wherry-oci.</summary>
public sealed class DockerdCallerTests : IAsyncLifetime
{
    private CallerDirectory _directory = null!;
    private PrivateDaemon? _daemon;

    public async ValueTask InitializeAsync()
    {
        Binaries.Need("dockerd");
        Binaries.Need("containerd");
        _directory = CallerDirectory.Make("dk");

        // In a network namespace of its own: it changes firewall rules and routes as it starts.
        _daemon = await PrivateDaemon.StartAsync(
            _directory.File("log"),
            async () => (await DockerAsync("version")).ExitCode == 0,
            "unshare", "--net", "sh", "-c", "ip link set lo up; exec \"$@\"", "sh",
            "dockerd", "--data-root", _directory.File("data"), "--exec-root", _directory.File("exec"), "-H", Host, "--pidfile", _directory.File("pid"),
            "--bridge", "none", "--iptables=false", "--ip6tables=false", "--storage-driver", "vfs", "--exec-opt", "native.cgroupdriver=cgroupfs",
            "--cgroup-parent", _directory.CgroupParent, "--add-runtime", $"wherry={Binaries.OciRuntime}", "--default-runtime", "wherry");
        (await DockerAsync("load", "-q", "-i", await BaseImages.ArchiveAsync(BaseImages.Busybox))).Succeeded();
    }

    public async ValueTask DisposeAsync()
    {
        if (_directory is null)
        {
            return;
        }

        if (_daemon is not null)
        {
            if (TestContext.Current.TestState?.Result == TestResult.Failed)
            {
                TestContext.Current.TestOutputHelper?.WriteLine("The daemon's log:\n" + _daemon.Log);
            }

            if ((await DockerAsync("ps", "-aq")).Lines is { Length: > 0 } containers)
            {
                await DockerAsync(["rm", "-f", .. containers]);
            }

            try
            {
                // The engine tells of a removal before containerd's shim has done its part of it.
                await Eventually.TrueAsync(() => !_directory.HasContainers, "no container has a cgroup", seconds: 60);
            }
            finally
            {
                await _daemon.DisposeAsync();
            }
        }

        await _directory.DisposeAsync();
    }

    private string Host => $"unix://{_directory.File("docker.sock")}";

    [Fact]
    public async Task Dockers_engine_runs_execs_pauses_updates_and_removes()
    {
        Assert.Equal("hello", (await RunAsync("--rm", "busybox", "echo", "hello")).Succeeded().Text);
        (await RunAsync("--rm", "busybox", "sh", "-c", "exit 9")).Exited(9);
        (await RunAsync("--rm", "busybox", "no-such-program")).Failed(127, "executable file not found in $PATH");
        (await RunAsync("--rm", "busybox", "/etc")).Failed(126, "permission denied");
        Assert.Equal("uid=1000 gid=1001 groups=1001", (await RunAsync("--rm", "-u", "1000:1001", "--cap-drop", "ALL", "--read-only", "--init", "busybox", "id")).Succeeded().Text);

        var id = (await RunAsync("-d", "--name", "docked", "-m", "64m", "busybox", "sh", "-c", "echo out; sleep 1000")).Succeeded().Text;
        Assert.Equal("inside", (await DockerAsync("exec", "docked", "sh", "-c", "echo inside; exit 3")).Exited(3).Text);
        var missing = await DockerAsync("exec", "docked", "no-such-program");
        Assert.InRange(missing.ExitCode, 126, 127);
        Assert.Contains("executable file not found in $PATH", missing.Output + missing.Error, StringComparison.Ordinal);
        Assert.Equal("out", (await DockerAsync("logs", "docked")).Succeeded().Text);
        Assert.Contains("sleep 1000", (await DockerAsync("top", "docked")).Succeeded().Output, StringComparison.Ordinal);
        (await DockerAsync("pause", "docked")).Succeeded();
        Assert.Equal("paused", await FieldAsync("docked", "{{.State.Status}}"));
        (await DockerAsync("unpause", "docked")).Succeeded();

        (await DockerAsync("update", "-m", "32m", "--memory-swap", "64m", "docked")).Succeeded();
        var limit = Directory.GetDirectories("/sys/fs/cgroup").Append("/sys/fs/cgroup")
            .SelectMany(tree => new[] { "memory.limit_in_bytes", "memory.max" }.Select(file => $"{tree}{_directory.CgroupParent}/{id}/{file}"))
            .FirstOrDefault(File.Exists);
        Assert.Equal("33554432", limit is null ? null : (await File.ReadAllTextAsync(limit, TestContext.Current.CancellationToken)).Trim());

        (await DockerAsync("rm", "-f", "docked")).Succeeded();
        Assert.Equal("", (await DockerAsync("ps", "-aq")).Succeeded().Text);
    }

    [Fact]
    public async Task Dockers_engine_gives_programs_terminals_and_learns_of_memory_running_out()
    {
        using var run = PseudoTerminal.Start(Binaries.Docker, ["run", "--rm", "-it", "--network", "none", "busybox", "sh", "-c", "tty; read line; echo got $line; exit 4"], Environment);
        await run.SeesAsync("/dev/pts/0");
        run.Type("words\n");
        await run.SeesAsync("got words");
        Assert.Equal(4, await run.ExitAsync());

        (await RunAsync("--name", "hungry", "-m", "16m", "--memory-swap", "16m", "busybox", "sh", "-c", "exec tail /dev/zero")).Exited(137);
        Assert.Equal("true 137", await FieldAsync("hungry", "{{.State.OOMKilled}} {{.State.ExitCode}}"));
    }

    private IReadOnlyDictionary<string, string?> Environment => new Dictionary<string, string?>
    {
        ["DOCKER_HOST"] = Host,
        ["DOCKER_CONFIG"] = "/nonexistent",
        ["DOCKER_CONTEXT"] = null,
        ["DOCKER_API_VERSION"] = null,
        ["HOME"] = "/tmp",
    };

    private Task<CommandResult> RunAsync(params string[] arguments) => DockerAsync(["run", "--network", "none", .. arguments]);

    private Task<CommandResult> DockerAsync(params string[] arguments) => Command.RunAsync(Binaries.Docker, arguments, Environment, input: null, Command.DefaultTimeout);

    private async Task<string> FieldAsync(string container, string template) => (await DockerAsync("inspect", "--format", template, container)).Succeeded().Text;
}
