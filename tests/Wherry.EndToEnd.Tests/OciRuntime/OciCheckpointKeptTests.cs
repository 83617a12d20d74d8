using System.Globalization;
using System.Text.Json.Nodes;

namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>What CRIU keeps only where it is asked to, and what the kernel holds a process to: in force after a restore, too.</summary>
public sealed class OciCheckpointKeptTests(OciHost host) : IClassFixture<OciHost>
{
    // Its input must stay open, or it ends the connection.
    private const string Server = "busybox mkfifo nothing; exec busybox nc -l -p 7000 <>nothing";

    /// <summary>Without a line lost, between two processes of the container and with one outside of it.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Connections_go_on_where_they_were(bool peerIsInside)
    {
        Criu.Need();
        var name = $"whkept-{Environment.ProcessId}";
        const string client = "n=0; while true; do n=$((n+1)); echo $n; echo $n >/data/now; sleep 0.05; done | busybox nc 127.0.0.1 7000 2>/dev/null";
        var bundle = host.BundleWithData(peerIsInside ? $"(cd /tmp; {Server} >/data/received) & while ! {{ {client}; }}; do sleep 0.1; done" : client, config =>
        {
            if (!peerIsInside)
            {
                config["linux"]!["namespaces"]![4]!["path"] = $"/run/netns/{name}";
            }
        });
        var received = Path.Combine(bundle, "data/received");
        (await Command.ShellAsync($"ip netns add {name} && ip -n {name} link set lo up")).Succeeded();
        try
        {
            using var server = peerIsInside ? null : Command.Start("ip", ["netns", "exec", name, "sh", "-c", $"cd {bundle}; {Server} >{received}"], null);
            if (!peerIsInside)
            {
                await Eventually.TrueAsync(async () => (await Command.RunAsync("ip", "netns", "exec", name, "ss", "-Hltn", "sport", "=", "7000")).Text.Length > 0, "the server listens", seconds: 60);
            }

            var id = await RunAsync(bundle);
            await GrowsAsync(received);
            (await host.CheckpointAsync(bundle, id)).Failed(1, "CRIU could not dump");
            await GrowsAsync(received);
            (await host.CheckpointAsync(bundle, id, "--tcp-established")).Succeeded();
            (await host.RestoreAsync(bundle, id, "--detach", "--tcp-established")).Succeeded();
            await GrowsAsync(received);
            var lines = (await File.ReadAllTextAsync(received, TestContext.Current.CancellationToken)).Split('\n')[..^1];
            Assert.Equal(Enumerable.Range(1, lines.Length), lines.Select(line => int.Parse(line, CultureInfo.InvariantCulture)));
            (await host.RunAsync("delete", "--force", id)).Succeeded();
            if (server is not null)
            {
                await server.WaitForExitAsync(TestContext.Current.CancellationToken);
            }
        }
        finally
        {
            (await Command.RunAsync("ip", "netns", "delete", name)).Succeeded();
        }
    }

    [Fact]
    public async Task Locks_of_files_are_held_again()
    {
        Criu.Need();

        // With the host's program, as Debian's static busybox has none.
        var bundle = host.BundleWithData("exec 9>/data/lock; /usr/bin/flock -x 9; n=0; while true; do n=$((n+1)); echo $n >>/data/lines; sleep 0.05; done", config =>
        {
            foreach (var directory in new[] { "/usr", "/lib", "/lib64" }.Where(Directory.Exists))
            {
                config["mounts"]!.AsArray().Add(new JsonObject { ["destination"] = directory, ["type"] = "bind", ["source"] = directory, ["options"] = new JsonArray("bind", "ro") });
            }
        });
        var (lines, free) = (Path.Combine(bundle, "data/lines"), new[] { "-n", Path.Combine(bundle, "data/lock"), "true" });
        var id = await RunAsync(bundle);
        await GrowsAsync(lines);
        (await Command.RunAsync("flock", free)).Exited(1);
        (await host.CheckpointAsync(bundle, id)).Failed(1, "CRIU could not dump");
        await GrowsAsync(lines);
        (await host.CheckpointAsync(bundle, id, "--file-locks")).Succeeded();
        (await Command.RunAsync("flock", free)).Succeeded();
        (await host.RestoreAsync(bundle, id, "--detach", "--file-locks")).Succeeded();
        await GrowsAsync(lines);
        (await Command.RunAsync("flock", free)).Exited(1);
        (await host.RunAsync("delete", "--force", id)).Succeeded();
        (await Command.RunAsync("flock", free)).Succeeded();
    }

