using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Wherry.Oci.Images;

namespace Wherry.Registry.Tests.Support;

/// <summary>What a client does, request by request.</summary>
internal static class Pushing
{
    public const string UnknownDigest = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

    public static string DigestOf(byte[] content) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(content));

    public static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    public static async Task<HttpResponseMessage> SendAsync(
        this HttpClient client,
        string method,
        string path,
        byte[]? body = null,
        string? contentType = null,
        params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            if (contentType is not null)
            {
                request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
            }
        }

        foreach (var (name, value) in headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                (request.Content ??= new ByteArrayContent([])).Headers.TryAddWithoutValidation(name, value);
            }
        }

        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    public static async Task<string> PushBlobAsync(this HttpClient client, string repository, byte[] content)
    {
        var digest = DigestOf(content);
        using var answer = await client.SendAsync("POST", $"/v2/{repository}/blobs/uploads/?digest={digest}", content, "application/octet-stream");
        await answer.HasStatusAsync(HttpStatusCode.Created);
        return digest;
    }

    public static async Task<string> BeginUploadAsync(this HttpClient client, string repository)
    {
        using var answer = await client.SendAsync("POST", $"/v2/{repository}/blobs/uploads/", []);
        await answer.HasStatusAsync(HttpStatusCode.Accepted);
        return answer.Header("Location");
    }

    public static async Task<string> PushManifestAsync(this HttpClient client, string repository, string reference, byte[] manifest, string mediaType = MediaTypes.OciManifest)
    {
        using var answer = await client.SendAsync("PUT", $"/v2/{repository}/manifests/{reference}", manifest, mediaType);
        await answer.HasStatusAsync(HttpStatusCode.Created);
        return answer.Header("Docker-Content-Digest");
    }

    /// <summary>Pushes an image of one layer and returns its manifest's digest.</summary>
    public static async Task<PushedImage> PushImageAsync(this HttpClient client, string repository, string? tag, string layer = "a layer")
    {
        var config = Text($$"""{"architecture":"amd64","os":"linux","note":"{{layer}}"}""");
        var content = Text(layer);
        await client.PushBlobAsync(repository, config);
        await client.PushBlobAsync(repository, content);
        var manifest = Manifest(config, [content]);
        var digest = await client.PushManifestAsync(repository, tag ?? DigestOf(manifest), manifest);
        Assert.Equal(DigestOf(manifest), digest);
        return new PushedImage(digest, manifest, DigestOf(config), DigestOf(content));
    }

    public static byte[] Manifest(byte[] config, byte[][] layers, string? extra = null)
    {
        var list = string.Join(',', layers.Select(layer => Descriptor(MediaTypes.OciLayer, layer)));
        return Text($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{{Descriptor(MediaTypes.OciConfig, config)}},"layers":[{{list}}]{{extra}}}""");
    }

    public static string Descriptor(string mediaType, byte[] content) =>
        $$"""{"mediaType":"{{mediaType}}","digest":"{{DigestOf(content)}}","size":{{content.Length}}}""";

    public static async Task HasStatusAsync(this HttpResponseMessage answer, HttpStatusCode status)
    {
        if (answer.StatusCode != status)
        {
            Assert.Fail($"expected {(int)status}, got {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}");
        }
    }

    /// <summary>Checks status and code of a failure, whose body has the specification's form.</summary>
    public static async Task FailsWithAsync(this HttpResponseMessage answer, HttpStatusCode status, string code)
    {
        await answer.HasStatusAsync(status);
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
        var error = (await answer.JsonAsync()).GetProperty("errors")[0];
        Assert.Equal(code, error.GetProperty("code").GetString());
        Assert.NotEmpty(error.GetProperty("message").GetString()!);
    }

    public static async Task<JsonElement> JsonAsync(this HttpResponseMessage answer) =>
        JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).RootElement;

    public static string Header(this HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) || answer.Content.Headers.TryGetValues(name, out values)
            ? string.Join(", ", values)
            : throw new Xunit.Sdk.XunitException($"the answer has no {name}");

    public static bool HasHeader(this HttpResponseMessage answer, string name) =>
        answer.Headers.Contains(name) || answer.Content.Headers.TryGetValues(name, out _);

    public static Task<byte[]> BytesAsync(this HttpResponseMessage answer) => answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
}

internal sealed record PushedImage(string Digest, byte[] Manifest, string ConfigDigest, string LayerDigest);
