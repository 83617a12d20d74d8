using System.Security.Cryptography;
using System.Text;

namespace Wherry.EndToEnd.Tests;

/// <summary>Archives from an enemy: an error or a contained result, and never a trace on the host.</summary>
public sealed class HostileArchiveTests(EngineFixture fixture) : EngineTests(fixture)
{
    [Theory, BothClients]
    public async Task Names_that_climb_out_stay_inside_or_are_refused(string client)
    {
        var mark = Harness.Client.NewName("climber");
        var archive = await new TarBytes()
            .File("good", "good\n")
            .File($"../../../../../../../../tmp/{mark}", "evil")
            .SaveAsync(Path.Combine(HostDirectory(), "climb.tar"));

        await AssertContainedAsync(client, archive, $"/tmp/{mark}");
    }

    [Theory, BothClients]
    public async Task Absolute_names_stay_inside_or_are_refused(string client)
    {
        var mark = Harness.Client.NewName("absolute");
        var archive = await new TarBytes().File("good", "good\n").File($"/tmp/{mark}", "evil").SaveAsync(Path.Combine(HostDirectory(), "absolute.tar"));

        await AssertContainedAsync(client, archive, $"/tmp/{mark}");
    }

    [Theory, BothClients]
    public async Task Symbolic_links_do_not_lead_out(string client)
    {
        var mark = Harness.Client.NewName("linked");
        var archive = await new TarBytes()
            .File("good", "good\n")
            .Link("out", "/tmp")
            .Link("up", "../../../../../../../../../tmp")
            .File($"out/{mark}", "evil")
            .File($"up/{mark}", "evil")
            .SaveAsync(Path.Combine(HostDirectory(), "links.tar"));

        await AssertContainedAsync(client, archive, $"/tmp/{mark}");
    }

    [Theory, BothClients]
    public async Task Hard_links_do_not_reach_the_hosts_files(string client)
    {
        var secret = Path.Combine(HostDirectory(), "secret");
        await File.WriteAllTextAsync(secret, "secret", TestContext.Current.CancellationToken);
        var name = Harness.Client.NewName("hard");
        foreach (var target in new[] { secret, "../../../../../../../../.." + secret })
        {
            if (target.Length > 100)
            {
                continue; // does not fit the header's field
            }

            var archive = await new TarBytes().File("good", "good\n").Link("stolen", target, hard: true).SaveAsync(Path.Combine(HostDirectory(), "hard.tar"));
            var result = await Client(client).RunAsync("import", archive, name);
            if (result.ExitCode == 0)
            {
                var id = await Client(client).TextAsync("create", name, "/x");
                Assert.DoesNotContain("secret", Encoding.UTF8.GetString(await ExportedAsync(client, name)), StringComparison.Ordinal);
                await Client(client).RemoveAsync(id);
                await Client(client).RunAsync("rmi", name);
            }
        }

        Assert.Equal("secret", await File.ReadAllTextAsync(secret, TestContext.Current.CancellationToken));
    }

    [Theory, BothClients]
    public async Task Device_nodes_cannot_be_opened_by_a_container(string client)
    {
        var name = Harness.Client.NewName("devices");
        var directory = HostDirectory();
        (await Command.ShellAsync($"mkdir -p {directory}/root/bin && cp /bin/busybox {directory}/root/bin/sh && mknod {directory}/root/memory c 1 1 && tar -C {directory}/root -cf {directory}/root.tar .")).Succeeded();

        var result = await Client(client).RunAsync("import", $"{directory}/root.tar", name);
        if (result.ExitCode == 0)
        {
            (await Client(client).RunAsync("run", "--rm", name, "/bin/sh", "-c", "read x < /memory")).Refused("not permitted");
            await Client(client).TextAsync("rmi", name);
        }
    }

    [Theory, BothClients]
    public async Task A_sparse_file_that_claims_ten_gigabytes_costs_nothing(string client)
    {
        var name = Harness.Client.NewName("sparse");
        var before = FreeBytes();
        var archive = await new TarBytes().File("good", "good\n").Sparse("huge", 10L << 30).SaveAsync(Path.Combine(HostDirectory(), "sparse.tar"));

        var result = await Client(client).RunAsync("import", archive, name);

        Assert.True(result.Elapsed < TimeSpan.FromSeconds(20), "no time is spent on the holes");
        Assert.True(before - FreeBytes() < 1L << 30, "no space is spent on the holes");
        await Client(client).RunAsync("rmi", name);
    }

