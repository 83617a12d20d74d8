using System.Net;
using System.Security.Cryptography;
using Wherry.Oci.Images;

namespace Wherry.Registry.Tests.Conformance;

/// <summary>distribution-spec v1.1, "Push", manifests: end-7.</summary>
public sealed class PushManifestTests : IAsyncLifetime
{
    private RunningRegistry _registry = null!;

    private HttpClient Client => _registry.Client;

    public async ValueTask InitializeAsync() => _registry = await RunningRegistry.StartAsync();

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    [Fact]
    public async Task End_7_takes_a_manifest_by_tag_and_says_its_digest_and_place()
    {
        var config = Pushing.Text("{}");
        await Client.PushBlobAsync("app", config);
        var manifest = Pushing.Manifest(config, []);

        using var put = await Client.SendAsync("PUT", "/v2/app/manifests/v1", manifest, MediaTypes.OciManifest);

        await put.HasStatusAsync(HttpStatusCode.Created);
        Assert.Equal(Pushing.DigestOf(manifest), put.Header("Docker-Content-Digest"));
        using var get = await Client.SendAsync("GET", put.Header("Location"));
        Assert.Equal(manifest, await get.BytesAsync());
    }

    [Fact]
    public async Task End_7_takes_a_manifest_by_digest_in_either_algorithm()
    {
        var image = await Client.PushImageAsync("app", tag: null);
        var sha512 = "sha512:" + Convert.ToHexStringLower(SHA512.HashData(image.Manifest));
        Assert.Equal(sha512, await Client.PushManifestAsync("app", sha512, image.Manifest));

        using var get = await Client.SendAsync("GET", $"/v2/app/manifests/{sha512}");
        Assert.Equal(image.Manifest, await get.BytesAsync());
    }

    [Fact]
    public async Task End_7_refuses_a_manifest_of_another_digest()
    {
        var image = await Client.PushImageAsync("app", "v1");

        using var put = await Client.SendAsync("PUT", $"/v2/app/manifests/{Pushing.UnknownDigest}", image.Manifest, MediaTypes.OciManifest);

        await put.FailsWithAsync(HttpStatusCode.BadRequest, "DIGEST_INVALID");
    }

    [Fact]
    public async Task End_7_moves_a_tag_to_another_manifest()
    {
        var first = await Client.PushImageAsync("app", "latest", "one");
        var second = await Client.PushImageAsync("app", "latest", "two");

        using var tagged = await Client.SendAsync("HEAD", "/v2/app/manifests/latest");
        Assert.Equal(second.Digest, tagged.Header("Docker-Content-Digest"));
        using var old = await Client.SendAsync("HEAD", $"/v2/app/manifests/{first.Digest}");
        await old.HasStatusAsync(HttpStatusCode.OK);
    }

