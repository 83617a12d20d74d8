using System.Net;
using System.Security.Cryptography;

namespace Wherry.Registry.Tests.Conformance;

/// <summary>distribution-spec v1.1, "Push", blobs: end-4a, end-4b, end-5, end-6, end-11, end-13.</summary>
public sealed class PushBlobTests : IAsyncLifetime
{
    private static readonly byte[] Content = Pushing.Text("0123456789abcdef");
    private static readonly string Digest = Pushing.DigestOf(Content);

    private RunningRegistry _registry = null!;

    private HttpClient Client => _registry.Client;

    public async ValueTask InitializeAsync() => _registry = await RunningRegistry.StartAsync();

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    [Fact]
    public async Task End_4a_and_end_6_take_a_blob_by_post_then_put()
    {
        var location = await Client.BeginUploadAsync("app");
        using var put = await Client.SendAsync("PUT", $"{location}?digest={Digest}", Content, "application/octet-stream");

        await put.HasStatusAsync(HttpStatusCode.Created);
        using var get = await Client.SendAsync("GET", put.Header("Location"));
        Assert.Equal(Content, await get.BytesAsync());
    }

    [Fact]
    public async Task End_4b_takes_a_blob_by_one_post()
    {
        using var post = await Client.SendAsync("POST", $"/v2/app/blobs/uploads/?digest={Digest}", Content, "application/octet-stream");

        await post.HasStatusAsync(HttpStatusCode.Created);
        Assert.Equal($"/v2/app/blobs/{Digest}", post.Header("Location"));
        using var get = await Client.SendAsync("GET", post.Header("Location"));
        Assert.Equal(Content, await get.BytesAsync());
    }

    [Fact]
    public async Task End_5_takes_chunks_in_order_and_says_how_far_it_is()
    {
        var location = await Client.BeginUploadAsync("app");
        using var first = await Client.SendAsync("PATCH", location, Content[..10], "application/octet-stream", ("Content-Range", "0-9"));
        await first.HasStatusAsync(HttpStatusCode.Accepted);
        Assert.Equal("0-9", first.Header("Range"));

        using var second = await Client.SendAsync("PATCH", first.Header("Location"), Content[10..], "application/octet-stream", ("Content-Range", "10-15"));
        await second.HasStatusAsync(HttpStatusCode.Accepted);
        Assert.Equal("0-15", second.Header("Range"));

        using var put = await Client.SendAsync("PUT", $"{second.Header("Location")}?digest={Digest}", []);
        await put.HasStatusAsync(HttpStatusCode.Created);
        Assert.Equal($"/v2/app/blobs/{Digest}", put.Header("Location"));
    }

    [Fact]
    public async Task End_6_takes_the_last_chunk_as_well()
    {
        var location = await Client.BeginUploadAsync("app");
        using var patch = await Client.SendAsync("PATCH", location, Content[..10], "application/octet-stream", ("Content-Range", "0-9"));
        using var put = await Client.SendAsync("PUT", $"{location}?digest={Digest}", Content[10..], "application/octet-stream", ("Content-Range", "10-15"));

        await put.HasStatusAsync(HttpStatusCode.Created);
    }

    [Fact]
    public async Task End_5_answers_416_to_a_chunk_out_of_order_and_says_where_to_go_on()
    {
        var location = await Client.BeginUploadAsync("app");
        using var early = await Client.SendAsync("PATCH", location, Content[10..], "application/octet-stream", ("Content-Range", "10-15"));
        await early.HasStatusAsync(HttpStatusCode.RequestedRangeNotSatisfiable);

        using var first = await Client.SendAsync("PATCH", location, Content[..10], "application/octet-stream", ("Content-Range", "0-9"));
        await first.HasStatusAsync(HttpStatusCode.Accepted);
        using var again = await Client.SendAsync("PATCH", location, Content[..10], "application/octet-stream", ("Content-Range", "0-9"));
        await again.FailsWithAsync(HttpStatusCode.RequestedRangeNotSatisfiable, "BLOB_UPLOAD_INVALID");
        Assert.Equal("0-9", again.Header("Range"));
        Assert.Equal(location, again.Header("Location"));
    }