    [Theory, BothClients]
    public async Task A_truncated_archive_is_refused_and_leaves_nothing(string client)
    {
        var name = Harness.Client.NewName("cut");
        var directory = HostDirectory();
        var before = await EntriesAsync();
        await File.WriteAllBytesAsync($"{directory}/cut.tar", new TarBytes().File("good", "good\n").Truncated("long", 1 << 20).Cut(), TestContext.Current.CancellationToken);
        (await Client(client).RunAsync("import", $"{directory}/cut.tar", name)).Refused("");

        await Client(client).TextAsync("save", "-o", $"{directory}/whole.tar", "busybox");
        var whole = await File.ReadAllBytesAsync($"{directory}/whole.tar", TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync($"{directory}/half.tar", whole[..(whole.Length / 2)], TestContext.Current.CancellationToken);
        (await Client(client).RunAsync("load", "-i", $"{directory}/half.tar")).Refused("");

        await File.WriteAllTextAsync($"{directory}/junk.tar", new string('x', 10000), TestContext.Current.CancellationToken);
        (await Client(client).RunAsync("load", "-i", $"{directory}/junk.tar")).Refused("");
        await File.WriteAllTextAsync($"{directory}/empty.tar", "", TestContext.Current.CancellationToken);
        await Client(client).RunAsync("load", "-i", $"{directory}/empty.tar");

        Assert.Equal(before, await EntriesAsync());
    }

    [Theory, BothClients]
    public async Task A_manifest_cannot_name_files_outside_the_archive(string client)
    {
        var directory = HostDirectory();
        var layer = new TarBytes().File("x", "x").Finish();
        foreach (var (config, path) in new[] { ("../../../../etc/passwd", "layer.tar"), ("config.json", "../../../../../etc/shadow"), ("/etc/passwd", "/etc/shadow") })
        {
            var archive = await new TarBytes()
                .File("config.json", Config(layer))
                .File("layer.tar", layer)
                .File("manifest.json", $$"""[{"Config":"{{config}}","RepoTags":["stolen:latest"],"Layers":["{{path}}"]}]""")
                .SaveAsync($"{directory}/manifest.tar");

            (await Client(client).RunAsync("load", "-i", archive)).Refused("");
        }

        // A layer that is a symbolic link out of the archive.
        var linked = await new TarBytes()
            .File("config.json", Config(layer))
            .Link("layer.tar", "/etc/passwd")
            .File("manifest.json", """[{"Config":"config.json","RepoTags":["stolen:latest"],"Layers":["layer.tar"]}]""")
            .SaveAsync($"{directory}/linked.tar");
        (await Client(client).RunAsync("load", "-i", linked)).Refused("");
        Assert.Empty((await Client(client).RunAsync("images", "-q", "stolen")).Lines);
    }

    [Theory, BothClients]
    public async Task Content_that_does_not_match_its_digest_is_refused(string client)
    {
        var directory = HostDirectory();
        var layer = new TarBytes().File("x", "x").Finish();
        var other = new TarBytes().File("x", "y").Finish();
        var archive = await new TarBytes()
            .File("config.json", Config(other))
            .File("layer.tar", layer)
            .File("manifest.json", """[{"Config":"config.json","RepoTags":["forged:latest"],"Layers":["layer.tar"]}]""")
            .SaveAsync($"{directory}/forged.tar");

        (await Client(client).RunAsync("load", "-i", archive)).Refused("");
        Assert.Empty((await Client(client).RunAsync("images", "-q", "forged")).Lines);
    }

    [Theory, BothClients]
    public async Task A_small_archive_made_by_hand_loads(string client)
    {
        // The well-formed twin of the hostile ones: proves that they were refused for what is wrong with them.
        var layer = new TarBytes().Directory("etc/").File("etc/x", "x").Finish();
        var archive = await new TarBytes()
            .File("config.json", Config(layer))
            .File("layer.tar", layer)
            .File("manifest.json", """[{"Config":"config.json","RepoTags":["honest:latest"],"Layers":["layer.tar"]}]""")
            .SaveAsync(Path.Combine(HostDirectory(), "honest.tar"));

        Assert.Contains("honest:latest", await Client(client).TextAsync("load", "-i", archive), StringComparison.Ordinal);
        await Client(client).TextAsync("rmi", "honest");
    }

    private static string Config(byte[] layer) =>
        $$$"""{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:{{{Convert.ToHexStringLower(SHA256.HashData(layer))}}}"]}}""";

    private async Task AssertContainedAsync(string client, string archive, string forbidden)
    {
        var name = Harness.Client.NewName("hostile");
        var result = await Client(client).RunAsync("import", archive, name);

        Assert.False(File.Exists(forbidden), $"{forbidden} was written on the host");
        if (result.ExitCode == 0)
        {
            await Client(client).TextAsync("rmi", name);
        }
        else
        {
            Assert.Empty((await Client(client).RunAsync("images", "-q", name)).Lines);
        }
    }

    private async Task<byte[]> ExportedAsync(string client, string image)
    {
        var file = Path.Combine(HostDirectory(), "exported.tar");
        await Client(client).TextAsync("save", "-o", file, image);
        return await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
    }

    /// <summary>What the image store keeps, by name.</summary>
    private async Task<string> EntriesAsync() =>
        (await Command.ShellAsync($"cd {Engine.DataRoot} && find content layers images -maxdepth 3 2>/dev/null | sort")).Text;

    private long FreeBytes() => new DriveInfo(Engine.DataRoot).AvailableFreeSpace;
}
