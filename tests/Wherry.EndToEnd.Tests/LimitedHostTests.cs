using System.Globalization;

namespace Wherry.EndToEnd.Tests;

/// <summary>Engines of a root that lacks rights or room, as in nested and hardened hosts: clipped with a warning, refused where asked for by name.</summary>
public sealed class LimitedHostTests
{
    [Fact]
    public async Task Rights_that_root_lacks_are_left_out_with_a_warning_and_refused_by_name()
    {
        await using var engine = await StartAsync("setpriv", "--bounding-set", "-sys_time,-sys_resource,-setfcap", "--");
        foreach (var kind in new[] { Clients.Docker, Clients.Wherry })
        {
            var client = engine.Client(kind);
            foreach (var all in new string[][] { ["--privileged"], ["--cap-add", "ALL"] })
            {
                var run = (await client.RunAsync(["run", "--rm", .. all, "busybox", "grep", "CapEff", "/proc/self/status"])).Succeeded();
                Assert.Equal(0UL, Mask(run.Text) & (Bit(25) | Bit(24) | Bit(31)));
                Assert.Contains("CAP_SYS_TIME", run.Error, StringComparison.Ordinal);
                Assert.NotEqual(0UL, Mask(run.Text) & Bit(21));
            }

            (await client.RunAsync("run", "--rm", "--cap-add", "SYS_TIME", "busybox", "true")).Failed(125, "CAP_SYS_TIME");

            // One of the usual set is not missed by those who asked for nothing.
            var usual = (await client.RunAsync("run", "--rm", "busybox", "grep", "CapEff", "/proc/self/status")).Succeeded();
            Assert.Equal(0UL, Mask(usual.Text) & Bit(31));
            Assert.Equal("", usual.Error);
            var id = await client.DetachedAsync("busybox", "sleep", "300");
            Assert.Equal(0UL, Mask(await client.TextAsync("exec", "--privileged", id, "grep", "CapEff", "/proc/self/status")) & Bit(25));
            await client.RemoveAsync(id);
        }
    }

    [Fact]
    public async Task Limits_and_scores_beyond_the_engines_own_are_clipped_with_a_warning()
    {
        await using var engine = await StartAsync("prlimit", "--nofile=1024:4096", "choom", "-n", "100", "--", "setpriv", "--bounding-set", "-sys_resource", "--");
        foreach (var kind in new[] { Clients.Docker, Clients.Wherry })
        {
            var client = engine.Client(kind);
            var limits = (await client.RunAsync("run", "--rm", "--ulimit", "nofile=100000:200000", "busybox", "sh", "-c", "ulimit -Sn; ulimit -Hn")).Succeeded();
            Assert.Equal(["4096", "4096"], limits.Lines);
            Assert.Contains("4096", limits.Error, StringComparison.Ordinal);
            Assert.Equal("", (await client.RunAsync("run", "--rm", "--ulimit", "nofile=512:4096", "busybox", "true")).Succeeded().Error);

            var score = (await client.RunAsync("run", "--rm", "--oom-score-adj", "-500", "busybox", "cat", "/proc/self/oom_score_adj")).Succeeded();
            Assert.Equal("100", score.Text);
            Assert.Contains("-500", score.Error, StringComparison.Ordinal);
            Assert.Equal("200", await client.TextAsync("run", "--rm", "--oom-score-adj", "200", "busybox", "cat", "/proc/self/oom_score_adj"));

            // All of them at once, and for a program run later.
            var id = await client.TextAsync("run", "-d", "--privileged", "--ulimit", "nofile=99999:99999", "--oom-score-adj", "-1000", "busybox", "sleep", "300");
            Assert.Equal("4096", await client.TextAsync("exec", id, "sh", "-c", "ulimit -Hn"));
            await client.RemoveAsync(id);
        }
    }

    /// <summary>Device nodes are shown rather than made.</summary>
    [Fact]
    public async Task Without_the_right_to_make_nodes_the_usual_devices_are_there_all_the_same()
    {
        await using var engine = await StartAsync("setpriv", "--bounding-set", "-mknod", "--");
        var client = engine.Client(Clients.Docker);
        Assert.Equal("character special file\nfine", await client.TextAsync("run", "--rm", "busybox", "sh", "-c", "stat -c %F /dev/null; echo lost > /dev/null && head -c 4 /dev/zero | wc -c | grep -q 4 && echo fine"));
    }

    /// <summary>Nothing can be done without it, and that is what is said.</summary>
    [Fact]
    public async Task Without_the_right_to_make_namespaces_a_start_fails_with_a_reason_and_leaves_nothing()
    {
        await using var engine = await StartAsync("setpriv", "--bounding-set", "-sys_admin", "--");
        foreach (var kind in new[] { Clients.Docker, Clients.Wherry })
        {
            (await engine.Client(kind).RunAsync("run", "--rm", "--network", "none", "busybox", "true")).Failed(125, "CAP_SYS_ADMIN");
        }

        await Leaks.AssertNoneAsync(engine);
    }

    private static async Task<PrivateEngine> StartAsync(params string[] wrapper)
    {
        Binaries.Need(wrapper[0]);
        var engine = await PrivateEngine.StartWrappedAsync(wrapper);
        await BaseImages.LoadAsync(engine, BaseImages.Busybox);
        return engine;
    }

    private static ulong Bit(int capability) => 1UL << capability;

    private static ulong Mask(string line) => ulong.Parse(line.Split('\t')[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
