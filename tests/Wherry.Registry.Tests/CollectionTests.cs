using System.Net;
using System.Security.Cryptography;
using Wherry.Oci.Images;
using Wherry.Registry.Collection;

namespace Wherry.Registry.Tests;

/// <summary>What nobody needs goes, while the registry serves; what anybody needs stays.</summary>
public sealed class CollectionTests : IAsyncLifetime
{
    private RunningRegistry _registry = null!;

    private HttpClient Client => _registry.Client;

    public async ValueTask InitializeAsync() => _registry = await RunningRegistry.StartAsync();

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    [Fact]
    public async Task A_tagged_image_stays_with_all_it_is_made_of()
    {
        await Client.PushImageAsync("app", "v1");
        await RestAsync();

        var report = await CollectAsync();

        Assert.Equal(0, report.Manifests + report.Links + report.Blobs);
        using var get = await Client.SendAsync("GET", "/v2/app/manifests/v1");
        await get.HasStatusAsync(HttpStatusCode.OK);
    }

    [Fact]
    public async Task An_untagged_manifest_goes_with_its_own_blobs_and_leaves_shared_ones()
    {
        var old = await Client.PushImageAsync("app", "latest", "old layer");
        await Client.PushImageAsync("app", "latest", "new layer");
        await Client.PushImageAsync("other", "v1", "old layer");
        await RestAsync();

        var report = await CollectAsync();

        Assert.Equal(1, report.Manifests);
        Assert.Equal(2, report.Links);
        Assert.Equal(0, report.Blobs);
        using var gone = await Client.SendAsync("GET", $"/v2/app/blobs/{old.LayerDigest}");
        await gone.HasStatusAsync(HttpStatusCode.NotFound);
        using var shared = await Client.SendAsync("GET", $"/v2/other/blobs/{old.LayerDigest}");
        await shared.HasStatusAsync(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Space_comes_back_and_the_repository_is_gone_when_nothing_is_left()
    {
        var image = await Client.PushImageAsync("team/app", "v1");
        using var delete = await Client.SendAsync("DELETE", $"/v2/team/app/manifests/{image.Digest}");
        await delete.HasStatusAsync(HttpStatusCode.Accepted);
        await RestAsync();

        var report = await CollectAsync();

        Assert.Equal(3, report.Blobs);
        Assert.True(report.Bytes > 0);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_registry.Root, "blobs", "sha256")));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_registry.Root, "repositories")));
        using var tags = await Client.SendAsync("GET", "/v2/team/app/tags/list");
        await tags.HasStatusAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task What_an_index_lists_and_what_refers_to_it_stays()
    {
        var image = await Client.PushImageAsync("app", tag: null);
        var index = Pushing.Text($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[{{Pushing.Descriptor(MediaTypes.OciManifest, image.Manifest)}}]}""");
        await Client.PushManifestAsync("app", "all", index, MediaTypes.OciIndex);
        var empty = Pushing.Text("{}");
        await Client.PushBlobAsync("app", empty);
        var artifact = Pushing.Manifest(empty, [], $",\"subject\":{Pushing.Descriptor(MediaTypes.OciManifest, image.Manifest)}");
        await Client.PushManifestAsync("app", Pushing.DigestOf(artifact), artifact);
        await RestAsync();

        Assert.Equal(0, (await CollectAsync()).Manifests);

        // And goes with it.
        using var delete = await Client.SendAsync("DELETE", "/v2/app/manifests/all");
        await delete.HasStatusAsync(HttpStatusCode.Accepted);
        Assert.Equal(3, (await CollectAsync()).Manifests);
    }

    [Fact]
    public async Task Within_the_grace_period_nothing_goes()
    {
        await Client.PushBlobAsync("app", Pushing.Text("a layer whose manifest is on its way"));
        await Client.PushImageAsync("app", tag: null);
        await RestAsync();

        var report = await _registry.Collector.RunAsync(TimeSpan.FromHours(1), TestContext.Current.CancellationToken);

        Assert.Equal(0, report.Manifests + report.Links + report.Blobs);
    }

    [Fact]
    public async Task Asking_for_a_blob_in_order_to_push_keeps_it()
    {
        var digest = await Client.PushBlobAsync("app", Pushing.Text("reused"));
        var path = Path.Combine(_registry.Root, "repositories/app/_layers/sha256", digest["sha256:".Length..]);
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddDays(-3));
        using var head = await Client.SendAsync("HEAD", $"/v2/app/blobs/{digest}");
        await head.HasStatusAsync(HttpStatusCode.OK);

        Assert.Equal(0, (await _registry.Collector.RunAsync(TimeSpan.FromDays(1), TestContext.Current.CancellationToken)).Links);
    }

    [Fact]
    public async Task Untagged_manifests_can_be_kept()
    {
        await Client.PushImageAsync("app", tag: null);
        await Client.PushBlobAsync("app", Pushing.Text("of no manifest"));
        await RestAsync();

        var report = await new Collector(_registry.Store, keepUntagged: true).RunAsync(TimeSpan.Zero, TestContext.Current.CancellationToken);

        Assert.Equal((0, 1, 1), (report.Manifests, report.Links, report.Blobs));
    }

    [Fact]
    public async Task Pushes_beside_collections_without_any_grace_never_lose_what_they_were_told_is_there()
    {
        using var stop = new CancellationTokenSource();
        var collecting = Task.Run(async () =>
        {
            var rounds = 0;
            while (!stop.IsCancellationRequested)
            {
                await _registry.Collector.RunAsync(TimeSpan.Zero, CancellationToken.None);
                rounds++;
            }

            return rounds;
        });
        var pushed = await Task.WhenAll(Enumerable.Range(0, 4).Select(async worker =>
        {
            var digests = new List<(string Tag, string Digest)>();
            for (var round = 0; round < 25; round++)
            {
                // A collection may take a blob between its push and the manifest's, for there is no grace: then the
                // manifest is refused, and what is not refused must be whole.
                var layer = Pushing.Text($"layer {round % 3}");
                var config = Pushing.Text($"{{\"w\":{worker},\"r\":{round}}}");
                await Client.PushBlobAsync("app", layer);
                await Client.PushBlobAsync("app", config);
                var manifest = Pushing.Manifest(config, [layer]);
                var tag = $"w{worker}-{round}";
                using var put = await Client.SendAsync("PUT", $"/v2/app/manifests/{tag}", manifest, MediaTypes.OciManifest);
                if (put.StatusCode == HttpStatusCode.Created)
                {
                    digests.Add((tag, Pushing.DigestOf(manifest)));
                }
                else
                {
                    await put.FailsWithAsync(HttpStatusCode.BadRequest, "MANIFEST_BLOB_UNKNOWN");
                }
            }

            return digests;
        }));
        await stop.CancelAsync();
        Assert.True(await collecting > 0);

        foreach (var (tag, digest) in pushed.SelectMany(list => list))
        {
            using var get = await Client.SendAsync("GET", $"/v2/app/manifests/{tag}");
            await get.HasStatusAsync(HttpStatusCode.OK);
            Assert.Equal(digest, get.Header("Docker-Content-Digest"));
            var manifest = await get.JsonAsync();
            foreach (var blob in manifest.GetProperty("layers").EnumerateArray().Append(manifest.GetProperty("config")))
            {
                using var head = await Client.SendAsync("GET", $"/v2/app/blobs/{blob.GetProperty("digest").GetString()}");
                await head.HasStatusAsync(HttpStatusCode.OK);
                Assert.Equal(blob.GetProperty("digest").GetString(), "sha256:" + Convert.ToHexStringLower(SHA256.HashData(await head.BytesAsync())));
            }
        }
    }

    [Fact]
    public async Task An_abandoned_upload_is_given_up()
    {
        await using var registry = await RunningRegistry.StartAsync(setup => setup.Store = setup.Store with { UploadExpiry = TimeSpan.Zero });
        await registry.Client.BeginUploadAsync("app");
        await RestAsync();

        Assert.Equal(1, (await registry.Collector.RunAsync(TimeSpan.FromDays(1), TestContext.Current.CancellationToken)).Uploads);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(registry.Root, "uploads")));
    }

    [Fact]
    public async Task A_collection_can_be_asked_for()
    {
        await Client.PushBlobAsync("app", Pushing.Text("of no manifest"));
        await RestAsync();

        using var answer = await Client.SendAsync("POST", "/_wherry/collect?grace=0", []);

        await answer.HasStatusAsync(HttpStatusCode.OK);
        Assert.Equal(1, (await answer.JsonAsync()).GetProperty("blobs").GetInt32());
    }

    private Task<CollectionReport> CollectAsync() => _registry.Collector.RunAsync(TimeSpan.Zero, TestContext.Current.CancellationToken);

    /// <summary>Longer than the grain of file times, which collections allow for.</summary>
    private static Task RestAsync() => Task.Delay(120, TestContext.Current.CancellationToken);
}
