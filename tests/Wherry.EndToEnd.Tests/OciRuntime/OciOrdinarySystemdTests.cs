using System.Text.Json.Nodes;

namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>An ordinary user's cgroups that his own service manager makes. His commands come from outside what that has been given.</summary>
public sealed class OciOrdinarySystemdTests(OrdinarySystemdHost host) : IClassFixture<OrdinarySystemdHost>
{
    private const string Limits = """{ "memory": { "limit": 67108864, "swap": 67108864 }, "pids": { "limit": 20 } }""";

    private OrdinaryOciHost Oci => host.Oci;

    private UserManager Manager => host.Manager;

    [Fact]
    public async Task A_container_is_in_a_scope_of_his_that_has_its_limits_and_delete_leaves_no_unit()
    {
        UserManager.Need();
        var bundle = await BundleAsync("cat /proc/self/cgroup; sleep 1000", "", Limits);
        var id = await Oci.CreateAsync(bundle, "--systemd-cgroup");
        var unit = $"wherry-oci-{id}.scope";
        var path = $"{Manager.ControlGroup}/user.slice/{unit}";
        Assert.Equal(path, await Manager.ShowAsync(unit, "ControlGroup"));
        Assert.Equal("yes", await Manager.ShowAsync(unit, "Delegate"));
        Assert.Equal("67108864", await Manager.ShowAsync(unit, "MemoryMax"));
        Assert.Equal("67108864", Read(path, "memory.max"));
        Assert.Equal("20", Read(path, "pids.max"));

        (await Oci.RunAsync("start", id)).Succeeded();
        await Eventually.TrueAsync(() => Output(bundle).EndsWith('\n'), "the program has run");
        Assert.Equal($"0::{path}\n", await File.ReadAllTextAsync($"/proc/{(await Oci.StateAsync(id))["pid"]}/cgroup", TestContext.Current.CancellationToken));

        // It has a cgroup namespace, whose root is the scope.
        Assert.Equal("0::/\n", Output(bundle));
        Assert.Equal("0::/", (await Oci.RunAsync("exec", id, "cat", "/proc/self/cgroup")).Succeeded().Text);
        Assert.Contains("sleep 1000", (await Oci.RunAsync("ps", id)).Succeeded().Output, StringComparison.Ordinal);

        (await Oci.RunAsync("update", "--cpu-quota", "50000", "--memory", "32m", "--memory-swap", "32m", id)).Succeeded();
        (await Manager.SystemctlAsync("daemon-reload")).Succeeded();
        Assert.Equal("33554432", await Manager.ShowAsync(unit, "MemoryMax"));
        Assert.Equal("33554432", Read(path, "memory.max"));
        Assert.Equal("50000 100000", Read(path, "cpu.max"));
        (await Oci.RunAsync("update", "--cpuset-cpus", "0", id)).Refused("linux.resources.cpu.cpus");

        (await Oci.RunAsync("pause", id)).Succeeded();
        Assert.Equal("paused", (string)(await Oci.StateAsync(id))["status"]!);
        (await Oci.RunAsync("resume", id)).Succeeded();
        (await Oci.RunAsync("delete", "--force", id)).Succeeded();
        await AssertNothingIsLeftAsync(id);
    }

    [Fact]
    public async Task A_slice_may_be_named_and_his_bus_leads_to_his_manager_too()
    {
        UserManager.Need();
        var bundle = await BundleAsync("cat /proc/self/cgroup; exit 7", "mine-of.slice:test:one", Limits, config =>
        {
            var namespaces = config["linux"]!["namespaces"]!.AsArray();
            namespaces.Remove(namespaces.First(one => (string)one!["type"]! == "cgroup"));
        });
        var bus = Path.Combine(Oci.Host.RuntimeDirectory, "bus");
        await Eventually.TrueAsync(() => File.Exists(bus), "the user has a bus");
        string[] command =
            [Oci.Runtime, "--root", Path.Combine(Oci.Host.Home, "state"), "--systemd-cgroup", "run", "--bundle", bundle, OrdinaryOciHost.NewId()];
        var run = await Oci.Host.RunAsync(["env", "-u", "XDG_RUNTIME_DIR", $"DBUS_SESSION_BUS_ADDRESS=unix:path={bus},guid=0", .. command]);
        Assert.Equal($"0::{Manager.ControlGroup}/mine.slice/mine-of.slice/test-one.scope", run.Exited(7).Text);
        Assert.Equal("not-found", await Manager.ShowAsync("test-one.scope", "LoadState"));
        Assert.False(Directory.Exists($"/sys/fs/cgroup{Manager.ControlGroup}/mine.slice/mine-of.slice/test-one.scope"));
    }

