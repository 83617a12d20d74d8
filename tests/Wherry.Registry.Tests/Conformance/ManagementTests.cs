using System.Net;

namespace Wherry.Registry.Tests.Conformance;

/// <summary>distribution-spec v1.1, "Content Management": end-9 and end-10.</summary>
public sealed class ManagementTests : IAsyncLifetime
{
    private RunningRegistry _registry = null!;

    private HttpClient Client => _registry.Client;

    public async ValueTask InitializeAsync() => _registry = await RunningRegistry.StartAsync();

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    [Fact]
    public async Task End_9_by_tag_takes_the_tag_and_leaves_the_manifest()
    {
        var image = await Client.PushImageAsync("app", "v1");

        using var delete = await Client.SendAsync("DELETE", "/v2/app/manifests/v1");

        await delete.HasStatusAsync(HttpStatusCode.Accepted);
        using var tag = await Client.SendAsync("GET", "/v2/app/manifests/v1");
        await tag.FailsWithAsync(HttpStatusCode.NotFound, "MANIFEST_UNKNOWN");
        using var manifest = await Client.SendAsync("GET", $"/v2/app/manifests/{image.Digest}");
        await manifest.HasStatusAsync(HttpStatusCode.OK);
    }

    [Fact]
    public async Task End_9_by_digest_takes_the_manifest_with_all_its_tags()
    {
        var image = await Client.PushImageAsync("app", "v1");
        await Client.PushManifestAsync("app", "latest", image.Manifest);
        await Client.PushImageAsync("app", "other", "another layer");

        using var delete = await Client.SendAsync("DELETE", $"/v2/app/manifests/{image.Digest}");

        await delete.HasStatusAsync(HttpStatusCode.Accepted);
        using var tags = await Client.SendAsync("GET", "/v2/app/tags/list");
        Assert.Equal(["other"], (await tags.JsonAsync()).GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()));
        using var again = await Client.SendAsync("DELETE", $"/v2/app/manifests/{image.Digest}");
        await again.FailsWithAsync(HttpStatusCode.NotFound, "MANIFEST_UNKNOWN");
    }

    [Fact]
    public async Task End_9_leaves_the_same_manifest_in_other_repositories()
    {
        var image = await Client.PushImageAsync("one", "v1");
        await Client.PushImageAsync("two", "v1");

        using var delete = await Client.SendAsync("DELETE", $"/v2/one/manifests/{image.Digest}");
        await delete.HasStatusAsync(HttpStatusCode.Accepted);

        using var get = await Client.SendAsync("GET", "/v2/two/manifests/v1");
        await get.HasStatusAsync(HttpStatusCode.OK);
    }

    [Fact]
    public async Task End_9_answers_404_to_what_is_not_there()
    {
        using var delete = await Client.SendAsync("DELETE", "/v2/app/manifests/nothing");

        await delete.FailsWithAsync(HttpStatusCode.NotFound, "MANIFEST_UNKNOWN");
    }

    [Fact]
    public async Task End_10_takes_a_blob_out_of_its_repository()
    {
        var digest = await Client.PushBlobAsync("app", Pushing.Text("going"));
        await Client.PushBlobAsync("other", Pushing.Text("going"));

        using var delete = await Client.SendAsync("DELETE", $"/v2/app/blobs/{digest}");

        await delete.HasStatusAsync(HttpStatusCode.Accepted);
        using var head = await Client.SendAsync("HEAD", $"/v2/app/blobs/{digest}");
        await head.HasStatusAsync(HttpStatusCode.NotFound);
        using var elsewhere = await Client.SendAsync("HEAD", $"/v2/other/blobs/{digest}");
        await elsewhere.HasStatusAsync(HttpStatusCode.OK);
        using var again = await Client.SendAsync("DELETE", $"/v2/app/blobs/{digest}");
        await again.FailsWithAsync(HttpStatusCode.NotFound, "BLOB_UNKNOWN");
    }
}