    [Fact]
    public async Task End_6_answers_416_to_a_last_chunk_out_of_order()
    {
        var location = await Client.BeginUploadAsync("app");
        using var put = await Client.SendAsync("PUT", $"{location}?digest={Digest}", Content[10..], "application/octet-stream", ("Content-Range", "10-15"));

        await put.FailsWithAsync(HttpStatusCode.RequestedRangeNotSatisfiable, "BLOB_UPLOAD_INVALID");
    }

    [Fact]
    public async Task End_5_answers_400_where_length_and_range_contradict_each_other()
    {
        var location = await Client.BeginUploadAsync("app");
        using var patch = await Client.SendAsync("PATCH", location, Content[..4], "application/octet-stream", ("Content-Range", "0-9"));

        await patch.FailsWithAsync(HttpStatusCode.BadRequest, "SIZE_INVALID");
    }

    [Fact]
    public async Task End_5_takes_a_stream_without_range_or_length()
    {
        var location = await Client.BeginUploadAsync("app");
        using var request = new HttpRequestMessage(HttpMethod.Patch, location) { Content = new StreamContent(new MemoryStream(Content)) };
        request.Headers.TransferEncodingChunked = true;
        using var patch = await Client.SendAsync(request, TestContext.Current.CancellationToken);
        await patch.HasStatusAsync(HttpStatusCode.Accepted);
        Assert.Equal("0-15", patch.Header("Range"));

        using var put = await Client.SendAsync("PUT", $"{location}?digest={Digest}", []);
        await put.HasStatusAsync(HttpStatusCode.Created);
    }

    [Fact]
    public async Task End_6_refuses_content_of_another_digest_and_ends_the_upload()
    {
        var location = await Client.BeginUploadAsync("app");
        using var put = await Client.SendAsync("PUT", $"{location}?digest={Digest}", Pushing.Text("something else"), "application/octet-stream");
        await put.FailsWithAsync(HttpStatusCode.BadRequest, "DIGEST_INVALID");

        using var head = await Client.SendAsync("HEAD", $"/v2/app/blobs/{Digest}");
        await head.HasStatusAsync(HttpStatusCode.NotFound);
        using var status = await Client.SendAsync("GET", location);
        await status.FailsWithAsync(HttpStatusCode.NotFound, "BLOB_UPLOAD_UNKNOWN");
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(_registry.Root, "uploads")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("?digest=")]
    [InlineData("?digest=sha256:12")]
    public async Task End_6_needs_a_digest(string query)
    {
        var location = await Client.BeginUploadAsync("app");
        using var put = await Client.SendAsync("PUT", location + query, Content, "application/octet-stream");

        await put.FailsWithAsync(HttpStatusCode.BadRequest, "DIGEST_INVALID");
    }

    [Fact]
    public async Task End_13_tells_how_far_an_upload_is()
    {
        var location = await Client.BeginUploadAsync("app");
        using var patch = await Client.SendAsync("PATCH", location, Content[..10], "application/octet-stream");

        using var status = await Client.SendAsync("GET", location);

        await status.HasStatusAsync(HttpStatusCode.NoContent);
        Assert.Equal("0-9", status.Header("Range"));
        Assert.Equal(location, status.Header("Location"));
    }

