using System.Globalization;
using System.Text.Json.Nodes;

namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>checkpoint and restore of containers whose users and clocks are not the host's.</summary>
public sealed class OciCheckpointNamespaceTests(OciHost host) : IClassFixture<OciHost>
{
    // A day, in a time namespace.
    private const int Ahead = 86400;

    // As a user of the container's who is not its root; says so when it is told to end.
    private const string Counter = """
        n=0; while ! test -e /data/go; do n=$((n+1)); echo $n $(cat /proc/uptime) >>/data/lines; echo nothing >/dev/null; sleep 0.2; done; echo end; exit 7
        """;

    [Fact]
    public async Task Users_and_clocks_are_what_they_were()
    {
        Criu.Need();
        var bundle = Bundle(config =>
        {
            config["process"]!["user"] = JsonNode.Parse("""{ "uid": 1000, "gid": 1000 }""");
            config["linux"]!["maskedPaths"] = new JsonArray("/proc/kcore", "/proc/acpi");
            config["linux"]!["timeOffsets"] = JsonNode.Parse("""{ "monotonic": { "secs": 86400 }, "boottime": { "secs": 86400 } }""");
            config["linux"]!["namespaces"]!.AsArray().Add(new JsonObject { ["type"] = "time" });
            config["linux"]!["namespaces"]!.AsArray().Add(new JsonObject { ["type"] = "cgroup" });
        });
        var id = await host.RunCountingAsync(bundle);
        (await host.CheckpointAsync(bundle, id)).Succeeded();
        var before = CheckpointCommands.Lines(bundle).Length;
        (await host.RestoreAsync(bundle, id, "--detach")).Succeeded();
        await CheckpointCommands.CountsAsync(bundle, before + 3);

        var lines = CheckpointCommands.Lines(bundle);
        Assert.Equal(Enumerable.Range(1, lines.Length), lines.Select(line => int.Parse(line[0], CultureInfo.InvariantCulture)));
        var clock = lines.Select(line => double.Parse(line[1], CultureInfo.InvariantCulture)).ToArray();
        Assert.Equal(clock.Order(), clock);
        Assert.InRange(clock[^1], Ahead, clock[0] + 600);

        var process = $"/proc/{(await host.StateAsync(id))["pid"]}";
        Assert.Contains("Uid:\t101000\t101000\t101000\t101000", await File.ReadAllTextAsync(process + "/status", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(["0", "100000", "65536"], (await File.ReadAllTextAsync(process + "/uid_map", TestContext.Current.CancellationToken)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        var inside = (await host.RunAsync("exec", id, "sh", "-c", "echo $(id -u) $(wc -c </proc/kcore) $(cat /proc/uptime)")).Succeeded().Text.Split(' ');
        Assert.Equal(["1000", "0"], inside[..2]);
        Assert.InRange(double.Parse(inside[2], CultureInfo.InvariantCulture), clock[^1], clock[0] + 600);

        await File.WriteAllTextAsync(Path.Combine(bundle, "data/go"), "", TestContext.Current.CancellationToken);
        await host.WaitForStatusAsync(id, "stopped", seconds: 60);
        Assert.Equal("end\n", OciHost.Output(bundle));
        (await host.RunAsync("delete", id)).Succeeded();
    }

    [Fact]
    public async Task What_the_containers_root_can_not_be_is_said_and_leaves_nothing()
    {
        Criu.Need();
        var bundle = Bundle();
        var id = await host.RunCountingAsync(bundle);
        (await host.CheckpointAsync(bundle, id)).Succeeded();
        var path = Path.Combine(bundle, "config.json");
        var good = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(path, good.Replace("100000", "200000", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        (await host.RestoreAsync(bundle, id, "--detach")).Failed(1, "linux.uidMappings");
        await File.WriteAllTextAsync(path, good, TestContext.Current.CancellationToken);

        // Not everybody's files on a tmpfs, which has no id-mapped mounts before Linux 6.3.
        var copy = Path.Combine(host.Root + "-images");
        try
        {
            (await Command.RunAsync("cp", "-a", Path.Combine(bundle, "checkpoint"), copy)).Succeeded();
            (await Command.RunAsync("chmod", "-R", "go-rwx", copy)).Succeeded();
            var refused = await host.RestoreAsync(bundle, id, "--detach", "--image-path", copy);
            if (Environment.OSVersion.Version < new Version(6, 3))
            {
                refused.Failed(1, "as the container's root");
                (await host.RunAsync("state", id)).Failed(1, "container does not exist");
                Assert.DoesNotContain(host.Cgroups(), cgroup => cgroup.EndsWith("/" + Path.GetFileName(bundle), StringComparison.Ordinal));
            }
        }
        finally
        {
            Directory.Delete(copy, recursive: true);
        }
    }

    private string Bundle(Action<JsonNode>? change = null)
    {
        var bundle = host.BundleWithData(Counter, config =>
        {
            config["linux"]!["namespaces"]!.AsArray().Add(new JsonObject { ["type"] = "user" });
            foreach (var mappings in new[] { "uidMappings", "gidMappings" })
            {
                config["linux"]![mappings] = JsonNode.Parse("""[{ "containerID": 0, "hostID": 100000, "size": 65536 }]""");
            }

            change?.Invoke(config);
        });

        // The root is the host's, in which the container can make nothing.
        Directory.CreateDirectory(Path.Combine(host.RootFilesystem, "data"));
        File.SetUnixFileMode(Path.Combine(bundle, "data"), (UnixFileMode)511);
        return bundle;
    }
}
