using System.Text.Json;

namespace Wherry.EndToEnd.Tests;

/// <summary>
/// The AppArmor profile of containers, on kernels that have it. Profiles are the whole kernel's, so no other test may run
/// beside those that take one away.
/// </summary>
[Collection(AppArmorCollection.Name)]
public sealed class AppArmorTests(EngineFixture fixture) : EngineTests(fixture)
{
    private const string Default = "wherry-default";
    private const string OwnLabel = "/proc/self/attr/current";

    [Theory, BothClients]
    public async Task A_container_and_what_is_run_in_it_are_under_the_engines_own_profile(string client)
    {
        AppArmorPolicy.Require();
        var id = await Client(client).DetachedAsync("busybox", "sleep", "300");
        Assert.Equal($"{Default} (enforce)", await Client(client).TextAsync("exec", id, "cat", OwnLabel));
        Assert.Equal($"{Default} (enforce)", await Client(client).TextAsync("exec", "--privileged", id, "cat", OwnLabel));
        Assert.Equal($"{Default} (enforce)", (await File.ReadAllTextAsync($"/proc/{await Client(client).FieldAsync(id, "{{.State.Pid}}")}/attr/current", TestContext.Current.CancellationToken)).Trim());
        Assert.Equal(Default, await Client(client).FieldAsync(id, "{{.AppArmorProfile}}"));
        Assert.Contains("name=apparmor", await Client(client).TextAsync("info", "--format", "{{.SecurityOptions}}"), StringComparison.Ordinal);
        await Client(client).RemoveAsync(id);

        Assert.Equal($"{Default} (enforce)", await Client(client).TextAsync("run", "--rm", "--security-opt", "no-new-privileges", "-u", "1000", "--cap-drop", "ALL", "busybox", "cat", OwnLabel));
        Assert.Equal($"{Default} (enforce)", await Wherry.TextAsync("run", "--rm", "--userns", "auto", "busybox", "cat", OwnLabel));
    }

    [Theory, BothClients]
    public async Task What_the_container_may_mount_by_its_capabilities_the_profile_refuses(string client)
    {
        AppArmorPolicy.Require();
        string[] mount = ["busybox", "mount", "-t", "tmpfs", "none", "/mnt"];
        (await Client(client).RunAsync(["run", "--rm", "--cap-add", "SYS_ADMIN", .. mount])).Refused("permission denied");
        (await Client(client).RunAsync(["run", "--rm", "--cap-add", "SYS_ADMIN", "--security-opt", "apparmor=unconfined", .. mount])).Succeeded();
        (await Client(client).RunAsync(["run", "--rm", "--privileged", .. mount])).Succeeded();
        Assert.Equal("unconfined", await Client(client).TextAsync("run", "--rm", "--privileged", "busybox", "cat", OwnLabel));
    }

    [Theory]
    [InlineData("/proc/sys/net/ipv4/ip_forward", "1")]
    [InlineData("/proc/sysrq-trigger", "h")]
    public async Task What_is_neither_masked_nor_read_only_is_still_not_to_be_written(string file, string text)
    {
        AppArmorPolicy.Require();
        string[] run = ["run", "--rm", "--cap-add", "NET_ADMIN", "--security-opt", "systempaths=unconfined"];
        string[] write = ["busybox", "sh", "-c", $"echo {text} > {file}"];
        (await Docker.RunAsync([.. run, .. write])).Refused("permission denied");
        (await Docker.RunAsync([.. run, "--security-opt", "apparmor=unconfined", .. write])).Succeeded();

        // What is the container's own stays so.
        (await Docker.RunAsync([.. run, "busybox", "sh", "-c", "echo 500 > /proc/self/oom_score_adj && echo 1 > /proc/sys/kernel/shm_rmid_forced"])).Succeeded();
    }

    [Theory, BothClients]
    public async Task The_init_process_is_under_the_profile_and_can_be_signalled_from_inside_and_outside(string client)
    {
        AppArmorPolicy.Require();
        var id = await Client(client).DetachedAsync("--init", "busybox", "sh", "-c", "trap 'exit 9' TERM; while :; do sleep 0.1; done");
        Assert.Equal($"{Default} (enforce)", (await File.ReadAllTextAsync($"/proc/{await Client(client).FieldAsync(id, "{{.State.Pid}}")}/attr/current", TestContext.Current.CancellationToken)).Trim());
        (await Client(client).RunAsync("exec", id, "kill", "-TERM", "1")).Succeeded();
        Assert.Equal("9", await Client(client).TextAsync("wait", id));
        (await Client(client).RunAsync("start", id)).Succeeded();
        (await Client(client).RunAsync("kill", "-s", "TERM", id)).Succeeded();
        Assert.Equal("9", await Client(client).TextAsync("wait", id));
        await Client(client).RemoveAsync(id);
    }

