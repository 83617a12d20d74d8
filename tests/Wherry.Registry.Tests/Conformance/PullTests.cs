using System.Net;
using Wherry.Oci.Images;

namespace Wherry.Registry.Tests.Conformance;

/// <summary>distribution-spec v1.1, "Pull": end-1, end-2 and end-3.</summary>
public sealed class PullTests : IAsyncLifetime
{
    private RunningRegistry _registry = null!;

    private HttpClient Client => _registry.Client;

    public async ValueTask InitializeAsync() => _registry = await RunningRegistry.StartAsync();

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    [Theory]
    [InlineData("/v2/")]
    [InlineData("/v2")]
    public async Task End_1_says_that_the_api_is_spoken(string path)
    {
        using var answer = await Client.SendAsync("GET", path);

        await answer.HasStatusAsync(HttpStatusCode.OK);
        Assert.Equal("registry/2.0", answer.Header("Docker-Distribution-API-Version"));
    }

    [Fact]
    public async Task End_2_gives_a_blob_with_its_digest_and_length()
    {
        var digest = await Client.PushBlobAsync("app", Pushing.Text("hello"));

        using var answer = await Client.SendAsync("GET", $"/v2/app/blobs/{digest}");

        await answer.HasStatusAsync(HttpStatusCode.OK);
        Assert.Equal("hello"u8.ToArray(), await answer.BytesAsync());
        Assert.Equal(digest, answer.Header("Docker-Content-Digest"));
        Assert.Equal("application/octet-stream", answer.Header("Content-Type"));
    }

    [Fact]
    public async Task End_2_head_tells_a_blob_without_its_body()
    {
        var digest = await Client.PushBlobAsync("app", Pushing.Text("hello"));

        using var answer = await Client.SendAsync("HEAD", $"/v2/app/blobs/{digest}");

        await answer.HasStatusAsync(HttpStatusCode.OK);
        Assert.Equal(5, answer.Content.Headers.ContentLength);
        Assert.Equal(digest, answer.Header("Docker-Content-Digest"));
        Assert.Empty(await answer.BytesAsync());
    }

