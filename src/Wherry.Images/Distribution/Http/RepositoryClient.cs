using System.Net;
using System.Text.Json;
using Wherry.Errors;
using Wherry.Images.Content;
using Wherry.Images.Distribution.Manifests;
using Wherry.Oci.Images;
using Wherry.Storage.Layers;
using Wherry.Storage.Pipelines;

namespace Wherry.Images.Distribution.Http;

/// <summary>What is read from one repository at one endpoint (distribution-spec, "Pull" and "Content Discovery").</summary>
internal sealed partial class RepositoryClient(RegistrySession session)
{
    private const int LargestList = 8 << 20;
    private const int MostPages = 1000;

    internal Endpoint Endpoint => session.Endpoint;

    private string Repository => session.Endpoint.Repository;

    private string[] PullScope => [$"repository:{Repository}:pull"];

    /// <summary>A manifest or index by tag or digest; by digest it is exactly that, or an error.</summary>
    internal async Task<RemoteManifest> GetManifestAsync(string reference, CancellationToken cancel)
    {
        var what = $"manifest {reference} of {Repository}";
        using var response = await session.SendAsync(
            new RegistryRequest(HttpMethod.Get, Endpoint.Of($"manifests/{reference}"), $"fetch {what}") { Accept = RemoteManifest.Accepted, Scopes = PullScope },
            cancel);
        var bytes = await ReadAsync(response, RemoteManifest.LargestManifest, what, cancel);
        var manifest = RemoteManifest.Recognize(bytes, response.Content.Headers.ContentType?.MediaType, what);
        if (Digests.IsValid(reference) && manifest.Digest != reference)
            throw WherryException.System($"{what} from registry {Endpoint} is not what was asked for: it has the digest {manifest.Digest}");
        if (response.Headers.TryGetValues("Docker-Content-Digest", out var said) && said.FirstOrDefault() is { } digest && Digests.IsValid(digest) && digest != manifest.Digest)
            throw WherryException.System($"{what} came damaged from registry {Endpoint}: it has the digest {manifest.Digest}, the registry says {digest}");
        return manifest;
    }

    /// <summary>A small blob, checked.</summary>
    internal async Task<byte[]> GetDocumentAsync(Descriptor descriptor, string doing, CancellationToken cancel)
    {
        if (descriptor.Size > RemoteManifest.LargestManifest)
            throw new WherryException(ErrorKind.TooLarge, $"{doing}: it has {descriptor.Size} bytes, the limit is {RemoteManifest.LargestManifest}");
        using var response = await session.SendAsync(new RegistryRequest(HttpMethod.Get, Endpoint.Of($"blobs/{descriptor.Digest}"), doing) { Scopes = PullScope }, cancel);
        var bytes = await ReadAsync(response, RemoteManifest.LargestManifest, doing, cancel);
        return Digests.Of(bytes) == descriptor.Digest
            ? bytes
            : throw WherryException.System($"{doing}: what came from registry {Endpoint} has the digest {Digests.Of(bytes)}, not {descriptor.Digest}");
    }

    /// <summary>Copies a blob's bytes from where the input stands. A broken connection is taken up again as long as there is progress.</summary>
    internal async Task FetchBlobAsync(string digest, BlobInput input, Action<long> progress, CancellationToken cancel)
    {
        var doing = $"fetch layer {digest} of {Repository}";
        for (var failures = 0; input.Position < input.Size;)
        {
            var start = input.Position;
            Exception? broken = null;
            try
            {
                using var response = await session.SendAsync(
                    new RegistryRequest(HttpMethod.Get, Endpoint.Of($"blobs/{digest}"), doing) { From = start, Scopes = PullScope }, cancel);
                var skip = CheckRange(response, start, input.Size, doing);
                await CopyAsync(response, skip, input, progress, cancel);
            }
            catch (Exception failure) when (failure is IOException and not ConsumerFailedException or HttpRequestException || (failure is OperationCanceledException && !cancel.IsCancellationRequested))
            {
                broken = failure;
            }
            if (input.Position == input.Size)
                return;
            failures = input.Position > start ? 1 : failures + 1;
            if (failures >= session.Options.MaxAttempts)
                throw new RegistryException(ErrorKind.Unavailable, $"{doing} from registry {Endpoint}: {(broken is null ? "the registry ends it early" : RegistrySession.Describe(broken))} (after {input.Position} of {input.Size} bytes; the next pull goes on from there)", inner: broken);
            await Task.Delay(Backoff.Before(failures, null, session.Options)!.Value, cancel);
        }
    }