    [Fact]
    public async Task Processes_of_the_container_see_and_signal_one_another()
    {
        AppArmorPolicy.Require();
        var id = await Docker.DetachedAsync("--cap-add", "SYS_PTRACE", "busybox", "sh", "-c", "sleep 300 & wait; exec tail -f /dev/null");
        Assert.Equal("sleep", await Docker.TextAsync("exec", id, "sh", "-c", "basename $(tr '\\0' ' ' < /proc/$(pidof sleep)/cmdline | cut -d' ' -f1)"));
        (await Docker.RunAsync("exec", id, "sh", "-c", "readlink /proc/$(pidof sleep)/root && killall sleep")).Succeeded();
        await Eventually.TrueAsync(async () => (await Docker.RunAsync("exec", id, "pidof", "tail")).ExitCode == 0, "who waited for it goes on");
        await Docker.RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task A_profile_of_the_users_own_is_applied_and_an_unknown_one_refused_by_name(string client)
    {
        AppArmorPolicy.Require();
        await AppArmorPolicy.LoadAsync("profile wherry-test-own flags=(attach_disconnected) {\n file,\n capability,\n network,\n signal,\n deny /etc/own w,\n}\n");
        try
        {
            string[] own = ["run", "--rm", "--security-opt", "apparmor=wherry-test-own", "busybox", "sh", "-c"];
            Assert.Equal("wherry-test-own (enforce)", await Client(client).TextAsync([.. own, $"cat {OwnLabel}"]));
            (await Client(client).RunAsync([.. own, "echo x > /etc/other"])).Succeeded();
            (await Client(client).RunAsync([.. own, "echo x > /etc/own"])).Refused("permission denied");
            var id = await Client(client).TextAsync("create", "--security-opt", "apparmor=wherry-test-own", "busybox", "true");
            await AppArmorPolicy.RemoveAsync("wherry-test-own");
            (await Client(client).RunAsync("start", id)).Refused("wherry-test-own");
            await Client(client).RemoveAsync(id);
        }
        finally
        {
            if (AppArmorPolicy.Has("wherry-test-own"))
            {
                await AppArmorPolicy.RemoveAsync("wherry-test-own");
            }
        }

        var before = await Client(client).TextAsync("ps", "-aq");
        (await Client(client).RunAsync("run", "--rm", "--security-opt", "apparmor=no-such-profile", "busybox", "true")).Failed(125, "no-such-profile");
        Assert.Equal(before, await Client(client).TextAsync("ps", "-aq"));
    }

    [Fact]
    public async Task The_report_shows_the_profile_and_what_is_missing_without_it()
    {
        AppArmorPolicy.Require();
        var with = await Wherry.DetachedAsync("busybox", "sleep", "300");
        var without = await Wherry.DetachedAsync("--security-opt", "apparmor=unconfined", "busybox", "sleep", "300");
        Assert.Contains($"Label:                {Default} (enforce)", await Wherry.TextAsync("security", with), StringComparison.Ordinal);
        Assert.DoesNotContain("AppArmor", await Wherry.TextAsync("security", with), StringComparison.Ordinal);
        var report = JsonDocument.Parse(await Wherry.TextAsync("security", "--json", without)).RootElement;
        Assert.Equal("unconfined", report.GetProperty("AppArmor").GetString());
        Assert.Contains(report.GetProperty("Findings").EnumerateArray(), finding => finding.GetProperty("Fix").GetString() == "leave out --security-opt apparmor=unconfined");
        Assert.Equal("unconfined", await Wherry.FieldAsync(without, "{{.AppArmorProfile}}"));
        await Wherry.RemoveAsync(with, without);
    }

    [Fact]
    public async Task A_profile_that_the_kernel_has_forgotten_is_loaded_again_by_the_next_start()
    {
        AppArmorPolicy.Require();
        await AppArmorPolicy.RemoveAsync(Default);
        Assert.Equal($"{Default} (enforce)", await Docker.TextAsync("run", "--rm", "busybox", "cat", OwnLabel));
    }

    [Fact]
    public async Task An_engine_restart_changes_nothing_for_what_runs_and_is_run_in_it()
    {
        AppArmorPolicy.Require();
        var with = await Docker.DetachedAsync("busybox", "sleep", "300");
        var without = await Docker.DetachedAsync("--privileged", "busybox", "sleep", "300");
        await Engine.RestartAsync();
        Assert.Equal($"{Default} (enforce)", await Docker.TextAsync("exec", with, "cat", OwnLabel));
        Assert.Equal("unconfined", await Docker.TextAsync("exec", without, "cat", OwnLabel));
        await Docker.RemoveAsync(with, without);
    }

    [Fact]
    public async Task Without_the_parser_the_log_says_what_is_missing_and_containers_run_all_the_same()
    {
        AppArmorPolicy.Require();
        var parser = (await Command.ShellAsync("readlink -f \"$(command -v apparmor_parser)\"")).Succeeded().Text;
        await AppArmorPolicy.RemoveAsync(Default);
        await using (var engine = await PrivateEngine.StartWrappedAsync("unshare", "--mount", "sh", "-c", $"mount --bind /dev/null {parser} && exec \"$@\"", "sh"))
        {
            Assert.Contains("containers run without an AppArmor profile", engine.Log(), StringComparison.Ordinal);
            Assert.Contains("apparmor_parser", engine.Log(), StringComparison.Ordinal);
            await BaseImages.LoadAsync(engine, BaseImages.Busybox);
            var docker = engine.Client(Clients.Docker);
            Assert.Equal("unconfined", await docker.TextAsync("run", "--rm", "busybox", "cat", OwnLabel));
            Assert.DoesNotContain("name=apparmor", await docker.TextAsync("info", "--format", "{{.SecurityOptions}}"), StringComparison.Ordinal);
            var id = await docker.TextAsync("create", "busybox", "true");
            Assert.Contains("install apparmor_parser", await engine.Client(Clients.Wherry).TextAsync("security", id), StringComparison.Ordinal);
        }

        // The class's own engine brings it back.
        Assert.Equal($"{Default} (enforce)", await Docker.TextAsync("run", "--rm", "busybox", "cat", OwnLabel));
    }
}

/// <summary>Runs beside no other.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AppArmorCollection
{
    public const string Name = "AppArmor";
}
