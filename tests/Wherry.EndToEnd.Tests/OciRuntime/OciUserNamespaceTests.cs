using System.Globalization;
using System.Text.Json.Nodes;

namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>Bundles with <c>uidMappings</c>, by wherry-oci's commands.</summary>
public sealed class OciUserNamespaceTests(OciHost host) : IClassFixture<OciHost>
{
    [Fact]
    public async Task A_mapped_container_lives_through_every_command()
    {
        var bundle = host.Bundle("echo $(cat /proc/self/uid_map /proc/self/gid_map) $(id -u); sleep 1000", Mapped);
        var id = await host.CreateAsync(bundle);
        Assert.Equal("created", await host.StatusAsync(id));
        (await host.RunAsync("start", id)).Succeeded();
        await Eventually.TrueAsync(() => OciHost.Output(bundle).Length > 0, "it has written");
        Assert.Equal("0 200000 65536 0 300000 65536 0\n", OciHost.Output(bundle));

        var pid = (int)(await host.StateAsync(id))["pid"]!;
        Assert.Contains("Uid:\t200000", await File.ReadAllTextAsync($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/status", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal("0 0 200000", (await host.RunAsync("exec", id, "sh", "-c", "echo $(id -u) $(id -g) $(head -1 /proc/self/uid_map | grep -o 200000)")).Succeeded().Text);
        Assert.Equal("1000", (await host.RunAsync("exec", "-u", "1000:1000", id, "sh", "-c", "echo $(id -u) > /dev/stdout")).Succeeded().Text);
        (await host.RunAsync("exec", "-u", "70000:0", id, "true")).Refused("");

        (await host.RunAsync("pause", id)).Succeeded();
        Assert.Equal("paused", await host.StatusAsync(id));
        (await host.RunAsync("resume", id)).Succeeded();
        (await host.RunAsync("update", "--pids-limit", "77", id)).Succeeded();
        Assert.Contains("sleep 1000", (await host.RunAsync("ps", id)).Succeeded().Output, StringComparison.Ordinal);
        (await host.RunAsync("kill", id, "KILL")).Succeeded();
        await host.WaitForStatusAsync(id, "stopped");
        (await host.RunAsync("delete", id)).Succeeded();
    }

    [Fact]
    public async Task What_the_host_s_root_owns_is_nobody_s_inside_and_not_to_be_changed()
    {
        var source = Path.Combine(host.Directory, "source");
        Directory.CreateDirectory(source);
        await File.WriteAllTextAsync(Path.Combine(source, "secret"), "x", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(Path.Combine(source, "secret"), UnixFileMode.UserRead);
        var bundle = host.Bundle("ls -ln /bound/secret | grep -c ' 65534 *65534 '; cat /bound/secret || echo refused; touch /bound/new || echo refused", config =>
        {
            Mapped(config);
            config["mounts"]!.AsArray().Add(JsonNode.Parse($$"""{ "destination": "/bound", "type": "bind", "source": "{{source}}", "options": ["bind"] }"""));
            config["root"]!["readonly"] = false;
        });
        Directory.CreateDirectory(Path.Combine(host.RootFilesystem, "bound"));
        var result = (await host.RunAsync("run", "--bundle", bundle, OciHost.NewId())).Succeeded();
        Assert.Equal(["1", "refused", "refused"], result.Lines);
    }

    [Fact]
    public async Task A_namespace_is_joined_with_its_mappings()
    {
        var first = host.Bundle("sleep 1000", Mapped);
        var id = await host.CreateAsync(first);
        (await host.RunAsync("start", id)).Succeeded();
        var path = $"/proc/{(int)(await host.StateAsync(id))["pid"]!}/ns/user";
        var bundle = host.Bundle("readlink /proc/self/ns/user; id -u", config =>
        {
            Mapped(config);
            config["linux"]!["namespaces"]!.AsArray()[^1]!["path"] = path;
        });
        Assert.Equal([File.ResolveLinkTarget(path, returnFinalTarget: false)!.Name, "0"], (await host.RunAsync("run", "--bundle", bundle, OciHost.NewId())).Succeeded().Lines);
        (await host.RunAsync("delete", "--force", id)).Succeeded();
    }

    [Theory]
    [InlineData("""[{ "containerID": 1, "hostID": 200000, "size": 10 }]""", "linux.uidMappings")]
    [InlineData("""[{ "containerID": 0, "hostID": 200000, "size": 0 }]""", "linux.uidMappings")]
    [InlineData("""[{ "containerID": 0, "hostID": 4294967290, "size": 100 }]""", "linux.uidMappings")]
    [InlineData("[]", "linux.uidMappings")]
    public async Task Mappings_that_are_none_are_refused_by_name(string mappings, string property)
    {
        var bundle = host.Bundle("true", config =>
        {
            Mapped(config);
            config["linux"]!["uidMappings"] = JsonNode.Parse(mappings);
        });
        (await host.RunAsync("run", "--bundle", bundle, OciHost.NewId())).Refused(property);
        Assert.Empty(host.Cgroups());
    }

    [Fact]
    public async Task Terminal_limits_and_parameters_are_there_too()
    {
        var bundle = host.Bundle("ulimit -n; cat /proc/sys/net/ipv4/ip_forward; cat /proc/self/oom_score_adj; echo x > /proc/sys/kernel/core_pattern || echo refused", config =>
        {
            Mapped(config);
            config["process"]!["rlimits"] = JsonNode.Parse("""[{ "type": "RLIMIT_NOFILE", "soft": 99, "hard": 100 }]""");
            config["process"]!["oomScoreAdj"] = 77;
            config["linux"]!["sysctl"] = JsonNode.Parse("""{ "net.ipv4.ip_forward": "1" }""");
        });
        Assert.Equal(["99", "1", "77", "refused"], (await host.RunAsync("run", "--bundle", bundle, OciHost.NewId())).Succeeded().Lines);
    }

    private static void Mapped(JsonNode config)
    {
        config["linux"]!["namespaces"]!.AsArray().Add(JsonNode.Parse("""{ "type": "user" }"""));
        config["linux"]!["uidMappings"] = JsonNode.Parse("""[{ "containerID": 0, "hostID": 200000, "size": 65536 }]""");
        config["linux"]!["gidMappings"] = JsonNode.Parse("""[{ "containerID": 0, "hostID": 300000, "size": 65536 }]""");
    }
}
