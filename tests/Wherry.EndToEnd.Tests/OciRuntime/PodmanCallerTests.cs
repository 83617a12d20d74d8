namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>Podman, by conmon, on wherry-oci.</summary>
public sealed class PodmanCallerTests : IAsyncLifetime
{
    private CallerDirectory _directory = null!;

    public async ValueTask InitializeAsync()
    {
        Binaries.Need("podman");
        _directory = CallerDirectory.Make("pod");
        (await PodmanAsync("load", "-q", "-i", await BaseImages.ArchiveAsync(BaseImages.Busybox))).Succeeded();
    }

    public async ValueTask DisposeAsync()
    {
        if (_directory is not null)
        {
            await PodmanAsync("rm", "-f", "-t", "0", "--all");
            await _directory.DisposeAsync();
        }
    }

    [Fact]
    public async Task Podman_runs_execs_logs_stops_and_removes()
    {
        Assert.Equal("hello", (await RunAsync("--rm", "busybox", "echo", "hello")).Succeeded().Text);
        (await RunAsync("--rm", "busybox", "sh", "-c", "exit 9")).Exited(9);
        (await RunAsync("--rm", "busybox", "no-such-program")).Failed(127, "executable file not found in $PATH");

        (await RunAsync("-d", "--name", "podded", "-m", "64m", "busybox", "sh", "-c", "trap 'exit 0' TERM; echo one; echo two >&2; while true; do sleep 0.1; done")).Succeeded();
        var exec = (await PodmanAsync("exec", "podded", "sh", "-c", "echo inside; exit 3")).Exited(3);
        Assert.Equal("inside", exec.Text);
        await Eventually.TrueAsync(
            async () => (await PodmanAsync("logs", "podded")) is { Text: "one", Error: "two\n" },
            "both lines and nothing else are in the log");
        Assert.Contains("sleep 0.1", (await PodmanAsync("top", "podded")).Succeeded().Output, StringComparison.Ordinal);
        (await PodmanAsync("pause", "podded")).Succeeded();
        Assert.Equal("paused", (await PodmanAsync("inspect", "--format", "{{.State.Status}}", "podded")).Succeeded().Text);
        (await PodmanAsync("unpause", "podded")).Succeeded();
        (await PodmanAsync("stop", "-t", "20", "podded")).Succeeded();
        Assert.Equal("0", (await PodmanAsync("inspect", "--format", "{{.State.ExitCode}}", "podded")).Succeeded().Text);
        (await PodmanAsync("rm", "podded")).Succeeded();
        Assert.Equal("", (await PodmanAsync("ps", "-aq")).Succeeded().Text);
    }

    [Fact]
    public async Task Podman_gives_programs_terminals()
    {
        using var run = PseudoTerminal.Start(Binaries.Find("podman")!, Arguments(["run", "--rm", "-it", "--network", "none", "busybox", "sh", "-c", "tty; read line; echo got $line; exit 4"]), null);
        await run.SeesAsync("/dev/pts/0");
        run.Type("words\n");
        await run.SeesAsync("got words");
        Assert.Equal(4, await run.ExitAsync());

        (await RunAsync("-d", "--name", "with-exec", "busybox", "sleep", "1000")).Succeeded();
        using var exec = PseudoTerminal.Start(Binaries.Find("podman")!, Arguments(["exec", "-it", "with-exec", "sh", "-c", "tty; exit 5"]), null);
        await exec.SeesAsync("/dev/pts/0");
        Assert.Equal(5, await exec.ExitAsync());
    }

    [Fact]
    public async Task Podman_checkpoints_and_restores()
    {
        Criu.Need();
        (await RunAsync("-d", "--name", "counter", "-m", "64m", "busybox", "sh", "-c", "n=0; while true; do n=$((n+1)); echo $n; sleep 0.1; done")).Succeeded();
        await LoggedAsync(3);
        (await PodmanAsync("container", "checkpoint", "--keep", "counter")).Succeeded();
        Assert.Equal("exited", (await PodmanAsync("inspect", "--format", "{{.State.Status}}", "counter")).Succeeded().Text);
        var before = (await PodmanAsync("logs", "counter")).Succeeded().Lines.Length;
        (await PodmanAsync("container", "restore", "--keep", "counter")).Succeeded();
        await LoggedAsync(before + 3);
        var lines = (await PodmanAsync("logs", "counter")).Succeeded().Lines;
        Assert.Equal(Enumerable.Range(1, lines.Length).Select(n => n.ToString(System.Globalization.CultureInfo.InvariantCulture)), lines);
        (await PodmanAsync("exec", "counter", "true")).Succeeded();
        (await PodmanAsync("rm", "-f", "-t", "0", "counter")).Succeeded();

        Task LoggedAsync(int lines) => Eventually.TrueAsync(
            async () => (await PodmanAsync("logs", "counter")).Lines.Length >= lines, $"there are {lines} lines in the log", seconds: 60);
    }

    private Task<CommandResult> RunAsync(params string[] arguments) => PodmanAsync(["run", "--network", "none", .. arguments]);

    private Task<CommandResult> PodmanAsync(params string[] arguments) => Command.RunAsync("podman", Arguments(arguments));

    // A parent of its own is given to each container: libpod's default is shared by all podmans of a host.
    private string[] Arguments(string[] arguments) =>
    [
        "--root", _directory.File("root"), "--runroot", _directory.File("run"), "--tmpdir", _directory.File("tmp"),
        "--cgroup-manager", "cgroupfs", "--events-backend", "file", "--storage-driver", "vfs", "--runtime", Binaries.OciRuntime,
        arguments[0], .. arguments[0] == "run" ? new[] { "--cgroup-parent", _directory.CgroupParent } : [], .. arguments[1..],
    ];
}