    [Fact]
    public async Task End_2_answers_404_blob_unknown()
    {
        using var get = await Client.SendAsync("GET", $"/v2/app/blobs/{Pushing.UnknownDigest}");
        await get.FailsWithAsync(HttpStatusCode.NotFound, "BLOB_UNKNOWN");

        using var head = await Client.SendAsync("HEAD", $"/v2/app/blobs/{Pushing.UnknownDigest}");
        await head.HasStatusAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task End_2_a_blob_belongs_to_the_repository_it_was_pushed_to()
    {
        var digest = await Client.PushBlobAsync("app", Pushing.Text("mine"));

        using var answer = await Client.SendAsync("GET", $"/v2/other/blobs/{digest}");

        await answer.FailsWithAsync(HttpStatusCode.NotFound, "BLOB_UNKNOWN");
    }

    [Theory]
    [InlineData("bytes=0-3", "0123", "bytes 0-3/10")]
    [InlineData("bytes=4-", "456789", "bytes 4-9/10")]
    [InlineData("bytes=-3", "789", "bytes 7-9/10")]
    [InlineData("bytes=8-100", "89", "bytes 8-9/10")]
    public async Task End_2_gives_the_part_a_range_names(string range, string part, string contentRange)
    {
        var digest = await Client.PushBlobAsync("app", Pushing.Text("0123456789"));

        using var answer = await Client.SendAsync("GET", $"/v2/app/blobs/{digest}", headers: ("Range", range));

        await answer.HasStatusAsync(HttpStatusCode.PartialContent);
        Assert.Equal(part, System.Text.Encoding.ASCII.GetString(await answer.BytesAsync()));
        Assert.Equal(contentRange, answer.Header("Content-Range"));
    }

    [Fact]
    public async Task End_2_answers_416_to_a_range_behind_the_end()
    {
        var digest = await Client.PushBlobAsync("app", Pushing.Text("0123456789"));

        using var answer = await Client.SendAsync("GET", $"/v2/app/blobs/{digest}", headers: ("Range", "bytes=10-"));

        await answer.HasStatusAsync(HttpStatusCode.RequestedRangeNotSatisfiable);
        Assert.Equal("bytes */10", answer.Header("Content-Range"));
    }

    [Theory]
    [InlineData("bytes=5-2")]
    [InlineData("bytes=0-1,4-5")]
    [InlineData("lines=1-2")]
    [InlineData("bytes=x-")]
    [InlineData("bytes=99999999999999999999-")]
    public async Task End_2_gives_the_whole_where_a_range_is_not_understood(string range)
    {
        var digest = await Client.PushBlobAsync("app", Pushing.Text("0123456789"));

        using var answer = await Client.SendAsync("GET", $"/v2/app/blobs/{digest}", headers: ("Range", range));

        await answer.HasStatusAsync(HttpStatusCode.OK);
        Assert.Equal(10, (await answer.BytesAsync()).Length);
    }

    [Fact]
    public async Task End_2_sends_nothing_to_who_has_it()
    {
        var digest = await Client.PushBlobAsync("app", Pushing.Text("hello"));

        using var answer = await Client.SendAsync("GET", $"/v2/app/blobs/{digest}", headers: ("If-None-Match", $"\"{digest}\""));

        await answer.HasStatusAsync(HttpStatusCode.NotModified);
    }

    [Theory]
    [InlineData("sha256:abc")]
    [InlineData("md5:d41d8cd98f00b204e9800998ecf8427e")]
    [InlineData("sha256:ABCDEF0000000000000000000000000000000000000000000000000000000000")]
    [InlineData("nothing")]
    public async Task End_2_answers_400_to_what_is_no_digest(string digest)
    {
        using var answer = await Client.SendAsync("GET", $"/v2/app/blobs/{digest}");

        await answer.FailsWithAsync(HttpStatusCode.BadRequest, "DIGEST_INVALID");
    }

    [Fact]
    public async Task End_3_gives_a_manifest_by_tag_and_by_digest_byte_for_byte()
    {
        var image = await Client.PushImageAsync("team/app", "v1");

        foreach (var reference in new[] { "v1", image.Digest })
        {
            using var answer = await Client.SendAsync("GET", $"/v2/team/app/manifests/{reference}", headers: ("Accept", MediaTypes.OciManifest));

            await answer.HasStatusAsync(HttpStatusCode.OK);
            Assert.Equal(image.Manifest, await answer.BytesAsync());
            Assert.Equal(MediaTypes.OciManifest, answer.Header("Content-Type"));
            Assert.Equal(image.Digest, answer.Header("Docker-Content-Digest"));
        }
    }

    [Fact]
    public async Task End_3_head_tells_digest_length_and_type()
    {
        var image = await Client.PushImageAsync("app", "v1");

        using var answer = await Client.SendAsync("HEAD", "/v2/app/manifests/v1");

        await answer.HasStatusAsync(HttpStatusCode.OK);
        Assert.Equal(image.Digest, answer.Header("Docker-Content-Digest"));
        Assert.Equal(image.Manifest.Length, answer.Content.Headers.ContentLength);
        Assert.Equal(MediaTypes.OciManifest, answer.Header("Content-Type"));
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData(Pushing.UnknownDigest)]
    public async Task End_3_answers_404_manifest_unknown(string reference)
    {
        await Client.PushImageAsync("app", "v1");

        using var get = await Client.SendAsync("GET", $"/v2/app/manifests/{reference}");
        await get.FailsWithAsync(HttpStatusCode.NotFound, "MANIFEST_UNKNOWN");

        using var head = await Client.SendAsync("HEAD", $"/v2/app/manifests/{reference}");
        await head.HasStatusAsync(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("App")]
    [InlineData("-app")]
    [InlineData("app-")]
    [InlineData("a/../b")]
    [InlineData("a//b")]
    [InlineData("a___b")]
    [InlineData("_manifests")]
    [InlineData("a/.b")]
    public async Task A_name_outside_the_grammar_is_refused(string name)
    {
        // By hand: a client of the framework would tidy the path up.
        using var socket = new System.Net.Sockets.TcpClient();
        await socket.ConnectAsync(IPEndPoint.Parse(_registry.Host), TestContext.Current.CancellationToken);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(Pushing.Text($"GET /v2/{name}/manifests/latest HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);
        var answer = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);

        // Kestrel resolves dots before anybody sees the path; what is left must not be found.
        Assert.True(answer.Contains("NAME_INVALID", StringComparison.Ordinal) || (name.Contains("..", StringComparison.Ordinal) && answer.StartsWith("HTTP/1.1 404", StringComparison.Ordinal)), answer);
    }

    [Fact]
    public async Task Unknown_paths_and_methods_have_errors_of_the_same_form()
    {
        using var nowhere = await Client.SendAsync("GET", "/v2/app/nothing");
        await nowhere.FailsWithAsync(HttpStatusCode.NotFound, "UNSUPPORTED");

        using var method = await Client.SendAsync("PUT", "/v2/app/tags/list", []);
        await method.FailsWithAsync(HttpStatusCode.MethodNotAllowed, "UNSUPPORTED");
        Assert.Contains("GET", method.Header("Allow"), StringComparison.Ordinal);
    }
}
