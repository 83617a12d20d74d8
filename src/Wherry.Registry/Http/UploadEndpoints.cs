using System.Globalization;
using Microsoft.AspNetCore.Http;
using Wherry.Registry.Authentication;
using Wherry.Registry.Metrics;
using Wherry.Registry.Names;
using Wherry.Registry.Storage;

namespace Wherry.Registry.Http;

/// <summary>Blobs on their way in (end-4a, end-4b, end-5, end-6, end-11, end-13).</summary>
internal sealed class UploadEndpoints(LocalStore store, RegistryMetrics metrics, IRegistryLog log)
{
    /// <summary>Opens an upload, takes a whole blob at once, or mounts one from another repository.</summary>
    internal async Task StartAsync(RegistryRequest request)
    {
        if (request.Query("mount") is { } mount && TryMount(request, mount, out var mounted))
        {
            await CreatedAsync(request, mounted).ConfigureAwait(false);
            return;
        }

        var digest = request.QueryDigest("digest");
        var upload = store.BeginUpload(request.Name, digest?.Algorithm ?? Algorithm(request));
        if (digest is not { } expected)
        {
            Describe(request, upload);
            await request.AnswerAsync(StatusCodes.Status202Accepted).ConfigureAwait(false);
            return;
        }

        await store.WithUploadAsync(request.Name, upload.Id, async held =>
        {
            try
            {
                await TakeAsync(request, held).ConfigureAwait(false);
                store.Commit(held, expected);
                return true;
            }
            catch
            {
                store.Abandon(held); // nobody has been told where it is
                throw;
            }
        }, request.Aborted).ConfigureAwait(false);
        await CreatedAsync(request, expected).ConfigureAwait(false);
    }

    /// <summary>Takes a chunk, or all of a stream.</summary>
    internal Task AppendAsync(RegistryRequest request) => WithAsync(request, async upload =>
    {
        await TakeAsync(request, upload).ConfigureAwait(false);
        Describe(request, upload);
        await request.AnswerAsync(StatusCodes.Status202Accepted).ConfigureAwait(false);
    });

    /// <summary>Takes the rest, if any, and makes the whole a blob.</summary>
    internal Task FinishAsync(RegistryRequest request) => WithAsync(request, async upload =>
    {
        var expected = request.QueryDigest("digest") ?? throw RegistryException.DigestInvalid("the digest parameter is missing");
        await TakeAsync(request, upload).ConfigureAwait(false);
        store.Commit(upload, expected);
        await CreatedAsync(request, expected).ConfigureAwait(false);
    });

    internal Task StatusAsync(RegistryRequest request) => WithAsync(request, upload =>
    {
        Describe(request, upload);
        return request.AnswerAsync(StatusCodes.Status204NoContent);
    });

    internal Task CancelAsync(RegistryRequest request) => WithAsync(request, upload =>
    {
        store.Abandon(upload);
        return request.AnswerAsync(StatusCodes.Status204NoContent);
    });

    private Task WithAsync(RegistryRequest request, Func<Upload, Task> work) => store.WithUploadAsync(
        request.Name,
        request.Route.Reference,
        async upload =>
        {
            await work(upload).ConfigureAwait(false);
            return true;
        },
        request.Aborted);

    private async Task TakeAsync(RegistryRequest request, Upload upload)
    {
        var http = request.Http.Request;
        long? last = null;
        if (http.Headers.ContentRange is { Count: > 0 } header)
        {
            var (first, end) = ParseContentRange(header.ToString());
            if (first != upload.Length)
            {
                Describe(request, upload);
                throw new RegistryException(
                    416,
                    ErrorCode.BlobUploadInvalid,
                    string.Create(CultureInfo.InvariantCulture, $"the chunk begins at {first}, but the next byte wanted is {upload.Length}"),
                    upload.Id);
            }

            last = end;
            if (http.ContentLength is { } length && length != end - first + 1)
            {
                throw new RegistryException(400, ErrorCode.SizeInvalid, "Content-Length and Content-Range contradict each other", upload.Id);
            }
        }

        if (http.ContentLength is null or > 0)
        {
            await store.AppendAsync(upload, http.Body, metrics.Received, request.Aborted).ConfigureAwait(false);
        }

        if (last is { } lastByte && upload.Length != lastByte + 1)
        {
            throw new RegistryException(400, ErrorCode.SizeInvalid, "the chunk's length is not what its Content-Range says", upload.Id);
        }
    }

    /// <summary>
    /// From the repository named; without one, from any the client may pull from. Where there is none to mount, the
    /// answer is an ordinary upload.
    /// </summary>
    private bool TryMount(RegistryRequest request, string text, out ContentDigest digest)
    {
        digest = RegistryRequest.RequireDigest(text);
        var wanted = digest;
        if (request.Query("from") is { } from)
        {
            return RepositoryName.IsValid(from) && request.Identity.May(from, RepositoryAction.Pull) && store.Mount(from, request.Name, wanted);
        }

        return store.Layout.AllRepositories().Exists(candidate =>
            request.Identity.May(candidate, RepositoryAction.Pull) && store.Mount(candidate, request.Name, wanted));
    }

    private Task CreatedAsync(RegistryRequest request, ContentDigest digest)
    {
        log.Info($"{request.Identity} pushed blob {digest} to {request.Name}");
        request.Http.Response.Headers.Location = $"/v2/{request.Name}/blobs/{digest}";
        request.Http.Response.Headers["Docker-Content-Digest"] = digest.ToString();
        return request.AnswerAsync(StatusCodes.Status201Created);
    }

    private static void Describe(RegistryRequest request, Upload upload)
    {
        var headers = request.Http.Response.Headers;
        headers.Location = $"/v2/{upload.Repository}/blobs/uploads/{upload.Id}";
        // Of nothing as Docker's registry has it: there is no way to write an empty range.
        headers.Range = string.Create(CultureInfo.InvariantCulture, $"0-{Math.Max(0, upload.Length - 1)}");
        headers["Docker-Upload-UUID"] = upload.Id;
    }

    private static string Algorithm(RegistryRequest request) => request.Query("digest-algorithm") switch
    {
        null => ContentDigest.Sha256,
        var known when ContentDigest.Algorithms.Contains(known) => known,
        var other => throw RegistryException.DigestInvalid("unsupported digest algorithm: use sha256 or sha512", other),
    };

    /// <summary><c>FIRST-LAST</c>, as the specification has it, with RFC 9110's unit and total tolerated.</summary>
    private static (long First, long Last) ParseContentRange(string header)
    {
        var text = header.StartsWith("bytes ", StringComparison.OrdinalIgnoreCase) ? header[6..] : header;
        text = text.Split('/', 2)[0].Trim();
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        return dash > 0
            && long.TryParse(text.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            && long.TryParse(text.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var last)
            && first <= last
            ? (first, last)
            : throw new RegistryException(416, ErrorCode.BlobUploadInvalid, "Content-Range must be FIRST-LAST", header);
    }
}
