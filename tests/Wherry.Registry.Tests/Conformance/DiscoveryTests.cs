using System.Net;
using Wherry.Oci.Images;

namespace Wherry.Registry.Tests.Conformance;

/// <summary>distribution-spec v1.1, "Content Discovery": end-8a, end-8b, end-12a, end-12b, and Docker's catalog.</summary>
public sealed class DiscoveryTests : IAsyncLifetime
{
    private RunningRegistry _registry = null!;

    private HttpClient Client => _registry.Client;

    public async ValueTask InitializeAsync() => _registry = await RunningRegistry.StartAsync();

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    [Fact]
    public async Task End_8a_lists_tags_in_order()
    {
        var image = await Client.PushImageAsync("team/app", "b");
        foreach (var tag in new[] { "a", "C", "1.0" })
        {
            await Client.PushManifestAsync("team/app", tag, image.Manifest);
        }

        using var answer = await Client.SendAsync("GET", "/v2/team/app/tags/list");

        await answer.HasStatusAsync(HttpStatusCode.OK);
        var list = await answer.JsonAsync();
        Assert.Equal("team/app", list.GetProperty("name").GetString());
        Assert.Equal(["1.0", "C", "a", "b"], list.GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()));
    }

    [Fact]
    public async Task End_8a_answers_404_for_a_repository_that_is_not_there()
    {
        using var answer = await Client.SendAsync("GET", "/v2/nobody/tags/list");

        await answer.FailsWithAsync(HttpStatusCode.NotFound, "NAME_UNKNOWN");
    }

    [Fact]
    public async Task End_8b_gives_pages_that_lead_from_one_to_the_next()
    {
        var image = await Client.PushImageAsync("app", "t1");
        for (var number = 2; number <= 5; number++)
        {
            await Client.PushManifestAsync("app", $"t{number}", image.Manifest);
        }

        var seen = new List<string>();
        var next = "/v2/app/tags/list?n=2";
        for (var pages = 1; ; pages++)
        {
            using var answer = await Client.SendAsync("GET", next);
            var tags = (await answer.JsonAsync()).GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()!).ToList();
            Assert.InRange(tags.Count, 1, 2);
            seen.AddRange(tags);
            if (!answer.HasHeader("Link"))
            {
                Assert.Equal(3, pages);
                break;
            }

            var link = answer.Header("Link");
            Assert.EndsWith("; rel=\"next\"", link, StringComparison.Ordinal);
            next = link[1..link.IndexOf('>', StringComparison.Ordinal)];
        }

        Assert.Equal(["t1", "t2", "t3", "t4", "t5"], seen);
    }

    [Fact]
    public async Task End_8b_knows_last_without_n_and_n_of_nothing()
    {
        var image = await Client.PushImageAsync("app", "a");
        await Client.PushManifestAsync("app", "b", image.Manifest);

        using var last = await Client.SendAsync("GET", "/v2/app/tags/list?last=a");
        Assert.Equal(["b"], (await last.JsonAsync()).GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()));

        using var none = await Client.SendAsync("GET", "/v2/app/tags/list?n=0");
        Assert.Equal(0, (await none.JsonAsync()).GetProperty("tags").GetArrayLength());
        Assert.False(none.HasHeader("Link"));

        using var wrong = await Client.SendAsync("GET", "/v2/app/tags/list?n=many");
        await wrong.FailsWithAsync(HttpStatusCode.BadRequest, "PAGINATION_NUMBER_INVALID");
    }

    [Fact]
    public async Task End_7_with_a_subject_says_so_and_end_12a_lists_it()
    {
        var image = await Client.PushImageAsync("app", "v1");
        var (digest, manifest, answer) = await PushArtifactAsync("app", image.Manifest, "application/example.sbom");
        Assert.Equal(image.Digest, answer);

        using var referrers = await Client.SendAsync("GET", $"/v2/app/referrers/{image.Digest}");

        await referrers.HasStatusAsync(HttpStatusCode.OK);
        Assert.Equal(MediaTypes.OciIndex, referrers.Header("Content-Type"));
        var index = await referrers.JsonAsync();
        Assert.Equal(2, index.GetProperty("schemaVersion").GetInt32());
        Assert.Equal(MediaTypes.OciIndex, index.GetProperty("mediaType").GetString());
        var descriptor = Assert.Single(index.GetProperty("manifests").EnumerateArray());
        Assert.Equal(digest, descriptor.GetProperty("digest").GetString());
        Assert.Equal(manifest.Length, descriptor.GetProperty("size").GetInt32());
        Assert.Equal(MediaTypes.OciManifest, descriptor.GetProperty("mediaType").GetString());
        Assert.Equal("application/example.sbom", descriptor.GetProperty("artifactType").GetString());
        Assert.Equal("test", descriptor.GetProperty("annotations").GetProperty("made.by").GetString());
    }

    [Fact]
    public async Task End_7_takes_an_artifact_before_its_subject()
    {
        var config = Pushing.Text("{}");
        await Client.PushBlobAsync("app", config);
        var later = Pushing.Manifest(config, []);
        await PushArtifactAsync("app", later, "application/example.signature");

        using var referrers = await Client.SendAsync("GET", $"/v2/app/referrers/{Pushing.DigestOf(later)}");
        Assert.Equal(1, (await referrers.JsonAsync()).GetProperty("manifests").GetArrayLength());
    }

    [Fact]
    public async Task End_12a_takes_the_configurations_type_where_none_is_said()
    {
        var image = await Client.PushImageAsync("app", "v1");
        var config = Pushing.Text("{}");
        await Client.PushBlobAsync("app", config);
        var manifest = Pushing.Manifest(config, [], $",\"subject\":{Pushing.Descriptor(MediaTypes.OciManifest, image.Manifest)}");
        await Client.PushManifestAsync("app", Pushing.DigestOf(manifest), manifest);

        using var referrers = await Client.SendAsync("GET", $"/v2/app/referrers/{image.Digest}");
        var descriptor = (await referrers.JsonAsync()).GetProperty("manifests")[0];
        Assert.Equal(MediaTypes.OciConfig, descriptor.GetProperty("artifactType").GetString());
    }

    [Fact]
    public async Task End_12a_answers_an_empty_index_where_nothing_refers()
    {
        using var referrers = await Client.SendAsync("GET", $"/v2/nobody/referrers/{Pushing.UnknownDigest}");

        await referrers.HasStatusAsync(HttpStatusCode.OK);
        Assert.Equal(0, (await referrers.JsonAsync()).GetProperty("manifests").GetArrayLength());
    }

    [Fact]
    public async Task End_12a_answers_400_to_what_is_no_digest()
    {
        using var referrers = await Client.SendAsync("GET", "/v2/app/referrers/latest");

        await referrers.FailsWithAsync(HttpStatusCode.BadRequest, "DIGEST_INVALID");
    }

    [Fact]
    public async Task End_12b_filters_by_artifact_type_and_says_so()
    {
        var image = await Client.PushImageAsync("app", "v1");
        await PushArtifactAsync("app", image.Manifest, "application/example.sbom");
        var (signature, _, _) = await PushArtifactAsync("app", image.Manifest, "application/example.signature");

        using var filtered = await Client.SendAsync("GET", $"/v2/app/referrers/{image.Digest}?artifactType=application%2Fexample.signature");

        Assert.Equal("artifactType", filtered.Header("OCI-Filters-Applied"));
        var descriptor = Assert.Single((await filtered.JsonAsync()).GetProperty("manifests").EnumerateArray());
        Assert.Equal(signature, descriptor.GetProperty("digest").GetString());
    }

    [Fact]
    public async Task A_deleted_artifact_refers_no_longer()
    {
        var image = await Client.PushImageAsync("app", "v1");
        var (digest, _, _) = await PushArtifactAsync("app", image.Manifest, "application/example.sbom");
        using var delete = await Client.SendAsync("DELETE", $"/v2/app/manifests/{digest}");
        await delete.HasStatusAsync(HttpStatusCode.Accepted);

        using var referrers = await Client.SendAsync("GET", $"/v2/app/referrers/{image.Digest}");
        Assert.Equal(0, (await referrers.JsonAsync()).GetProperty("manifests").GetArrayLength());
    }

    [Fact]
    public async Task The_catalog_lists_repositories_in_pages()
    {
        foreach (var name in new[] { "b", "a/nested", "a", "c" })
        {
            await Client.PushImageAsync(name, "v1");
        }

        using var all = await Client.SendAsync("GET", "/v2/_catalog");
        Assert.Equal(["a", "a/nested", "b", "c"], (await all.JsonAsync()).GetProperty("repositories").EnumerateArray().Select(name => name.GetString()));

        using var page = await Client.SendAsync("GET", "/v2/_catalog?n=2&last=a");
        Assert.Equal(["a/nested", "b"], (await page.JsonAsync()).GetProperty("repositories").EnumerateArray().Select(name => name.GetString()));
        Assert.Equal("</v2/_catalog?n=2&last=b>; rel=\"next\"", page.Header("Link"));
    }

    private async Task<(string Digest, byte[] Manifest, string Subject)> PushArtifactAsync(string repository, byte[] subject, string artifactType)
    {
        var empty = Pushing.Text("{}");
        var content = Pushing.Text("about " + artifactType);
        await Client.PushBlobAsync(repository, empty);
        await Client.PushBlobAsync(repository, content);
        var manifest = Pushing.Text($$"""
            {"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","artifactType":"{{artifactType}}",
             "config":{{Pushing.Descriptor("application/vnd.oci.empty.v1+json", empty)}},
             "layers":[{{Pushing.Descriptor(artifactType, content)}}],
             "subject":{{Pushing.Descriptor(MediaTypes.OciManifest, subject)}},
             "annotations":{"made.by":"test"} }
            """);
        using var put = await Client.SendAsync("PUT", $"/v2/{repository}/manifests/{Pushing.DigestOf(manifest)}", manifest, MediaTypes.OciManifest);
        await put.HasStatusAsync(HttpStatusCode.Created);
        return (Pushing.DigestOf(manifest), manifest, put.Header("OCI-Subject"));
    }
}
