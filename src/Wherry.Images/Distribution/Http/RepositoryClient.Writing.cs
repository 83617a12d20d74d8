using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Wherry.Errors;
using Wherry.Images.Distribution.Manifests;

namespace Wherry.Images.Distribution.Http;

/// <summary>An upload that was begun.</summary>
/// <param name="Location">Where its next bytes go.</param>
/// <param name="SmallestChunk">What the registry takes at least, except at the end.</param>
internal sealed record Upload(Uri Location, int SmallestChunk);

/// <summary>What is written to a repository (distribution-spec, "Push").</summary>
internal sealed partial class RepositoryClient
{
    private string[] PushScope => [$"repository:{Repository}:pull,push"];

    /// <summary>Whether the repository has a blob.</summary>
    internal async Task<bool> HasBlobAsync(string digest, CancellationToken cancel)
    {
        using var response = await session.SendAsync(
            new RegistryRequest(HttpMethod.Head, Endpoint.Of($"blobs/{digest}"), $"look for layer {digest} in {Repository}")
            {
                Scopes = PushScope,
                Expected = [HttpStatusCode.NotFound],
            },
            cancel);
        return response.IsSuccessStatusCode;
    }

    /// <summary>Begins an upload, or has the registry take the blob from another of its repositories: null when it did.</summary>
    internal async Task<Upload?> StartUploadAsync(string? mount, string? from, CancellationToken cancel)
    {
        var query = mount is null || from is null ? "" : $"?mount={Uri.EscapeDataString(mount)}&from={Uri.EscapeDataString(from)}";
        using var response = await session.SendAsync(
            new RegistryRequest(HttpMethod.Post, Endpoint.Of("blobs/uploads/" + query), $"begin an upload to {Repository}")
            {
                Scopes = from is null ? PushScope : [.. PushScope, $"repository:{from}:pull"],
                Content = static () => new ByteArrayContent([]),
            },
            cancel);
        if (response.StatusCode == HttpStatusCode.Created && mount is not null)
            return null;
        var smallest = response.Headers.TryGetValues("OCI-Chunk-Min-Length", out var said) && int.TryParse(said.First(), NumberStyles.None, CultureInfo.InvariantCulture, out var length) ? length : 0;
        return new Upload(LocationOf(response), smallest);
    }

    /// <summary>Uploads a blob of known digest: whole, and from where it broke off when it did.</summary>
    /// <param name="digest">The blob's.</param>
    /// <param name="size">Its bytes.</param>
    /// <param name="open">Opens the blob at an offset.</param>
    /// <param name="upload">Where to.</param>
    /// <param name="progress">Told how many bytes are there.</param>
    /// <param name="cancel">Gives up.</param>
    internal async Task UploadWholeAsync(string digest, long size, Func<long, Stream> open, Upload upload, Action<long> progress, CancellationToken cancel)
    {
        var doing = $"upload {digest} to {Repository}";
        long offset = 0;
        for (var failures = 0; ;)
        {
            try
            {
                var start = offset;
                if (start == 0)
                {
                    await FinishAsync(upload.Location, digest, () => new UploadContent(() => open(0), size, progress), doing, cancel);
                    return;
                }
                if (start < size)
                    upload = upload with { Location = await PatchAsync(upload.Location, start, size - start, () => new UploadContent(() => open(start), size - start, sent => progress(start + sent)), doing, cancel) };
                await FinishAsync(upload.Location, digest, static () => new ByteArrayContent([]), doing, cancel);
                return;
            }
            catch (RegistryException failure) when (IsWorthResuming(failure))
            {
                var before = offset;
                (upload, offset) = await ResumeAsync(upload, cancel);
                failures = offset > before ? 1 : failures + 1;
                if (failures >= session.Options.MaxAttempts || Backoff.Before(failures, null, session.Options) is not { } wait)
                    throw;
                await Task.Delay(wait, cancel);
            }
        }
    }

    /// <summary>Sends the next chunk of an upload whose digest is known only at its end.</summary>
    internal async Task<Upload> UploadChunkAsync(Upload upload, long offset, ArraySegment<byte> chunk, CancellationToken cancel)
    {
        var doing = $"upload to {Repository}";
        var sent = 0;
        for (var failures = 0; sent < chunk.Count;)
        {
            try
            {
                var rest = chunk[sent..];
                var location = await PatchAsync(upload.Location, offset + sent, rest.Count, () => new UploadContent(() => new MemoryStream(rest.Array!, rest.Offset, rest.Count, writable: false), rest.Count, null), doing, cancel);
                return upload with { Location = location };
            }
            catch (RegistryException failure) when (IsWorthResuming(failure))
            {
                if (await StatusAsync(upload, cancel) is not var (resumed, have))
                    throw;
                if (have < offset || have > offset + chunk.Count)
                    throw;
                upload = resumed;
                failures = have - offset > sent ? 1 : failures + 1;
                sent = (int)(have - offset);
                if (failures >= session.Options.MaxAttempts || Backoff.Before(failures, null, session.Options) is not { } wait)
                    throw;
                await Task.Delay(wait, cancel);
            }
        }
        return upload;
    }

