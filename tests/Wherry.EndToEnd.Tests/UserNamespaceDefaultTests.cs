namespace Wherry.EndToEnd.Tests;

/// <summary>Engines that give every container a user namespace, and those whose layers are not overlays.</summary>
public sealed class UserNamespaceDefaultTests
{
    [Fact]
    public async Task An_engine_can_give_every_container_a_user_namespace()
    {
        await using var engine = await PrivateEngine.StartNewAsync("--userns", "auto", "--userns-ids", "700000:200000");
        await BaseImages.LoadAsync(engine, BaseImages.Busybox);
        foreach (var client in new[] { engine.Client(Clients.Docker), engine.Client(Clients.Wherry) })
        {
            const string map = "tr -s ' ' < /proc/self/uid_map";
            Assert.Equal(" 0 700000 65536", await client.TextAsync("run", "--rm", "busybox", "sh", "-c", map));
            Assert.Equal(" 0 0 4294967295", await client.TextAsync("run", "--rm", "--userns", "host", "busybox", "sh", "-c", map));
            (await client.RunAsync("run", "--rm", "--privileged", "busybox", "true")).Failed(125, "incompatible with user namespaces");
            (await client.RunAsync("run", "--rm", "--privileged", "--userns", "host", "busybox", "true")).Succeeded();
            Assert.Contains("name=userns", await client.TextAsync("info", "--format", "{{json .SecurityOptions}}"), StringComparison.Ordinal);

            // Three fit into the area, a fourth does not, until one has gone.
            var ids = new List<string>();
            for (var i = 0; i < 3; i++)
            {
                ids.Add(await client.TextAsync("create", "busybox", "true"));
            }

            (await client.RunAsync("create", "busybox", "true")).Refused("--userns-ids");
            await client.RemoveAsync(ids[1]);
            ids[1] = await client.TextAsync("create", "busybox", "true");
            await client.RemoveAsync([.. ids]);
        }

        await Leaks.AssertNoneAsync(engine);
    }

    [Theory]
    [InlineData("--userns", "nonsense", "user namespace mode")]
    [InlineData("--userns", "container:x", "every container")]
    [InlineData("--userns-ids", "0:5", "root")]
    [InlineData("--userns-remap", "no-such-user-at-all", "/etc/subuid")]
    public async Task An_engine_told_nonsense_does_not_start(string option, string value, string complaint)
    {
        var directory = Directory.CreateTempSubdirectory("wherry-e2e-");
        try
        {
            var result = await Command.RunAsync(Binaries.Wherryd, "--data-root", directory.FullName, "--exec-root", Path.Combine(directory.FullName, "run"), option, value);
            result.Refused(complaint);
            Assert.False(File.Exists(Path.Combine(directory.FullName, "run/wherry.sock")));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Roots_that_are_whole_trees_are_shown_through_the_mappings_too()
    {
        await using var engine = await PrivateEngine.StartNewAsync("--storage-driver", "vfs");
        await BaseImages.LoadAsync(engine, BaseImages.Busybox);
        var client = engine.Client(Clients.Wherry);
        var id = await client.DetachedAsync("--userns", "300000:65536", "busybox", "sh", "-c", "touch /made && chown 1000:1001 /made && touch /ready && sleep 600");
        await Eventually.TrueAsync(async () => (await client.RunAsync("exec", id, "test", "-e", "/ready")).ExitCode == 0, "it is ready");
        Assert.Equal("1000:1001", (await Command.ShellAsync($"stat -c %u:%g {engine.DataRoot}/snapshots/{id}/rootfs/made")).Succeeded().Text);
        Assert.Equal(["A /made", "A /ready"], (await client.RunAsync("diff", id)).Succeeded().Lines.Order(StringComparer.Ordinal));
        await client.TextAsync("kill", id);
        await client.TextAsync("cp", $"{id}:/made", $"{engine.DataRoot}/test-files-made");
        await client.RemoveAsync(id);
        await Leaks.AssertNoneAsync(engine);
    }

    [Fact]
    public async Task Who_asks_is_the_same_user_inside_with_keep_id()
    {
        // A socket that the other user can reach, beside a home of his.
        var open = Directory.CreateTempSubdirectory("wherry-e2e-");
        File.SetUnixFileMode(open.FullName, (UnixFileMode)0x1ED);
        var home = open.CreateSubdirectory("home");
        var socket = Path.Combine(open.FullName, "wherry.sock");
        await using var engine = await PrivateEngine.StartNewAsync("-H", $"unix://{socket}");
        await BaseImages.LoadAsync(engine, BaseImages.Busybox);
        File.SetUnixFileMode(socket, (UnixFileMode)0x1B6);
        try
        {
            (await Command.ShellAsync($"chown 12345:23456 {home.FullName}")).Succeeded();
            const string script = "touch /home/made; id -u; id -g; tr -s ' ' < /proc/self/uid_map | wc -l";
            Assert.Equal(["12345", "23456", "3"], (await AsUserAsync("run", "--rm", "--userns", "keep-id", "-v", $"{home.FullName}:/home", "busybox", "sh", "-c", script)).Succeeded().Lines);
            Assert.Equal("12345:23456", (await Command.ShellAsync($"stat -c %u:%g {home.FullName}/made")).Succeeded().Text);
            Assert.Equal(["5", "6", "3"], (await AsUserAsync("run", "--rm", "--userns", "keep-id:uid=5,gid=6", "-v", $"{home.FullName}:/home", "busybox", "sh", "-c", script)).Succeeded().Lines);
            Assert.Equal("0", (await AsUserAsync("run", "--rm", "-u", "0", "--userns", "keep-id", "busybox", "id", "-u")).Succeeded().Text);
        }
        finally
        {
            open.Delete(recursive: true);
        }

        await Leaks.AssertNoneAsync(engine);

        Task<CommandResult> AsUserAsync(params string[] arguments) => Command.RunAsync(
            "setpriv",
            ["--reuid=12345", "--regid=23456", "--clear-groups", Binaries.Wherry, .. arguments],
            new Dictionary<string, string?>(engine.Client(Clients.Wherry).Environment) { ["WHERRY_HOST"] = $"unix://{socket}" },
            null,
            Command.DefaultTimeout);
    }
}