    [Fact]
    public async Task An_upload_can_be_given_up()
    {
        var location = await Client.BeginUploadAsync("app");
        using var delete = await Client.SendAsync("DELETE", location);
        await delete.HasStatusAsync(HttpStatusCode.NoContent);

        using var patch = await Client.SendAsync("PATCH", location, Content, "application/octet-stream");
        await patch.FailsWithAsync(HttpStatusCode.NotFound, "BLOB_UPLOAD_UNKNOWN");
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(_registry.Root, "uploads")));
    }

    [Fact]
    public async Task An_upload_belongs_to_its_repository()
    {
        var location = await Client.BeginUploadAsync("app");
        using var answer = await Client.SendAsync("PATCH", location.Replace("/app/", "/other/", StringComparison.Ordinal), Content, "application/octet-stream");

        await answer.FailsWithAsync(HttpStatusCode.NotFound, "BLOB_UPLOAD_UNKNOWN");
    }

    [Fact]
    public async Task End_11_mounts_a_blob_from_another_repository()
    {
        await Client.PushBlobAsync("one", Content);

        using var post = await Client.SendAsync("POST", $"/v2/two/blobs/uploads/?mount={Digest}&from=one", []);

        await post.HasStatusAsync(HttpStatusCode.Created);
        Assert.Equal($"/v2/two/blobs/{Digest}", post.Header("Location"));
        using var get = await Client.SendAsync("GET", $"/v2/two/blobs/{Digest}");
        Assert.Equal(Content, await get.BytesAsync());
    }

    [Fact]
    public async Task End_11_without_a_source_finds_one_by_itself()
    {
        await Client.PushBlobAsync("one", Content);

        using var post = await Client.SendAsync("POST", $"/v2/two/blobs/uploads/?mount={Digest}", []);

        await post.HasStatusAsync(HttpStatusCode.Created);
    }

    [Theory]
    [InlineData("&from=one")]
    [InlineData("&from=unknown")]
    [InlineData("")]
    public async Task End_11_opens_an_upload_where_there_is_nothing_to_mount(string from)
    {
        await Client.PushBlobAsync("one", Pushing.Text("something else"));

        using var post = await Client.SendAsync("POST", $"/v2/two/blobs/uploads/?mount={Digest}{from}", []);

        await post.HasStatusAsync(HttpStatusCode.Accepted);
        Assert.StartsWith("/v2/two/blobs/uploads/", post.Header("Location"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sha512_is_as_good_as_sha256()
    {
        var digest = "sha512:" + Convert.ToHexStringLower(SHA512.HashData(Content));
        using var post = await Client.SendAsync("POST", $"/v2/app/blobs/uploads/?digest={digest}", Content, "application/octet-stream");
        await post.HasStatusAsync(HttpStatusCode.Created);

        // Known only at the end, it costs a second reading.
        var location = await Client.BeginUploadAsync("other");
        using var put = await Client.SendAsync("PUT", $"{location}?digest={digest}", Content, "application/octet-stream");
        await put.HasStatusAsync(HttpStatusCode.Created);

        using var get = await Client.SendAsync("GET", $"/v2/other/blobs/{digest}");
        Assert.Equal(Content, await get.BytesAsync());
        Assert.Equal(digest, get.Header("Docker-Content-Digest"));
    }

    [Fact]
    public async Task The_same_blob_may_be_pushed_by_many_at_once()
    {
        var content = RandomNumberGenerator.GetBytes(3_000_000);
        await Task.WhenAll(Enumerable.Range(0, 12).Select(number => Client.PushBlobAsync($"app{number % 3}", content)));

        using var get = await Client.SendAsync("GET", $"/v2/app1/blobs/{Pushing.DigestOf(content)}");
        Assert.Equal(content, await get.BytesAsync());
        Assert.Single(Directory.EnumerateFiles(Path.Combine(_registry.Root, "blobs", "sha256")));
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(_registry.Root, "uploads")));
    }

    [Fact]
    public async Task An_empty_blob_is_a_blob()
    {
        var digest = await Client.PushBlobAsync("app", []);

        using var get = await Client.SendAsync("GET", $"/v2/app/blobs/{digest}");
        await get.HasStatusAsync(HttpStatusCode.OK);
        Assert.Empty(await get.BytesAsync());
    }

    [Fact]
    public async Task Uploads_are_bounded_in_number_and_size()
    {
        await using var small = await RunningRegistry.StartAsync(setup => setup.Store = setup.Store with { MaximumUploads = 2, LargestBlob = 1000 });
        await small.Client.BeginUploadAsync("app");
        var second = await small.Client.BeginUploadAsync("app");

        using var third = await small.Client.SendAsync("POST", "/v2/app/blobs/uploads/", []);
        await third.FailsWithAsync(HttpStatusCode.TooManyRequests, "TOOMANYREQUESTS");
        Assert.True(third.HasHeader("Retry-After"));

        using var large = await small.Client.SendAsync("PATCH", second, new byte[1001], "application/octet-stream");
        await large.FailsWithAsync(HttpStatusCode.RequestEntityTooLarge, "SIZE_INVALID");
        Assert.Single(Directory.EnumerateFiles(Path.Combine(small.Root, "uploads")));
    }
}