    /// <summary>Ends a chunked upload.</summary>
    internal Task FinishUploadAsync(Upload upload, string digest, CancellationToken cancel) =>
        FinishAsync(upload.Location, digest, static () => new ByteArrayContent([]), $"upload {digest} to {Repository}", cancel, mayRepeat: true);

    /// <summary>Gives up an upload; the registry would forget it by itself, some day.</summary>
    internal async Task AbandonAsync(Upload upload)
    {
        try
        {
            using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            using var response = await session.SendAsync(new RegistryRequest(HttpMethod.Delete, upload.Location, $"give up an upload to {Repository}") { Scopes = PushScope, MayRepeat = false }, bound.Token);
        }
        catch (Exception failure) when (failure is RegistryException or OperationCanceledException)
        {
            // It was a courtesy.
        }
    }

    /// <summary>Stores a manifest under a tag or its digest.</summary>
    /// <returns>Whether the registry itself will list it among its subject's referrers.</returns>
    internal async Task<bool> PutManifestAsync(string reference, RemoteManifest manifest, CancellationToken cancel)
    {
        using var response = await session.SendAsync(
            new RegistryRequest(HttpMethod.Put, Endpoint.Of($"manifests/{reference}"), $"store manifest {reference} in {Repository}")
            {
                Scopes = PushScope,
                Content = () => new ByteArrayContent(manifest.Bytes) { Headers = { ContentType = new MediaTypeHeaderValue(manifest.MediaType) } },
            },
            cancel);
        if (response.Headers.TryGetValues("Docker-Content-Digest", out var said) && said.FirstOrDefault() is { } digest && digest != manifest.Digest)
            throw WherryException.System($"registry {Endpoint} stored manifest {reference} of {Repository} as {digest}, not as {manifest.Digest}");
        return response.Headers.Contains("OCI-Subject");
    }

    private static bool IsWorthResuming(RegistryException failure) => failure.Status is not { } status || Backoff.IsTransient(status);

    private async Task FinishAsync(Uri location, string digest, Func<HttpContent> content, string doing, CancellationToken cancel, bool mayRepeat = false)
    {
        var uri = new UriBuilder(location);
        uri.Query = (uri.Query.Length > 1 ? uri.Query[1..] + "&" : "") + "digest=" + Uri.EscapeDataString(digest);
        using var response = await session.SendAsync(
            new RegistryRequest(HttpMethod.Put, uri.Uri, doing) { Scopes = PushScope, Content = content, MayRepeat = mayRepeat }, cancel);
    }

    private async Task<Uri> PatchAsync(Uri location, long offset, long length, Func<HttpContent> content, string doing, CancellationToken cancel)
    {
        using var response = await session.SendAsync(
            new RegistryRequest(HttpMethod.Patch, location, doing)
            {
                Scopes = PushScope,
                Content = content,
                ContentRange = string.Create(CultureInfo.InvariantCulture, $"{offset}-{offset + length - 1}"),
                MayRepeat = false,
            },
            cancel);
        return LocationOf(response);
    }

    /// <summary>Where an upload stands after a failure; a new one where the registry has forgotten it.</summary>
    private async Task<(Upload Upload, long Offset)> ResumeAsync(Upload upload, CancellationToken cancel)
    {
        if (await StatusAsync(upload, cancel) is { Offset: > 1 } standing)
            return standing;
        return (await StartUploadAsync(null, null, cancel) ?? upload, 0);
    }

    private async Task<(Upload Upload, long Offset)?> StatusAsync(Upload upload, CancellationToken cancel)
    {
        using var response = await session.SendAsync(
            new RegistryRequest(HttpMethod.Get, upload.Location, $"ask how far an upload to {Repository} is")
            {
                Scopes = PushScope,
                Expected = [HttpStatusCode.NotFound, HttpStatusCode.BadRequest, HttpStatusCode.MethodNotAllowed],
            },
            cancel);
        if (!response.IsSuccessStatusCode)
            return null;
        // "0-0" is said of nothing and of a single byte alike.
        long offset = 0;
        if (response.Headers.TryGetValues("Range", out var ranges) && ranges.First().Split('-') is [_, var end] && long.TryParse(end, NumberStyles.None, CultureInfo.InvariantCulture, out var last) && last > 0)
            offset = last + 1;
        return (response.Headers.Location is null ? upload : upload with { Location = LocationOf(response) }, offset);
    }

    private Uri LocationOf(HttpResponseMessage response) =>
        response.Headers.Location is { } location
            ? new Uri(response.RequestMessage!.RequestUri!, location)
            : throw new RegistryException(ErrorKind.System, $"registry {Endpoint} does not say where an upload to {Repository} goes (no Location)", response.StatusCode);
}