    [Fact]
    public async Task End_7_refuses_a_manifest_whose_blobs_are_missing()
    {
        await Client.PushBlobAsync("app", Pushing.Text("{}"));
        var manifest = Pushing.Manifest(Pushing.Text("{}"), [Pushing.Text("never pushed")]);

        using var put = await Client.SendAsync("PUT", "/v2/app/manifests/v1", manifest, MediaTypes.OciManifest);

        await put.FailsWithAsync(HttpStatusCode.BadRequest, "MANIFEST_BLOB_UNKNOWN");
        using var get = await Client.SendAsync("GET", "/v2/app/manifests/v1");
        await get.HasStatusAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task End_7_takes_layers_that_may_not_be_distributed_on_trust()
    {
        var config = Pushing.Text("{}");
        await Client.PushBlobAsync("app", config);
        var manifest = Pushing.Text($$"""
            {"schemaVersion":2,"config":{{Pushing.Descriptor(MediaTypes.OciConfig, config)}},
             "layers":[{"mediaType":"application/vnd.oci.image.layer.nondistributable.v1.tar","digest":"{{Pushing.UnknownDigest}}","size":7,"urls":["https://example.com/layer"]}]}
            """);

        Assert.Equal(Pushing.DigestOf(manifest), await Client.PushManifestAsync("app", "v1", manifest));
    }

    [Fact]
    public async Task End_7_takes_an_index_whose_manifests_are_there()
    {
        var image = await Client.PushImageAsync("app", tag: null);
        var index = Pushing.Text($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[{{Pushing.Descriptor(MediaTypes.OciManifest, image.Manifest)}}]}""");
        await Client.PushManifestAsync("app", "all", index, MediaTypes.OciIndex);

        using var get = await Client.SendAsync("GET", "/v2/app/manifests/all");
        Assert.Equal(MediaTypes.OciIndex, get.Header("Content-Type"));

        using var elsewhere = await Client.SendAsync("PUT", "/v2/other/manifests/all", index, MediaTypes.OciIndex);
        await elsewhere.FailsWithAsync(HttpStatusCode.BadRequest, "MANIFEST_BLOB_UNKNOWN");
    }

    [Theory]
    [InlineData(MediaTypes.DockerManifest)]
    [InlineData(MediaTypes.OciManifest + "; charset=utf-8")]
    public async Task End_7_keeps_the_type_a_manifest_was_pushed_with(string mediaType)
    {
        var config = Pushing.Text("{}");
        await Client.PushBlobAsync("app", config);
        var manifest = Pushing.Text($$"""{"schemaVersion":2,"config":{{Pushing.Descriptor("application/vnd.docker.container.image.v1+json", config)}},"layers":[]}""");
        await Client.PushManifestAsync("app", "v1", manifest, mediaType);

        using var get = await Client.SendAsync("GET", "/v2/app/manifests/v1");
        Assert.Equal(mediaType.Split(';')[0], get.Header("Content-Type"));
    }

    public static TheoryData<string, string> Damaged()
    {
        var config = Pushing.Descriptor(MediaTypes.OciConfig, Pushing.Text("{}"));
        var deep = new string('[', 100) + new string(']', 100);
        return new TheoryData<string, string>
        {
            { "not JSON", "{" },
            { "null", "null" },
            { "no object", "[]" },
            { "another version", $$"""{"schemaVersion":1,"config":{{config}},"layers":[]}""" },
            { "no version", $$"""{"config":{{config}},"layers":[]}""" },
            { "no config", """{"schemaVersion":2,"layers":[]}""" },
            { "no layers", $$"""{"schemaVersion":2,"config":{{config}}}""" },
            { "layers that are no list", $$"""{"schemaVersion":2,"config":{{config}},"layers":{} }""" },
            { "a null layer", $$"""{"schemaVersion":2,"config":{{config}},"layers":[null]}""" },
            { "a layer without digest", $$"""{"schemaVersion":2,"config":{{config}},"layers":[{"mediaType":"x","size":1}]}""" },
            { "a layer with a bad digest", $$"""{"schemaVersion":2,"config":{{config}},"layers":[{"mediaType":"x","digest":"sha256:../../etc/passwd","size":1}]}""" },
            { "a negative size", $$"""{"schemaVersion":2,"config":{{config}},"layers":[{"mediaType":"x","digest":"{{Pushing.UnknownDigest}}","size":-1}]}""" },
            { "another mediaType inside", $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","config":{{config}},"layers":[]}""" },
            { "a repeated key", $$"""{"schemaVersion":2,"config":{{config}},"layers":[],"layers":[]}""" },
            { "a repeated key inside", $$"""{"schemaVersion":2,"config":{{config}},"layers":[],"annotations":{"a":"1","a":"2"} }""" },
            { "an index's list as well", $$"""{"schemaVersion":2,"config":{{config}},"layers":[],"manifests":[]}""" },
            { "nesting", $$"""{"schemaVersion":2,"config":{{config}},"layers":[],"x":{{deep}}}""" },
            { "something behind it", $$"""{"schemaVersion":2,"config":{{config}},"layers":[]} {}""" },
        };
    }

    [Theory]
    [MemberData(nameof(Damaged))]
    public async Task End_7_refuses_what_is_no_manifest(string what, string manifest)
    {
        await Client.PushBlobAsync("app", Pushing.Text("{}"));

        using var put = await Client.SendAsync("PUT", "/v2/app/manifests/v1", Pushing.Text(manifest), MediaTypes.OciManifest);

        Assert.True(put.StatusCode == HttpStatusCode.BadRequest, what);
        await put.FailsWithAsync(HttpStatusCode.BadRequest, "MANIFEST_INVALID");
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/vnd.docker.distribution.manifest.v1+prettyjws")]
    public async Task End_7_refuses_types_it_does_not_know(string mediaType)
    {
        await Client.PushBlobAsync("app", Pushing.Text("{}"));

        using var put = await Client.SendAsync("PUT", "/v2/app/manifests/v1", Pushing.Manifest(Pushing.Text("{}"), []), mediaType);

        await put.FailsWithAsync(HttpStatusCode.BadRequest, "MANIFEST_INVALID");
    }

    [Fact]
    public async Task End_7_refuses_a_size_that_is_not_the_blobs()
    {
        var config = Pushing.Text("{}");
        await Client.PushBlobAsync("app", config);
        var manifest = Pushing.Text($$"""{"schemaVersion":2,"config":{"mediaType":"x","digest":"{{Pushing.DigestOf(config)}}","size":3},"layers":[]}""");

        using var put = await Client.SendAsync("PUT", "/v2/app/manifests/v1", manifest, MediaTypes.OciManifest);

        await put.FailsWithAsync(HttpStatusCode.BadRequest, "MANIFEST_INVALID");
    }

    [Fact]
    public async Task End_7_takes_4_MiB_and_answers_413_beyond()
    {
        var config = Pushing.Text("{}");
        await Client.PushBlobAsync("app", config);
        var small = Pushing.Manifest(config, [], ",\"annotations\":{\"a\":\"\"}");
        var padding = new string('x', (4 * 1024 * 1024) - small.Length);
        var full = Pushing.Manifest(config, [], $",\"annotations\":{{\"a\":\"{padding}\"}}");
        Assert.Equal(4 * 1024 * 1024, full.Length);
        await Client.PushManifestAsync("app", "full", full);

        using var put = await Client.SendAsync("PUT", "/v2/app/manifests/more", [.. full, (byte)' '], MediaTypes.OciManifest);
        await put.FailsWithAsync(HttpStatusCode.RequestEntityTooLarge, "MANIFEST_INVALID");
    }

    [Theory]
    [InlineData(".hidden")]
    [InlineData("-x")]
    [InlineData("a%20b")]
    public async Task End_7_refuses_tags_outside_the_grammar(string tag)
    {
        var image = await Client.PushImageAsync("app", "v1");

        using var put = await Client.SendAsync("PUT", $"/v2/app/manifests/{tag}", image.Manifest, MediaTypes.OciManifest);

        await put.FailsWithAsync(HttpStatusCode.BadRequest, "MANIFEST_INVALID");
    }

    [Fact]
    public async Task A_tag_may_have_128_characters_and_no_more()
    {
        var tag = new string('t', 128);
        var image = await Client.PushImageAsync("app", tag);

        using var put = await Client.SendAsync("PUT", $"/v2/app/manifests/{tag}t", image.Manifest, MediaTypes.OciManifest);
        await put.HasStatusAsync(HttpStatusCode.BadRequest);
    }
}
