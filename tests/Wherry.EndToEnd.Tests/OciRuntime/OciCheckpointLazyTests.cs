using System.Globalization;

namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>checkpoint and restore with memory that stays where it was until it is touched, as an engine calls runc for it.</summary>
public sealed class OciCheckpointLazyTests(OciHost host) : IClassFixture<OciHost>
{
    // Its memory has what is said again after the restore.
    private const string Remembering = """
        secret=$(cat /proc/sys/kernel/random/uuid); big=$(head -c 500000 /dev/zero | busybox tr '\0' x); n=0
        while true; do n=$((n+1)); echo $n ${#big} $secret >>/data/lines; sleep 0.2; done
        """;

    // Keeps what the checkpoint has said in a file.
    private const string WithStatus = "echo $$ >command; exec 7>status; exec \"$@\"";

    [Fact]
    public async Task Memory_is_fetched_when_the_container_has_gone_on_elsewhere()
    {
        Criu.Need();
        const string port = "20320";
        var bundle = host.BundleWithData(Remembering);
        var there = host.BundleWithData(Remembering, config => config["mounts"]![4]!["source"] = Path.Combine(bundle, "data"));
        var (id, other, images) = (await host.RunCountingAsync(bundle), OciHost.NewId(), Path.Combine(bundle, "checkpoint"));
        var checkpoint = LazyAsync(bundle, id, port);
        await ServedAsync(bundle, checkpoint);
        Assert.False(checkpoint.IsCompleted);
        var before = CheckpointCommands.Lines(bundle).Length;

        // Until somebody offers its memory here, nothing is made of it.
        (await host.RunAsync("restore", "--detach", "--lazy-pages", "--bundle", there, "--image-path", images, other)).Failed(1, "'criu lazy-pages' has to run");
        (await host.RunAsync("state", other)).Failed(1, "container does not exist");
        Assert.DoesNotContain(host.Cgroups(), cgroup => cgroup.EndsWith("/" + Path.GetFileName(there), StringComparison.Ordinal));
        using var daemon = Command.Start(Binaries.Need("criu"), ["lazy-pages", "--page-server", "--address", "127.0.0.1", "--port", port, "--images-dir", images], null);
        try
        {
            (await host.LeaveAsync(there, "restore", "--detach", "--lazy-pages", "--bundle", there, "--image-path", images, other)).Succeeded();
            (await checkpoint).Succeeded();
            await daemon.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(0, daemon.ExitCode);
        }
        finally
        {
            if (!daemon.HasExited)
            {
                daemon.Kill();
            }
        }

        await CheckpointCommands.CountsAsync(bundle, before + 3);
        var lines = CheckpointCommands.Lines(bundle);
        Assert.Equal(Enumerable.Range(1, lines.Length), lines.Select(line => int.Parse(line[0], CultureInfo.InvariantCulture)));
        Assert.All(lines, line => Assert.Equal(("500000", lines[0][2]), (line[1], line[2])));
        (await host.RunAsync("state", id)).Failed(1, "container does not exist");
        (await host.RunAsync("delete", "--force", other)).Succeeded();
    }

    [Fact]
    public async Task Without_who_serves_or_fetches_memory_nothing_is_left()
    {
        Criu.Need();
        const string port = "20321";
        var bundle = host.BundleWithData(Remembering);
        var id = await host.RunCountingAsync(bundle);

        // Nobody takes the memory: the container runs on.
        var images = Path.Combine(bundle, "checkpoint");
        (await host.CheckpointAsync(bundle, id, "--page-server", $"127.0.0.1:{port}")).Failed(1, "CRIU could not dump");
        Assert.Equal(["dump.log"], Directory.GetFiles(images).Select(file => Path.GetFileName(file)));
        await CheckpointCommands.CountsAsync(bundle, CheckpointCommands.Lines(bundle).Length + 3);

        // Told to end, the command ends, and the container runs on.
        var checkpoint = LazyAsync(bundle, id, port);
        await ServedAsync(bundle, checkpoint);
        var before = CheckpointCommands.Lines(bundle).Length;
        (await Command.RunAsync("kill", (await File.ReadAllTextAsync(Path.Combine(bundle, "command"), TestContext.Current.CancellationToken)).Trim())).Succeeded();
        (await checkpoint).Failed(1, "the command was told to end");
        await CheckpointCommands.CountsAsync(bundle, before + 3);

        // Nor does it outlive the container it serves.
        checkpoint = LazyAsync(bundle, id, port);
        await ServedAsync(bundle, checkpoint);
        (await host.RunAsync("delete", "--force", id)).Succeeded();
        (await checkpoint).Failed(1, "before all of its memory had been fetched");
        Assert.Equal("", (await Command.RunAsync("ss", "-Hltn", "sport", "=", port)).Text);
    }

    private Task<CommandResult> LazyAsync(string bundle, string id, string port)
    {
        var images = Path.Combine(bundle, "checkpoint");
        File.Delete(Path.Combine(bundle, "status"));
        return Command.RunAsync(
            "/bin/sh",
            ["-c", $"cd {bundle}; {WithStatus}", "sh", Binaries.OciRuntime, "--root", host.Root, "checkpoint", "--lazy-pages", "--page-server", $"0.0.0.0:{port}", "--status-fd", "7", "--image-path", images, id]);
    }

    private static async Task ServedAsync(string bundle, Task<CommandResult> checkpoint)
    {
        await Eventually.TrueAsync(() => checkpoint.IsCompleted || IsServed(), "pages are served", seconds: 120);
        if (!IsServed())
        {
            (await checkpoint).Succeeded();
        }

        bool IsServed() => File.Exists(Path.Combine(bundle, "status")) && File.ReadAllBytes(Path.Combine(bundle, "status")) is [0];
    }
}
