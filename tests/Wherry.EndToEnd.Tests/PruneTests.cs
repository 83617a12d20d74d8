using System.Text.Json;

namespace Wherry.EndToEnd.Tests;

/// <summary>Pruning, and what takes how much space. The engine is the test's own: a pruning minds nobody else's things.</summary>
public sealed class PruneTests(EngineFixture fixture) : EngineTests(fixture)
{
    [Theory, BothClients]
    public async Task Container_prune_removes_what_does_not_run_and_matches(string client)
    {
        var running = await Client(client).DetachedAsync("busybox", "sleep", "600");
        var kept = await Client(client).TextAsync("create", "--label", "keep=1", "busybox", "true");
        var gone = await Client(client).TextAsync("create", "busybox", "true");

        var output = await Client(client).TextAsync("container", "prune", "-f", "--filter", "label!=keep");

        Assert.Contains(gone, output, StringComparison.Ordinal);
        Assert.Contains("Total reclaimed space: 0B", output, StringComparison.Ordinal);
        var left = (await Client(client).RunAsync("ps", "-aq", "--no-trunc")).Lines;
        Assert.Contains(running, left);
        Assert.Contains(kept, left);
        Assert.DoesNotContain(gone, left);
        (await Client(client).RunAsync("container", "prune", "-f", "--filter", "nonsense=1")).Refused("nonsense");
        await Client(client).TextAsync("container", "prune", "-f", "--filter", "until=24h");
        Assert.Contains(kept, (await Client(client).RunAsync("ps", "-aq", "--no-trunc")).Lines);
        await Client(client).RemoveAsync(running, kept);
    }

    [Theory, BothClients]
    public async Task Volume_prune_takes_anonymous_volumes_and_named_ones_when_asked(string client)
    {
        var named = Harness.Client.NewName("named");
        var used = Harness.Client.NewName("used");
        await Client(client).TextAsync("volume", "create", named);
        var anonymous = await Client(client).TextAsync("volume", "create");
        var id = await Client(client).TextAsync("create", "-v", $"{used}:/x", "busybox", "true");

        Assert.Contains(anonymous, await Client(client).TextAsync("volume", "prune", "-f"), StringComparison.Ordinal);
        Assert.Contains(named, (await Client(client).RunAsync("volume", "ls", "-q")).Lines);
        Assert.Contains(named, await Client(client).TextAsync("volume", "prune", "-f", "-a"), StringComparison.Ordinal);
        Assert.Equal([used], (await Client(client).RunAsync("volume", "ls", "-q")).Lines);
        await Client(client).RemoveAsync(id);
        await Client(client).TextAsync("volume", "rm", used);
    }

    [Theory, BothClients]
    public async Task Image_prune_takes_dangling_images_and_unused_ones_when_asked(string client)
    {
        var name = Harness.Client.NewName("pruned");
        var archive = await new TarBytes().File("data", new byte[100_000]).SaveAsync(Path.Combine(HostDirectory(), "r.tar"));
        var first = await Client(client).TextAsync("import", archive, name);
        var second = await Client(client).TextAsync("import", "-m", "again", archive, name);
        first = first.Split('\n')[^1];
        second = second.Split('\n')[^1];
        var user = await Client(client).TextAsync("create", "busybox", "true");

        var dangling = await Client(client).TextAsync("image", "prune", "-f");
        Assert.Contains($"deleted: {first}", dangling, StringComparison.Ordinal);
        Assert.DoesNotContain(second, dangling, StringComparison.Ordinal);
        var unused = await Client(client).TextAsync("image", "prune", "-f", "-a");
        Assert.Contains($"untagged: {name}:latest", unused, StringComparison.Ordinal);
        Assert.Contains($"deleted: {second}", unused, StringComparison.Ordinal);
        Assert.Contains("Total reclaimed space: 100kB", unused, StringComparison.Ordinal);
        Assert.NotEmpty((await Client(client).RunAsync("images", "-q", "busybox")).Lines);
        await Client(client).RemoveAsync(user);
    }

    [Fact]
    public async Task Prunings_beside_pulls_and_commits_take_nothing_that_is_on_its_way()
    {
        await using var registry = await DebianRegistry.StartAsync();
        var keeper = await Wherry.TextAsync("create", "busybox", "true");
        var archive = Path.Combine(HostDirectory(), "r.tar");
        var names = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            await new TarBytes().File("noise", System.Security.Cryptography.RandomNumberGenerator.GetBytes(3_000_000)).SaveAsync(archive);
            names.Add($"{registry.Host}/beside-{i}:1");
            await Wherry.TextAsync("import", archive, names[i]);
            await Wherry.TextAsync("push", names[i]);
        }

