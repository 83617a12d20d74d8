using System.Globalization;

namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>An ordinary user's podman on wherry-oci, which finds itself root in a user namespace that podman has made.</summary>
public sealed class OrdinaryPodmanCallerTests : IAsyncLifetime
{
    private OrdinaryHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        Binaries.Need("podman");
        Binaries.Need("slirp4netns");
        _host = await OrdinaryHost.StartAsync();
        var archive = Path.Combine(_host.Directory, "busybox.tar");
        File.Copy(await BaseImages.ArchiveAsync(BaseImages.Busybox), archive);
        (await PodmanAsync("load", "-q", "-i", archive)).Succeeded();
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await PodmanAsync("rm", "-f", "-t", "0", "--all");
            await _host.DisposeAsync();
        }
    }

    [Fact]
    public async Task Podman_runs_execs_logs_stops_and_removes()
    {
        var map = (await RunAsync("--rm", "--network", "none", "busybox", "cat", "/proc/self/uid_map")).Succeeded();
        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"0 {_host.Uid} 1"), string.Join(' ', map.Lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        (await RunAsync("--rm", "--network", "none", "busybox", "sh", "-c", "exit 9")).Exited(9);
        (await RunAsync("--rm", "--network", "none", "busybox", "no-such-program")).Failed(127, "executable file not found in $PATH");

        // With podman's own network, too.
        (await RunAsync("-d", "--name", "podded", "busybox", "sh", "-c", "trap 'exit 3' TERM; echo one; while true; do sleep 0.1; done")).Succeeded();
        Assert.Equal("inside", (await PodmanAsync("exec", "podded", "sh", "-c", "echo inside; exit 5")).Exited(5).Text);
        await Eventually.TrueAsync(async () => (await PodmanAsync("logs", "podded")).Text == "one", "the line is in the log");
        Assert.Contains("sleep 0.1", (await PodmanAsync("top", "podded")).Succeeded().Output, StringComparison.Ordinal);
        (await PodmanAsync("stop", "-t", "20", "podded")).Succeeded();
        Assert.Equal("3", (await PodmanAsync("inspect", "--format", "{{.State.ExitCode}}", "podded")).Succeeded().Text);
        (await PodmanAsync("rm", "podded")).Succeeded();
    }

    [Fact]
    public async Task A_user_namespace_may_be_nested_in_podmans()
    {
        var result = (await RunAsync("--rm", "--network", "none", "--userns", "keep-id", "busybox", "sh", "-c", "id -u; touch /tmp/x; stat -c %u /tmp/x")).Succeeded();
        Assert.Equal([.. Enumerable.Repeat(_host.Uid.ToString(CultureInfo.InvariantCulture), 2)], result.Lines);
    }

    [Fact]
    public async Task Podman_gives_programs_terminals()
    {
        using var run = PseudoTerminal.Start(_host.AsUser, ["podman", .. Arguments(["run", "--rm", "-it", "--network", "none", "busybox", "sh", "-c", "tty; read line; echo got $line; exit 4"])], null);
        await run.SeesAsync("/dev/pts/0");
        run.Type("words\n");
        await run.SeesAsync("got words");
        Assert.Equal(4, await run.ExitAsync());
    }

    private Task<CommandResult> RunAsync(params string[] arguments) => PodmanAsync(["run", .. arguments]);

    private Task<CommandResult> PodmanAsync(params string[] arguments) => _host.RunAsync(["podman", .. Arguments(arguments)]);

    private string[] Arguments(string[] arguments) =>
        ["--cgroup-manager", "cgroupfs", "--events-backend", "file", "--storage-driver", "vfs", "--runtime", _host.Program("wherry-oci"), .. arguments];
}
