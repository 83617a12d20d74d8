using System.Globalization;
using System.Text.Json.Nodes;

namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>Cgroups that systemd makes. Only a host that systemd runs has it; eng/vm/test.sh boots such ones.</summary>
public sealed class OciSystemdTests(OciHost host) : IClassFixture<OciHost>
{
    private const string BootMark = "/run/systemd/system";
    private const string Slice = "whoci-tests.slice";

    private static string NoSystemd => "systemd does not run this host; eng/vm/test.sh boots one that it does run";

    [Fact]
    public async Task Without_systemd_the_flag_is_refused_before_anything_is_made()
    {
        Assert.SkipWhen(Directory.Exists(BootMark), "systemd runs this host");
        var id = OciHost.NewId();
        var bundle = host.Bundle("true", config => config["linux"]!["cgroupsPath"] = $"{Slice}:test:{id}");
        (await host.RunAsync("--systemd-cgroup", "run", "--bundle", bundle, id)).Failed(1, "systemd does not run this host");
        Assert.False(Directory.Exists(Path.Combine(host.Root, id)));
    }

    [Fact]
    public async Task A_container_runs_in_a_scope_that_has_its_limits_and_delete_leaves_no_unit()
    {
        Assert.SkipUnless(Directory.Exists(BootMark), NoSystemd);
        var (bundle, id) = Bundle("cat /proc/self/cgroup; sleep 1000", """
            { "memory": { "limit": 67108864, "swap": 67108864 }, "cpu": { "quota": 50000, "period": 100000, "shares": 512, "cpus": "0" }, "pids": { "limit": 20 } }
            """);
        (await CreateAsync(bundle, id)).Succeeded();
        var unit = $"test-{id}.scope";
        var path = $"/whoci.slice/{Slice}/{unit}";
        Assert.Equal("active", await ShowAsync(unit, "ActiveState"));
        Assert.Equal(path, await ShowAsync(unit, "ControlGroup"));
        Assert.Equal("yes", await ShowAsync(unit, "Delegate"));
        Assert.Equal("20", await ShowAsync(unit, "TasksMax"));
        Assert.Equal("500ms", await ShowAsync(unit, "CPUQuotaPerSecUSec"));
        Assert.Equal("67108864", await ShowAsync(unit, IsUnified ? "MemoryMax" : "MemoryLimit"));
        Assert.Equal("67108864", Read(path, "memory", "memory.limit_in_bytes", "memory.max"));
        Assert.Equal("20", Read(path, "pids", "pids.max", "pids.max"));
        Assert.StartsWith("50000", Read(path, "cpu", "cpu.cfs_quota_us", "cpu.max"), StringComparison.Ordinal);
        Assert.Equal("0", Read(path, "cpuset", "cpuset.cpus", "cpuset.cpus"));

        (await host.RunAsync("start", id)).Succeeded();
        await Eventually.TrueAsync(() => OciHost.Output(bundle).EndsWith('\n'), "the program has run");
        AssertIsIn(path, OciHost.Output(bundle));
        AssertIsIn(path, (await host.RunAsync("exec", id, "cat", "/proc/self/cgroup")).Succeeded().Output);

        (await host.RunAsync("update", "--memory", "32m", "--memory-swap", "32m", "--pids-limit", "10", id)).Succeeded();
        Assert.Equal("33554432", await ShowAsync(unit, IsUnified ? "MemoryMax" : "MemoryLimit"));
        Assert.Equal("10", await ShowAsync(unit, "TasksMax"));
        Assert.Equal("33554432", Read(path, "memory", "memory.limit_in_bytes", "memory.max"));

        // What systemd does not know it would put back now.
        (await Command.RunAsync("systemctl", "daemon-reload")).Succeeded();
        Assert.Equal("active", await ShowAsync(unit, "ActiveState"));
        Assert.Equal("33554432", Read(path, "memory", "memory.limit_in_bytes", "memory.max"));
        Assert.Equal("10", Read(path, "pids", "pids.max", "pids.max"));

        (await host.RunAsync("delete", "--force", id)).Succeeded();
        Assert.Equal("not-found", await ShowAsync(unit, "LoadState"));
        Assert.Empty(Directories(path));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Devices_stay_as_allowed_through_a_reload_of_systemd(bool allowed)
    {
        Assert.SkipUnless(Directory.Exists(BootMark), NoSystemd);
        var (bundle, id) = Bundle(
            "sleep 1000",
            $$"""{ "devices": [{ "allow": false, "access": "rwm" }, { "allow": {{(allowed ? "true" : "false")}}, "type": "c", "major": 1, "minor": 4, "access": "rwm" }] }""",
            config => config["linux"]!["devices"] = JsonNode.Parse("""[{ "path": "/dev/ports", "type": "c", "major": 1, "minor": 4 }]"""));
        (await CreateAsync(bundle, id)).Succeeded();
        (await host.RunAsync("start", id)).Succeeded();
        for (var time = 0; time < 2; time++)
        {
            (await host.RunAsync("exec", id, "sh", "-c", "echo x >/dev/null && head -c 1 /dev/urandom >/dev/null")).Succeeded();
            Assert.Equal(allowed, (await host.RunAsync("exec", "--cap", "CAP_SYS_RAWIO", id, "sh", "-c", ": </dev/ports")).ExitCode == 0);
            (await Command.RunAsync("systemctl", "daemon-reload")).Succeeded();
        }

        Assert.Contains("/dev/char/1:3 rwm", await ShowAsync($"test-{id}.scope", "DeviceAllow"), StringComparison.Ordinal);
        (await host.RunAsync("delete", "--force", id)).Succeeded();
    }

    [Fact]
    public async Task A_container_that_names_no_cgroup_is_one_of_the_systems()
    {
        Assert.SkipUnless(Directory.Exists(BootMark), NoSystemd);
        var bundle = host.Bundle("cat /proc/self/cgroup", config => config["linux"]!.AsObject().Remove("cgroupsPath"));
        var id = OciHost.NewId();
        var run = (await host.RunAsync("--systemd-cgroup", "run", "--bundle", bundle, id)).Succeeded();
        AssertIsIn($"/system.slice/wherry-oci-{id}.scope", run.Output);
        Assert.Equal("not-found", await ShowAsync($"wherry-oci-{id}.scope", "LoadState"));
    }

    [Fact]
    public async Task Annotations_are_properties_of_the_scope()
    {
        Assert.SkipUnless(Directory.Exists(BootMark), NoSystemd);
        var (bundle, id) = Bundle("sleep 1000", "{}", config => config["annotations"] = new JsonObject
        {
            ["org.systemd.property.TimeoutStopSec"] = "300",
            ["org.systemd.property.Documentation"] = "['man:sh(1)']",
        });
        (await CreateAsync(bundle, id)).Succeeded();
        Assert.Equal("5min", await ShowAsync($"test-{id}.scope", "TimeoutStopUSec"));
        Assert.Contains("man:sh(1)", await ShowAsync($"test-{id}.scope", "Documentation"), StringComparison.Ordinal);
        (await host.RunAsync("delete", "--force", id)).Succeeded();

        foreach (var (name, value, reason) in new[] { ("TimeoutStopSec", "soon", "value parse error"), ("NoSuchProperty", "1", "NoSuchProperty") })
        {
            var refused = Bundle("true", "{}", config => config["annotations"] = new JsonObject { ["org.systemd.property." + name] = value });
            (await host.RunAsync("--systemd-cgroup", "run", "--bundle", refused.Bundle, refused.Id)).Failed(1, reason);
            Assert.False(Directory.Exists(Path.Combine(host.Root, refused.Id)));
            Assert.Equal("not-found", await ShowAsync($"test-{refused.Id}.scope", "LoadState"));
        }
    }

    [Fact]
    public async Task A_failed_create_and_an_end_by_the_kernels_hand_leave_no_unit()
    {
        Assert.SkipUnless(Directory.Exists(BootMark), NoSystemd);
        var missing = Bundle("true", "{}", config => config["process"]!["args"] = new JsonArray("/no/such/program"));
        Assert.NotEqual(0, (await CreateAsync(missing.Bundle, missing.Id)).ExitCode);
        Assert.Equal("not-found", await ShowAsync($"test-{missing.Id}.scope", "LoadState"));

        var (bundle, id) = Bundle("tail /dev/zero", """{ "memory": { "limit": 16777216, "swap": 16777216 } }""");
        Assert.Equal(137, (await host.RunAsync("--systemd-cgroup", "run", "--bundle", bundle, id)).ExitCode);
        Assert.Equal("not-found", await ShowAsync($"test-{id}.scope", "LoadState"));

        // The name is free again.
        Assert.Equal(137, (await host.RunAsync("--systemd-cgroup", "run", "--bundle", bundle, id)).ExitCode);
    }

    [Fact]
    public async Task Whatever_a_killed_create_leaves_of_a_scope_is_deleted_by_force()
    {
        Assert.SkipUnless(Directory.Exists(BootMark), NoSystemd);
        for (var time = 0; time < 6; time++)
        {
            var (bundle, id) = Bundle("sleep 1000", "{}");
            using (var create = Command.Start(Binaries.OciRuntime, ["--root", host.Root, "--systemd-cgroup", "create", "--bundle", bundle, id], null))
            {
                await Task.Delay(time * 30, TestContext.Current.CancellationToken);
                create.Kill();
                await create.WaitForExitAsync(TestContext.Current.CancellationToken);
            }

            (await host.RunAsync("delete", "--force", id)).Succeeded();
            Assert.Equal("not-found", await ShowAsync($"test-{id}.scope", "LoadState"));
            Assert.Empty(Directories($"/whoci.slice/{Slice}/test-{id}.scope"));
        }
    }

    [Fact]
    public async Task A_scope_of_that_name_that_is_anothers_is_left_alone()
    {
        Assert.SkipUnless(Directory.Exists(BootMark), NoSystemd);
        var (bundle, id) = Bundle("true", "{}");
        var unit = $"test-{id}.scope";
        using var other = Command.Start("systemd-run", ["--scope", "--unit", unit, "--slice", "whoci-other.slice", "sleep", "1000"], null);
        await Eventually.TrueAsync(async () => await ShowAsync(unit, "ActiveState") == "active", "the other scope is there");
        (await CreateAsync(bundle, id)).Exited(1);
        Assert.False(Directory.Exists(Path.Combine(host.Root, id)));
        Assert.Equal("active", await ShowAsync(unit, "ActiveState"));
        other.Kill();
        await other.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("not-a-slice:test:x", "invalid slice name")]
    [InlineData("a--b.slice:test:x", "invalid slice name")]
    [InlineData("/plain/path", "slice:prefix:name")]
    [InlineData("a.slice:test:x/y", "invalid name of a systemd unit")]
    public async Task A_cgroups_path_that_is_none_of_systemds_is_refused(string path, string message)
    {
        var bundle = host.Bundle("true", config => config["linux"]!["cgroupsPath"] = path);
        (await host.RunAsync("--systemd-cgroup", "run", "--bundle", bundle, OciHost.NewId())).Failed(1, message);
    }

    [Fact]
    public async Task The_systems_bus_leads_to_systemd_too()
    {
        Assert.SkipUnless(Directory.Exists(BootMark), NoSystemd);
        Assert.SkipUnless(File.Exists("/run/dbus/system_bus_socket"), "this host has no system bus");
        var (bundle, id) = Bundle("echo through the bus", """{ "pids": { "limit": 20 } }""");
        var run = await Command.RunAsync(
            "unshare", "--mount", "sh", "-c", "nobody=$1 && shift && : >\"$nobody\" && mount --bind \"$nobody\" /run/systemd/private && exec \"$@\"", "sh",
            Path.Combine(bundle, "nobody"), Binaries.OciRuntime, "--root", host.Root, "--systemd-cgroup", "run", "--bundle", bundle, id);
        Assert.Equal("through the bus", run.Succeeded().Text);
        Assert.Equal("not-found", await ShowAsync($"test-{id}.scope", "LoadState"));
    }

    [Fact]
    public async Task A_restored_container_is_in_a_scope_with_its_limits()
    {
        Assert.SkipUnless(Directory.Exists(BootMark), NoSystemd);
        Criu.Need();
        var (bundle, id) = Bundle("n=0; while true; do n=$((n+1)); echo $n >/tmp/now; sleep 0.05; done", """{ "memory": { "limit": 67108864 }, "pids": { "limit": 20 } }""");
        (await CreateAsync(bundle, id)).Succeeded();
        (await host.RunAsync("start", id)).Succeeded();
        var (unit, path) = ($"test-{id}.scope", $"/whoci.slice/{Slice}/test-{id}.scope");
        await Eventually.TrueAsync(async () => await NowAsync() > 3, "it counts", seconds: 60);
        (await host.CheckpointAsync(bundle, id)).Succeeded();
        Assert.Equal("not-found", await ShowAsync(unit, "LoadState"));

        (await host.RestoreAsync(bundle, ["--systemd-cgroup"], id, ["--detach"])).Succeeded();
        Assert.Equal("active", await ShowAsync(unit, "ActiveState"));
        Assert.Equal("20", await ShowAsync(unit, "TasksMax"));
        Assert.Equal("67108864", Read(path, "memory", "memory.limit_in_bytes", "memory.max"));
        AssertIsIn(path, await File.ReadAllTextAsync($"/proc/{(await host.StateAsync(id))["pid"]}/cgroup", TestContext.Current.CancellationToken));
        var then = await NowAsync();
        Assert.InRange(then, 4, int.MaxValue);
        await Eventually.TrueAsync(async () => await NowAsync() > then, "it counts on", seconds: 60);
        (await Command.RunAsync("systemctl", "daemon-reload")).Succeeded();
        Assert.Equal("20", Read(path, "pids", "pids.max", "pids.max"));
        (await host.RunAsync("delete", "--force", id)).Succeeded();
        Assert.Equal("not-found", await ShowAsync(unit, "LoadState"));
        Assert.Empty(Directories(path));

        async Task<int> NowAsync() =>
            int.TryParse((await host.RunAsync("exec", id, "cat", "/tmp/now")).Text, CultureInfo.InvariantCulture, out var now) ? now : 0;
    }

    [Fact]
    public async Task Podman_runs_its_containers_in_scopes()
    {
        Assert.SkipUnless(Directory.Exists(BootMark), NoSystemd);
        Binaries.Need("podman");
        var directory = CallerDirectory.Make("sysd");
        string[] options =
        [
            "--root", directory.File("root"), "--runroot", directory.File("run"), "--tmpdir", directory.File("tmp"),
            "--cgroup-manager", "systemd", "--events-backend", "file", "--storage-driver", "vfs", "--runtime", Binaries.OciRuntime,
        ];
        try
        {
            (await Command.RunAsync("podman", [.. options, "load", "-q", "-i", await BaseImages.ArchiveAsync(BaseImages.Busybox)])).Succeeded();
            var id = (await Command.RunAsync("podman", [.. options, "run", "-d", "--network", "none", "-m", "64m", "busybox", "sleep", "1000"])).Succeeded().Text;
            var unit = $"libpod-{id}.scope";
            Assert.Equal("active", await ShowAsync(unit, "ActiveState"));
            Assert.Equal("67108864", await ShowAsync(unit, IsUnified ? "MemoryMax" : "MemoryLimit"));
            Assert.Equal("inside", (await Command.RunAsync("podman", [.. options, "exec", id, "echo", "inside"])).Succeeded().Text);
            (await Command.RunAsync("podman", [.. options, "rm", "-f", "-t", "0", id])).Succeeded();
            Assert.Equal("not-found", await ShowAsync(unit, "LoadState"));
        }
        finally
        {
            await Command.RunAsync("podman", [.. options, "rm", "-f", "-t", "0", "--all"]);
            await directory.DisposeAsync();
        }
    }

    private static bool IsUnified => File.Exists("/sys/fs/cgroup/cgroup.controllers");

    private (string Bundle, string Id) Bundle(string script, string resources, Action<JsonNode>? change = null)
    {
        var id = OciHost.NewId();
        return (host.Bundle(script, config =>
        {
            config["linux"]!["cgroupsPath"] = $"{Slice}:test:{id}";
            config["linux"]!["resources"] = JsonNode.Parse(resources);
            change?.Invoke(config);
        }), id);
    }

    private Task<CommandResult> CreateAsync(string bundle, string id) => host.LeaveAsync(bundle, "--systemd-cgroup", "create", "--bundle", bundle, id);

    private static async Task<string> ShowAsync(string unit, string property) =>
        (await Command.RunAsync("systemctl", "show", "--property", property, "--value", unit)).Succeeded().Text;

    // In the tree that systemd counts processes in, and in one that limits them.
    private static void AssertIsIn(string path, string cgroups)
    {
        var lines = cgroups.Split('\n');
        Assert.Contains($"0::{path}", lines);
        if (!IsUnified)
        {
            Assert.Contains(lines, line => line.EndsWith($":memory:{path}", StringComparison.Ordinal));
        }
    }

    private static IEnumerable<string> Directories(string path) => new[] { "/sys/fs/cgroup" }.Concat(Directory.GetDirectories("/sys/fs/cgroup"))
        .Select(tree => tree + path)
        .Where(Directory.Exists);

    private static string Read(string path, string v1Controller, string v1File, string v2File) => File.ReadAllText(
        IsUnified ? $"/sys/fs/cgroup{path}/{v2File}" : string.Create(CultureInfo.InvariantCulture, $"/sys/fs/cgroup/{v1Controller}{path}/{v1File}")).Trim();
}