        await Wherry.TextAsync("image", "prune", "-a", "-f");
        using var stop = new CancellationTokenSource();
        var prunings = 0;
        var pruning = Task.Run(
            async () =>
            {
                for (; !stop.IsCancellationRequested; prunings++)
                {
                    (await Wherry.RunAsync("image", "prune", "-a", "-f")).Succeeded();
                }
            },
            TestContext.Current.CancellationToken);
        for (var round = 0; round < 5; round++)
        {
            var pulls = names.Select(name => Wherry.TextAsync("pull", "-q", name)).ToArray();
            await Wherry.TextAsync("commit", "-m", $"round {round}", keeper, "beside");
            await Task.WhenAll(pulls);
        }

        await stop.CancelAsync();
        await pruning;
        Assert.True(prunings > 3);
        foreach (var name in names)
        {
            await Wherry.TextAsync("pull", "-q", name);
            Assert.Equal(3_000_000, (await Wherry.InspectAsync(name)).GetProperty("Size").GetInt64());
        }

        await Wherry.TextAsync("image", "prune", "-a", "-f");
        Assert.Equal(["busybox"], (await Wherry.RunAsync("images", "--format", "{{.Repository}}")).Lines);
        await Wherry.RemoveAsync(keeper);
    }

    [Theory, BothClients]
    public async Task System_prune_cleans_all_kinds(string client)
    {
        var id = await Client(client).TextAsync("create", "busybox", "true");
        var volume = await Client(client).TextAsync("volume", "create");

        var output = await Client(client).TextAsync("system", "prune", "-f", "--volumes");

        Assert.Contains(id, output, StringComparison.Ordinal);
        Assert.Contains(volume, output, StringComparison.Ordinal);
        Assert.NotEmpty((await Client(client).RunAsync("images", "-q", "busybox")).Lines);
    }

    [Fact]
    public async Task System_df_tells_shared_and_unique_sizes_truly()
    {
        var (parent, child) = (Harness.Client.NewName("parent"), Harness.Client.NewName("child"));
        var archive = await new TarBytes().File("data", new byte[100_000]).SaveAsync(Path.Combine(HostDirectory(), "r.tar"));
        await Docker.TextAsync("import", archive, parent);
        var id = await Docker.TextAsync("create", parent, "x");
        var extra = Path.Combine(HostDirectory(), "extra");
        await File.WriteAllBytesAsync(extra, new byte[50_000], TestContext.Current.CancellationToken);
        (await Docker.RunAsync("cp", extra, $"{id}:/extra")).Succeeded();
        await Docker.TextAsync("commit", id, child);
        await Docker.TextAsync("volume", "create", "dfvolume");
        (await Docker.RunAsync("run", "--rm", "-v", "dfvolume:/v", "busybox", "sh", "-c", "head -c 7000 /dev/zero > /v/f")).Succeeded();

        using var rest = Engine.Rest();
        var old = (await rest.GetAsync("/v1.45/system/df")).Json;
        var images = old.GetProperty("Images").EnumerateArray().ToDictionary(image => image.GetProperty("RepoTags")[0].GetString()!);
        Assert.Equal((100_000, 100_000), Sizes(images[$"{parent}:latest"]));
        Assert.Equal((150_000, 100_000), Sizes(images[$"{child}:latest"]));
        Assert.Equal(1, images[$"{parent}:latest"].GetProperty("Containers").GetInt64());
        Assert.Equal(50_000, old.GetProperty("Containers").EnumerateArray().Single(container => container.GetProperty("Id").GetString() == id).GetProperty("SizeRw").GetInt64());
        Assert.Equal(7000, old.GetProperty("Volumes").EnumerateArray().Single(volume => volume.GetProperty("Name").GetString() == "dfvolume").GetProperty("UsageData").GetProperty("Size").GetInt64());
        var now = (await rest.GetAsync("/system/df?verbose=1&type=image")).Json;
        Assert.Equal(old.GetProperty("LayersSize").GetInt64(), now.GetProperty("ImageUsage").GetProperty("TotalSize").GetInt64());
        Assert.False(now.TryGetProperty("VolumeUsage", out _));
        Assert.Equal(400, (await rest.GetAsync("/system/df?type=nonsense")).Status);

        foreach (var client in new[] { Docker, Wherry })
        {
            var table = await client.TextAsync("system", "df");
            Assert.Contains("RECLAIMABLE", table, StringComparison.Ordinal);
            Assert.Contains("Local Volumes", table, StringComparison.Ordinal);
            var details = await client.TextAsync("system", "df", "-v");
            Assert.Matches($"{child} +latest .*150kB +100kB +50kB", details);
        }

        await Docker.RemoveAsync(id);
        await Docker.TextAsync("rmi", child, parent);
    }

    private static (long Size, long Shared) Sizes(JsonElement image) => (image.GetProperty("Size").GetInt64(), image.GetProperty("SharedSize").GetInt64());
}
