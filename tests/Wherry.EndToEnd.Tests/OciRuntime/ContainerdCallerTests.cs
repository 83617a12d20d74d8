namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>containerd and its own client on wherry-oci.</summary>
public sealed class ContainerdCallerTests : IAsyncLifetime
{
    private const string Image = "docker.io/library/busybox:latest";

    private CallerDirectory _directory = null!;
    private PrivateDaemon? _daemon;

    public async ValueTask InitializeAsync()
    {
        Binaries.Need("containerd");
        Binaries.Need("ctr");
        _directory = CallerDirectory.Make("cd");
        await File.WriteAllTextAsync(_directory.File("config.toml"), $"""
            version = 2
            root = "{_directory.File("root")}"
            state = "{_directory.File("state")}"
            disabled_plugins = ["io.containerd.grpc.v1.cri"]
            [grpc]
              address = "{_directory.File("sock")}"
            """);
        _daemon = await PrivateDaemon.StartAsync(
            _directory.File("log"),
            async () => (await CtrAsync("version")).ExitCode == 0,
            "containerd", "--config", _directory.File("config.toml"));
        (await CtrAsync("image", "import", "--snapshotter", "native", await BaseImages.ArchiveAsync(BaseImages.Busybox))).Succeeded();
    }

    public async ValueTask DisposeAsync()
    {
        if (_directory is null)
        {
            return;
        }

        if (_daemon is not null)
        {
            await CtrAsync("task", "rm", "-f", "long");
            await CtrAsync("container", "rm", "long");
            await _daemon.DisposeAsync();
        }

        await _directory.DisposeAsync();
    }

    [Fact]
    public async Task Containerd_runs_execs_pauses_and_kills()
    {
        Assert.Equal("hello", (await RunAsync("--rm", Image, "short", "echo", "hello")).Succeeded().Text);
        (await RunAsync("--rm", Image, "short", "sh", "-c", "exit 9")).Exited(9);
        (await RunAsync("--rm", Image, "short", "no-such-program")).Refused("executable file not found in $PATH");

        (await RunAsync("-d", Image, "long", "sleep", "1000")).Succeeded();
        Assert.Equal("inside", (await CtrAsync("task", "exec", "--exec-id", "e1", "long", "sh", "-c", "echo inside; exit 3")).Exited(3).Text);
        (await CtrAsync("task", "pause", "long")).Succeeded();
        Assert.Contains("PAUSED", (await CtrAsync("task", "ls")).Succeeded().Output, StringComparison.Ordinal);
        (await CtrAsync("task", "resume", "long")).Succeeded();
        Assert.Equal(2, (await CtrAsync("task", "ps", "long")).Succeeded().Lines.Length);
        Assert.Contains("memory", (await CtrAsync("task", "metrics", "long")).Succeeded().Output, StringComparison.Ordinal);
        (await CtrAsync("task", "kill", "-s", "KILL", "long")).Succeeded();
        await Eventually.TrueAsync(async () => (await CtrAsync("task", "ls")).Output.Contains("STOPPED", StringComparison.Ordinal), "the task has stopped");
        await CtrAsync("task", "rm", "long");
        (await CtrAsync("container", "rm", "long")).Succeeded();
        Assert.Equal("", (await CtrAsync("container", "ls", "-q")).Succeeded().Text);
    }

    // containerd names cgroups after its namespace.
    private Task<CommandResult> RunAsync(params string[] arguments) =>
        CtrAsync(["run", "--snapshotter", "native", "--runc-binary", Binaries.OciRuntime, .. arguments]);

    private Task<CommandResult> CtrAsync(params string[] arguments) =>
        Command.RunAsync("ctr", ["-a", _directory.File("sock"), "-n", _directory.Name, .. arguments]);
}