    /// <summary>All tags, over as many pages as the registry makes.</summary>
    internal async Task<IReadOnlyList<string>> GetTagsAsync(CancellationToken cancel)
    {
        var tags = new List<string>();
        var next = Endpoint.Of("tags/list?n=1000");
        for (var page = 0; page < MostPages; page++)
        {
            using var response = await session.SendAsync(new RegistryRequest(HttpMethod.Get, next, $"list tags of {Repository}") { Scopes = PullScope }, cancel);
            using var document = await ReadJsonAsync(response, $"the list of tags of {Repository}", cancel);
            if (document.RootElement.TryGetProperty("tags", out var list) && list.ValueKind == JsonValueKind.Array)
                tags.AddRange(list.EnumerateArray().Where(tag => tag.ValueKind == JsonValueKind.String).Select(tag => tag.GetString()!));
            if (NextPage(response, next) is not { } following)
                break;
            next = following;
        }
        return tags;
    }

    /// <summary>Bytes to skip: a registry may ignore the range that was asked for.</summary>
    private long CheckRange(HttpResponseMessage response, long start, long size, string doing)
    {
        var skip = 0L;
        if (response.StatusCode == HttpStatusCode.PartialContent)
        {
            if (response.Content.Headers.ContentRange?.From != start)
                throw new RegistryException(ErrorKind.System, $"{doing} from registry {Endpoint}: it answered with another range than was asked for", response.StatusCode);
        }
        else
        {
            skip = start;
        }
        var whole = start - skip + response.Content.Headers.ContentLength;
        return whole is null || whole == size
            ? skip
            : throw new RegistryException(ErrorKind.System, $"{doing} from registry {Endpoint}: it has {whole} bytes there, the manifest says {size}", HttpStatusCode.NotFound);
    }

    private async Task CopyAsync(HttpResponseMessage response, long skip, BlobInput input, Action<long> progress, CancellationToken cancel)
    {
        using var stalled = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var body = await response.Content.ReadAsStreamAsync(cancel);
        while (input.Position < input.Size)
        {
            var chunk = new Chunk();
            Exception? broken = null;
            try
            {
                while (chunk.Length < Chunk.Capacity)
                {
                    stalled.CancelAfter(session.Options.StallTimeout);
                    var read = await body.ReadAsync(chunk.Buffer.AsMemory(chunk.Length, Chunk.Capacity - chunk.Length), stalled.Token);
                    if (read == 0)
                        break;
                    chunk.Length += read;
                }
            }
            catch (Exception failure)
            {
                broken = failure; // what has come before it is kept
            }
            var last = chunk.Length < Chunk.Capacity;
            if (skip >= chunk.Length)
            {
                skip -= chunk.Length;
                chunk.Release();
            }
            else
            {
                if (skip > 0)
                {
                    chunk.Content[(int)skip..].CopyTo(chunk.Buffer);
                    chunk.Length -= (int)skip;
                    skip = 0;
                }
                await input.WriteAsync(chunk);
                progress(input.Position);
            }
            if (broken is not null)
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(broken);
            if (last)
                return;
        }
    }

    private async Task<byte[]> ReadAsync(HttpResponseMessage response, int largest, string what, CancellationToken cancel)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        timeout.CancelAfter(session.Options.StallTimeout);
        try
        {
            return await BoundedBody.ReadAsync(response, largest, timeout.Token);
        }
        catch (Exception broken) when (broken is IOException or HttpRequestException || (broken is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            throw new RegistryException(ErrorKind.Unavailable, $"{what} from registry {Endpoint}: {RegistrySession.Describe(broken)}", inner: broken);
        }
    }

    private async Task<JsonDocument> ReadJsonAsync(HttpResponseMessage response, string what, CancellationToken cancel)
    {
        try
        {
            var document = JsonDocument.Parse(await ReadAsync(response, LargestList, what, cancel));
            return document.RootElement.ValueKind == JsonValueKind.Object ? document : throw new JsonException("not an object");
        }
        catch (JsonException damaged)
        {
            throw WherryException.System($"{what} from registry {Endpoint} is not what it should be: {damaged.Message}", damaged);
        }
    }

    /// <summary>The page that a <c>Link</c> field names; only on the same host, as it gets our credentials.</summary>
    private static Uri? NextPage(HttpResponseMessage response, Uri current)
    {
        if (!response.Headers.TryGetValues("Link", out var links))
            return null;
        var link = links.FirstOrDefault(link => link.Contains("rel=\"next\"", StringComparison.OrdinalIgnoreCase) || link.Contains("rel=next", StringComparison.OrdinalIgnoreCase));
        if (link is null || link.IndexOf('<') is not (>= 0 and var open) || link.IndexOf('>') is not (> 0 and var close) || close < open)
            return null;
        return Uri.TryCreate(current, link[(open + 1)..close], out var next) && next.Authority == current.Authority && next != current ? next : null;
    }
}