    /// <summary>In the processes that were restored, not only in those that exec starts anew.</summary>
    [Theory]
    [InlineData("""{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{ "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 122 }] }""")]
    [InlineData("""{ "defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_LOG"], "syscalls": [{ "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 122 }] }""")]
    public async Task The_filter_of_system_calls_is_in_force_again(string filter)
    {
        Criu.Need();
        var bundle = host.BundleWithData("n=0; while true; do n=$((n+1)); echo $n >>/data/lines; if test -e /data/try; then busybox mkdir /data/made 2>/data/error; fi; sleep 0.05; done", config =>
        {
            config["linux"]!["seccomp"] = JsonNode.Parse(filter);
            config["process"]!["noNewPrivileges"] = true;
        });
        var lines = Path.Combine(bundle, "data/lines");
        var id = await RunAsync(bundle);
        await GrowsAsync(lines);
        var before = await ConfinementAsync(id);
        (await host.CheckpointAsync(bundle, id)).Succeeded();
        (await host.RestoreAsync(bundle, id, "--detach")).Succeeded();
        await File.WriteAllTextAsync(Path.Combine(bundle, "data/try"), "", TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(
            () => File.Exists(Path.Combine(bundle, "data/error")) && File.ReadAllText(Path.Combine(bundle, "data/error")).Contains("quota exceeded", StringComparison.Ordinal), "the call is refused", seconds: 60);
        Assert.False(Directory.Exists(Path.Combine(bundle, "data/made")));
        Assert.Equal(before, await ConfinementAsync(id));
        Assert.Contains("Seccomp:\t2", before, StringComparison.Ordinal);
        (await host.RunAsync("exec", id, "busybox", "mkdir", "/data/made")).Failed(1, "quota exceeded");
        (await host.RunAsync("delete", "--force", id)).Succeeded();
    }

    /// <summary>CRIU's own file of settings, by the annotation by which others' runtimes take it.</summary>
    [Fact]
    public async Task Settings_of_criu_may_be_named_by_the_bundle()
    {
        Criu.Need();
        var settings = Path.Combine(host.BundleWithData("true"), "criu.conf");
        var bundle = host.BundleWithData("while true; do echo line >>/data/lines; sleep 0.05; done", config => config["annotations"] = new JsonObject { ["org.criu.config"] = settings });
        var images = Path.Combine(bundle, "checkpoint");
        var id = await RunAsync(bundle);
        (await host.CheckpointAsync(bundle, id)).Failed(1, $"there is no file {settings}");
        Assert.False(Directory.Exists(images));
        Assert.Equal("running", await host.StatusAsync(id));

        await File.WriteAllTextAsync(settings, "log-file=own.log\n", TestContext.Current.CancellationToken);
        (await host.CheckpointAsync(bundle, id)).Succeeded();
        Assert.False(File.Exists(Path.Combine(images, "dump.log")));
        File.Delete(Path.Combine(images, "own.log"));
        (await host.RestoreAsync(bundle, id, "--detach")).Succeeded();
        Assert.True(File.Exists(Path.Combine(images, "own.log")));
        await GrowsAsync(Path.Combine(bundle, "data/lines"));
        (await host.RunAsync("delete", "--force", id)).Succeeded();
    }

    private async Task<string> RunAsync(string bundle)
    {
        var id = await host.CreateAsync(bundle);
        (await host.RunAsync("start", id)).Succeeded();
        return id;
    }

    // By what the kernel itself says.
    private async Task<string> ConfinementAsync(string id) => string.Join(
        '\n',
        File.ReadLines($"/proc/{(await host.StateAsync(id))["pid"]}/status").Where(line => line.StartsWith("Seccomp", StringComparison.Ordinal) || line.StartsWith("NoNewPrivs", StringComparison.Ordinal) || line.StartsWith("Cap", StringComparison.Ordinal)));

    private static async Task GrowsAsync(string file)
    {
        var before = Count();
        await Eventually.TrueAsync(() => Count() > before + 3, $"{Path.GetFileName(file)} grows", seconds: 60);

        int Count() => File.Exists(file) ? File.ReadLines(file).Count() : 0;
    }
}
