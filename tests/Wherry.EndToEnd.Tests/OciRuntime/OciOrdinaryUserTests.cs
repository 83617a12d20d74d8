using System.Globalization;
using System.Text.Json.Nodes;

namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>What an ordinary user can do with wherry-oci, and what he is told that he can't.</summary>
public sealed class OciOrdinaryUserTests(OrdinaryOciHost oci) : IClassFixture<OrdinaryOciHost>
{
    private static readonly string[] Trees = ["memory", "pids"];

    private string Uid => oci.Host.Uid.ToString(CultureInfo.InvariantCulture);

    [Fact]
    public async Task What_spec_writes_for_him_runs_on_his_terminal()
    {
        var bundle = await oci.BundleAsync("tty; id -u; hostname; exit 7", config => config["process"]!["terminal"] = true);
        using var run = PseudoTerminal.Start(oci.Host.AsUser, [oci.Runtime, "run", "--bundle", bundle, OrdinaryOciHost.NewId()], null);
        await run.SeesAsync("/dev/pts/0");
        Assert.Equal(7, await run.ExitAsync());
        Assert.EndsWith("/dev/pts/0\r\n0\r\nwherry\r\n", run.Screen, StringComparison.Ordinal);
        Assert.Empty(oci.Ids());
    }

    [Fact]
    public async Task What_spec_writes_for_him_is_what_runc_writes()
    {
        Binaries.Need("runc");
        var ours = await oci.BundleAsync("true");
        var theirs = Path.Combine(oci.Host.Home, "runc");
        (await oci.Host.RunAsync("mkdir", theirs)).Succeeded();
        (await oci.Host.RunAsync("runc", "spec", "--rootless", "--bundle", theirs)).Succeeded();
        var (own, other) = (await ConfigAsync(ours), await ConfigAsync(theirs));
        foreach (var property in new[] { "uidMappings", "gidMappings", "resources" })
        {
            Assert.True(JsonNode.DeepEquals(own["linux"]![property], other["linux"]![property]), property);
        }

        // A cgroup namespace runc asks for on cgroup v2 alone.
        Assert.Equal(Texts(other["linux"]!["namespaces"]!, "type").Append("cgroup").Distinct().Order(StringComparer.Ordinal), Texts(own["linux"]!["namespaces"]!, "type"));

        // runc before 1.1 mounts a cgroup at a place that its bind of /sys then covers.
        Assert.Equal(
            Texts(other["mounts"]!, "destination").Where(path => path != "/sys/fs/cgroup"),
            Texts(own["mounts"]!, "destination"));
        foreach (var mount in own["mounts"]!.AsArray())
        {
            var same = other["mounts"]!.AsArray().Single(candidate => (string)candidate!["destination"]! == (string)mount!["destination"]!)!;
            Assert.True(JsonNode.DeepEquals(mount, same), mount!.ToJsonString() + same.ToJsonString());
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_container_lives_through_every_command(bool allIds)
    {
        var bundle = await oci.BundleAsync("echo $(cat /proc/self/uid_map) $(id -u); sleep 1000", config =>
        {
            if (allIds)
            {
                oci.MapAll(config);
            }
        });
        var id = await oci.CreateAsync(bundle);
        Assert.Equal("created", (string)(await oci.StateAsync(id))["status"]!);
        (await oci.RunAsync("start", id)).Succeeded();
        await Eventually.TrueAsync(() => Output(bundle).Length > 0, "it has written");
        Assert.Equal($"0 {Uid} 1{(allIds ? string.Create(CultureInfo.InvariantCulture, $" 1 {oci.Host.FirstSubordinateId} 65536") : "")} 0\n", Output(bundle));

        Assert.Contains(id, (await oci.RunAsync("list")).Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains("sleep 1000", (await oci.RunAsync("ps", id)).Succeeded().Output, StringComparison.Ordinal);
        var exec = (await oci.RunAsync("exec", id, "sh", "-c", "grep ^CapEff /proc/self/status; echo out > /dev/null; exit 9")).Exited(9);
        Assert.Equal("CapEff:\t0000000020000420", exec.Text);
        if (allIds)
        {
            Assert.Equal("1000", (await oci.RunAsync("exec", "-u", "1000:1000", id, "id", "-u")).Succeeded().Text);
        }
        else
        {
            (await oci.RunAsync("exec", "-u", "1000:1000", id, "true")).Refused("user");
        }

        using (var terminal = PseudoTerminal.Start(oci.Host.AsUser, [oci.Runtime, "exec", "--tty", id, "sh", "-c", "tty; exit 5"], null))
        {
            await terminal.SeesAsync("/dev/pts/0");
            Assert.Equal(5, await terminal.ExitAsync());
        }

        foreach (var command in new string[][] { ["pause", id], ["update", "--pids-limit", "5", id], ["events", "--stats", id] })
        {
            (await oci.RunAsync(command)).Refused("has none");
        }

        (await oci.RunAsync("delete", id)).Refused("not stopped");
        (await oci.RunAsync("kill", id, "KILL")).Succeeded();
        await oci.WaitForStatusAsync(id, "stopped");
        (await oci.RunAsync("delete", id)).Succeeded();
        Assert.DoesNotContain(id, oci.Ids());
    }

    [Fact]
    public async Task Without_a_cgroup_force_still_ends_all_of_a_container()
    {
        var bundle = await oci.BundleAsync("sleep 4711 & (sleep 4711 & sleep 4711) & sleep 4711");
        var id = await oci.CreateAsync(bundle);
        (await oci.RunAsync("start", id)).Succeeded();
        await Eventually.TrueAsync(() => Sleepers() == 4, "four of them run");
        Assert.Equal(4, (await oci.RunAsync("ps", id)).Succeeded().Lines.Count(line => line.Contains("sleep 4711", StringComparison.Ordinal)));
        (await oci.RunAsync("kill", "--all", id, "0")).Succeeded();
        (await oci.RunAsync("delete", "--force", id)).Succeeded();
        await Eventually.TrueAsync(() => Sleepers() == 0, "none is left");

        int Sleepers() => oci.Host.Processes().Count(process => process.Contains("sleep 4711", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Limits_that_cannot_be_had_are_refused_by_name_before_anything_is_made()
    {
        var bundle = await oci.BundleAsync("true", config => config["linux"]!["resources"] = JsonNode.Parse(
            """{ "memory": { "limit": 67108864 }, "cpu": { "quota": 50000 }, "pids": { "limit": 50 }, "devices": [{ "allow": false, "access": "rwm" }] }"""));
        (await oci.RunBundleAsync(bundle)).Refused("linux.resources.memory, linux.resources.cpu, linux.resources.pids");
        Assert.Empty(oci.Ids());

        // Rules on devices ask for nothing that a user namespace does not do by itself.
        var devices = await oci.BundleAsync("echo fine", config => config["linux"]!["resources"] = JsonNode.Parse("""{ "devices": [{ "allow": false, "access": "rwm" }] }"""));
        Assert.Equal("fine", (await oci.RunBundleAsync(devices)).Succeeded().Text);
    }

    [Fact]
    public async Task In_a_cgroup_that_is_his_limits_hold()
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"whord-{Environment.ProcessId}");
        var isUnified = File.Exists("/sys/fs/cgroup/cgroup.controllers");
        var own = isUnified ? [$"/sys/fs/cgroup/{name}"] : Trees.Select(tree => $"/sys/fs/cgroup/{tree}/{name}").ToArray();
        try
        {
            foreach (var cgroup in own)
            {
                await GiveAsync(isUnified, cgroup);
            }

            var bundle = await oci.BundleAsync("echo; sleep 1000", config =>
            {
                config["linux"]!["cgroupsPath"] = $"/{name}/one";
                config["linux"]!["resources"] = JsonNode.Parse("""{ "memory": { "limit": 67108864 }, "pids": { "limit": 50 } }""");
            });
            var id = OrdinaryOciHost.NewId();
            await MovedAsync(isUnified, own[0], $"exec {oci.Runtime} run --detach --bundle {bundle} {id} </dev/null >{bundle}/output 2>{bundle}/error");
            Assert.Equal("67108864", (await File.ReadAllTextAsync(isUnified ? own[0] + "/one/memory.max" : own[0] + "/one/memory.limit_in_bytes", TestContext.Current.CancellationToken)).Trim());
            Assert.Equal("50", (await File.ReadAllTextAsync(own[^1] + "/one/pids.max", TestContext.Current.CancellationToken)).Trim());
            (await oci.RunAsync("update", "--pids-limit", "40", id)).Succeeded();
            Assert.Equal("40", (await File.ReadAllTextAsync(own[^1] + "/one/pids.max", TestContext.Current.CancellationToken)).Trim());
            await MovedAsync(isUnified, own[0], $"exec {oci.Runtime} exec {id} true");
            Assert.Contains("sleep 1000", (await oci.RunAsync("ps", id)).Succeeded().Output, StringComparison.Ordinal);
            (await oci.RunAsync("delete", "--force", id)).Succeeded();
            Assert.DoesNotContain(own, cgroup => Directory.Exists(cgroup + "/one"));
        }
        finally
        {
            await Command.ShellAsync(string.Join("; ", own.Select(cgroup => $"rmdir {cgroup}/session {cgroup}")));
        }
    }

    [Fact]
    public async Task A_container_without_a_user_namespace_is_refused()
    {
        var bundle = await oci.BundleAsync("true", config =>
        {
            var linux = config["linux"]!.AsObject();
            linux.Remove("uidMappings");
            linux.Remove("gidMappings");
            linux["namespaces"]!.AsArray().RemoveAt(linux["namespaces"]!.AsArray().Count - 1);
        });
        (await oci.RunBundleAsync(bundle)).Refused("user namespace");
        Assert.Empty(oci.Ids());
        (await oci.RunAsync("--systemd-cgroup", "run", "--bundle", bundle, "none"))
            .Refused(DelegatedCgroup.IsUnified ? "no service manager" : "ordinary users on cgroup v1");
    }

    [Fact]
    public async Task Ids_that_are_not_his_are_refused()
    {
        var bundle = await oci.BundleAsync("true", config => config["linux"]!["uidMappings"] = JsonNode.Parse("""[{ "containerID": 0, "hostID": 0, "size": 1 }]"""));
        (await oci.RunBundleAsync(bundle)).Refused("/etc/subuid");
        var user = await oci.BundleAsync("true", config => config["process"]!["user"]!["uid"] = 5);
        (await oci.RunBundleAsync(user)).Refused("process.user.uid");
        Assert.Empty(oci.Ids());
    }

    [Fact]
    public async Task Nothing_of_roots_can_be_read_or_written()
    {
        var secret = Path.Combine(oci.Host.Directory, "secret");
        await File.WriteAllTextAsync(secret, "root's own\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(secret, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Directory.CreateDirectory(Path.Combine(oci.RootFilesystem, "host"));
        var bundle = await oci.BundleAsync("cat /host/secret; touch /host/made; echo x > /proc/sys/kernel/core_pattern; echo x > /sys/kernel/uevent_helper; mount -t tmpfs none /tmp || true", config =>
            config["mounts"]!.AsArray().Add(JsonNode.Parse($$"""{ "destination": "/host", "type": "bind", "source": "{{oci.Host.Directory}}", "options": ["rbind"] }""")));
        var result = (await oci.RunBundleAsync(bundle)).Succeeded();
        Assert.Equal("", result.Text);
        Assert.False(File.Exists(Path.Combine(oci.Host.Directory, "made")));
    }

    /// <summary>CVE-2019-5736: where the user's own binary is what runs, a container of his must not be able to change it.</summary>
    [Fact]
    public async Task His_own_binary_cannot_be_written_through_what_runs_it()
    {
        var own = Path.Combine(oci.Host.Home, "wherry-oci");
        File.Copy(oci.Runtime, own);
        await Command.RunAsync("/bin/chown", oci.Owner, own);
        var bundle = await oci.BundleAsync("sleep 1000");
        var id = OrdinaryOciHost.NewId();
        (await oci.Host.RunAsync("sh", "-c", $"exec {own} create --bundle {bundle} {id} </dev/null >{bundle}/output 2>&1")).Succeeded();

        // The stage, which waits for the start; then the one of an exec.
        var stage = (int)(await oci.StateAsync(id))["pid"]!;
        Assert.StartsWith("/memfd:", File.ResolveLinkTarget($"/proc/{stage}/exe", returnFinalTarget: false)!.ToString(), StringComparison.Ordinal);
        (await oci.RunAsync("start", id)).Succeeded();
        using var exec = Command.Start(oci.Host.AsUser, [own, "exec", id, "sleep", "1000"], null);
        await Eventually.TrueAsync(() => oci.Host.Processes().Count(process => process.Contains("sleep 1000", StringComparison.Ordinal)) == 3, "the exec runs");
        var runtime = oci.Host.Processes().Single(process => process.Contains(own + " exec", StringComparison.Ordinal)).Split(' ')[0];
        Assert.StartsWith("/memfd:", File.ResolveLinkTarget($"/proc/{runtime}/exe", returnFinalTarget: false)!.ToString(), StringComparison.Ordinal);
        (await oci.RunAsync("delete", "--force", id)).Succeeded();
        await exec.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    private async Task GiveAsync(bool isUnified, string cgroup)
    {
        Directory.CreateDirectory(cgroup + (isUnified ? "/session" : ""));
        var files = isUnified ? "cgroup.procs cgroup.subtree_control cgroup.threads session session/cgroup.procs" : "cgroup.procs tasks";
        var above = isUnified ? $"echo '+memory +pids' > /sys/fs/cgroup/cgroup.subtree_control; " : "";
        (await Command.ShellAsync($"{above}cd {cgroup} && chown {oci.Owner} . {files}")).Succeeded();
    }

    // On v2 a process is moved by who may write where it comes from, too: so it begins in a cgroup that is his.
    private async Task MovedAsync(bool isUnified, string cgroup, string script)
    {
        var move = isUnified ? $"echo $$ > {cgroup}/session/cgroup.procs; " : "";
        (await Command.ShellAsync($"{move}exec {oci.Host.AsUser} sh -c '{script}'")).Succeeded();
    }

    private static string Output(string bundle) => File.ReadAllText(Path.Combine(bundle, "output"));

    private static async Task<JsonNode> ConfigAsync(string bundle) =>
        JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(bundle, "config.json"), TestContext.Current.CancellationToken))!;

    private static IEnumerable<string> Texts(JsonNode list, string property) =>
        list.AsArray().Select(entry => (string)entry![property]!).Order(StringComparer.Ordinal);
}