    [Fact]
    public async Task What_cannot_be_is_refused_before_anything_is_made()
    {
        UserManager.Need();
        var processors = await BundleAsync("true", "", """{ "cpu": { "cpus": "0" } }""");
        (await RunAsync(processors)).Refused("linux.resources.cpu.cpus: can't be limited");
        (await RunAsync(await BundleAsync("true", "/plain/path", "{}"))).Refused("slice:prefix:name");
        var bundle = await BundleAsync("true", "", "{}");
        (await Oci.Host.RunAsync("env", "-u", "XDG_RUNTIME_DIR", Oci.Runtime, "--root", Oci.Root, "--systemd-cgroup", "run", "--bundle", bundle, "none"))
            .Refused("no service manager");
        await AssertNothingIsLeftAsync("none");

        var missing = await BundleAsync("true", "", "{}", config => config["process"]!["args"] = new JsonArray("/no/such/program"));
        Assert.NotEqual(0, (await RunAsync(missing)).ExitCode);
        await AssertNothingIsLeftAsync("none");
    }

    [Fact]
    public async Task His_podman_needs_no_option_for_its_cgroups()
    {
        UserManager.Need();
        Binaries.Need("podman");
        var archive = Path.Combine(Oci.Host.Directory, "busybox.tar");
        File.Copy(await BaseImages.ArchiveAsync(BaseImages.Busybox), archive);
        (await PodmanAsync("load", "-q", "-i", archive)).Succeeded();
        var id = (await PodmanAsync("run", "-d", "--network", "none", "-m", "64m", "busybox", "sleep", "1000")).Succeeded().Text;
        try
        {
            var unit = $"libpod-{id}.scope";
            var path = await Manager.ShowAsync(unit, "ControlGroup");
            Assert.StartsWith($"{Manager.ControlGroup}/user.slice/", path, StringComparison.Ordinal);
            Assert.Equal("67108864", Read(path, "memory.max"));
            Assert.Equal("inside", (await PodmanAsync("exec", id, "echo", "inside")).Succeeded().Text);
            (await PodmanAsync("rm", "-f", "-t", "0", id)).Succeeded();
            Assert.Equal("not-found", await Manager.ShowAsync(unit, "LoadState"));
        }
        finally
        {
            await PodmanAsync("rm", "-f", "-t", "0", "--all");
        }
    }

    // Neither of the container nor of the commands.
    private async Task AssertNothingIsLeftAsync(string id)
    {
        Assert.DoesNotContain(id, Oci.Ids());
        await Eventually.TrueAsync(
            async () => !(await Manager.SystemctlAsync("list-units", "--all", "--plain", "--no-legend", "--type", "scope")).Succeeded().Output.Contains("wherry-oci", StringComparison.Ordinal),
            "no scope is left");
        Assert.Empty(Directory.GetDirectories($"/sys/fs/cgroup{Manager.ControlGroup}", "wherry-oci*", SearchOption.AllDirectories));
    }

    private Task<string> BundleAsync(string script, string path, string limits, Action<JsonNode>? change = null) => Oci.BundleAsync(script, config =>
    {
        config["linux"]!["cgroupsPath"] = path;
        config["linux"]!["resources"] = JsonNode.Parse(limits);
        change?.Invoke(config);
    });

    private Task<CommandResult> RunAsync(string bundle) => Oci.RunAsync("--systemd-cgroup", "run", "--bundle", bundle, OrdinaryOciHost.NewId());

    private Task<CommandResult> PodmanAsync(params string[] arguments) => Oci.Host.RunAsync(
        ["podman", "--events-backend", "file", "--storage-driver", "vfs", "--runtime", Oci.Host.Program("wherry-oci"), .. arguments]);

    private static string Output(string bundle) => File.ReadAllText(Path.Combine(bundle, "output"));

    private static string Read(string path, string file) => File.ReadAllText($"/sys/fs/cgroup{path}/{file}").Trim();
}
