using System.Globalization;
using Microsoft.AspNetCore.Http;
using Wherry.Registry.Metrics;
using Wherry.Registry.Storage;

namespace Wherry.Registry.Http;

/// <summary>Blobs: fetched, looked for, removed (end-2, end-10).</summary>
internal sealed class BlobEndpoints(IRegistryContent content, LocalStore? store, RegistryMetrics metrics, IRegistryLog log)
{
    /// <summary>Bytes taken from the file at a time, straight into the connection's own buffers.</summary>
    private const int ChunkSize = 64 * 1024;

    internal async Task GetAsync(RegistryRequest request)
    {
        var digest = request.Digest;
        var blob = await content.OpenBlobAsync(request.Name, digest, willPush: request.IsHead && store is not null, request.Aborted).ConfigureAwait(false)
            ?? throw RegistryException.BlobUnknown(digest.ToString());
        await using (blob.ConfigureAwait(false))
        {
            var response = request.Http.Response;
            var tag = $"\"{digest}\"";
            response.ContentType = "application/octet-stream";
            response.Headers["Docker-Content-Digest"] = digest.ToString();
            response.Headers.ETag = tag;
            response.Headers.AcceptRanges = "bytes";
            response.Headers.CacheControl = "max-age=31536000";
            if (Conditions.IsKnown(request.Http.Request, tag))
            {
                response.StatusCode = StatusCodes.Status304NotModified;
                return;
            }

            var (start, length) = (0L, blob.Length);
            if (!request.IsHead && ByteRange.Asked(request.Http.Request, tag) is { } asked)
            {
                if (asked.Within(blob.Length) is not { } part)
                {
                    response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes */{blob.Length}");
                    throw new RegistryException(416, ErrorCode.SizeInvalid, "the range begins behind the blob's end", digest.ToString());
                }

                (start, length) = part;
                response.StatusCode = StatusCodes.Status206PartialContent;
                response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {start}-{start + length - 1}/{blob.Length}");
            }

            response.ContentLength = length;
            if (!request.IsHead)
            {
                await CopyAsync(blob, start, length, response, request.Aborted).ConfigureAwait(false);
            }
        }
    }

    internal Task DeleteAsync(RegistryRequest request)
    {
        var digest = request.Digest;
        if (!store!.DeleteBlob(request.Name, digest))
        {
            throw RegistryException.BlobUnknown(digest.ToString());
        }

        log.Info($"{request.Identity} deleted blob {digest} from {request.Name}");
        return request.AnswerAsync(StatusCodes.Status202Accepted);
    }

    /// <summary>As far as the client reads, no further: at most two chunks are in memory.</summary>
    private async Task CopyAsync(BlobContent blob, long start, long length, HttpResponse response, CancellationToken cancel)
    {
        await response.StartAsync(cancel).ConfigureAwait(false);
        var output = response.BodyWriter;
        for (var sent = 0L; sent < length;)
        {
            var memory = output.GetMemory(ChunkSize);
            var wanted = (int)Math.Min(Math.Min(memory.Length, ChunkSize), length - sent);
            var read = await blob.ReadAsync(memory[..wanted], start + sent, cancel).ConfigureAwait(false);
            if (read == 0)
            {
                throw new IOException("the blob ended before its length");
            }

            output.Advance(read);
            sent += read;
            metrics.Sent(read);
            var flushed = await output.FlushAsync(cancel).ConfigureAwait(false);
            if (flushed.IsCompleted || flushed.IsCanceled)
            {
                return; // the client has gone
            }
        }
    }
}
