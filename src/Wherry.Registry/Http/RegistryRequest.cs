using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Wherry.Registry.Authentication;
using Wherry.Registry.Names;

namespace Wherry.Registry.Http;

/// <summary>One request as handlers see it.</summary>
internal sealed class RegistryRequest(HttpContext http, RegistryRoute route, Identity identity)
{
    internal HttpContext Http { get; } = http;

    internal RegistryRoute Route { get; } = route;

    internal Identity Identity { get; } = identity;

    /// <summary>The repository; its grammar has been checked.</summary>
    internal string Name => Route.Name;

    internal bool IsHead => HttpMethods.IsHead(Http.Request.Method);

    /// <summary>Cancelled when the client goes away.</summary>
    internal CancellationToken Aborted => Http.RequestAborted;

    /// <summary>A query value; null where it is absent or empty.</summary>
    internal string? Query(string name) => Http.Request.Query.TryGetValue(name, out var values) && values.Count > 0 && !string.IsNullOrEmpty(values[0])
        ? values[0]
        : null;

    /// <summary>A digest in the query; null where there is none.</summary>
    internal ContentDigest? QueryDigest(string name) => Query(name) is { } text ? RequireDigest(text) : null;

    /// <summary>The path's last part as a digest.</summary>
    internal ContentDigest Digest => RequireDigest(Route.Reference);

    internal static ContentDigest RequireDigest(string text) => ContentDigest.TryParse(text, out var digest)
        ? digest
        : throw RegistryException.DigestInvalid("provided digest did not match the grammar of sha256 or sha512", text);

    /// <summary>The page size asked for; null for none.</summary>
    internal int? PageSize()
    {
        if (Query("n") is not { } text)
        {
            return null;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new RegistryException(400, ErrorCode.PaginationNumberInvalid, "invalid number of results requested", text);
    }

    internal Task AnswerAsync<T>(T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK, string mediaType = "application/json") =>
        AnswerAsync(JsonSerializer.SerializeToUtf8Bytes(value, type), mediaType, status);

    /// <summary>A whole body; of a HEAD request, all but the body.</summary>
    internal async Task AnswerAsync(ReadOnlyMemory<byte> body, string mediaType, int status = StatusCodes.Status200OK)
    {
        Http.Response.StatusCode = status;
        Http.Response.ContentType = mediaType;
        Http.Response.ContentLength = body.Length;
        if (!IsHead)
        {
            await Http.Response.BodyWriter.WriteAsync(body, Aborted).ConfigureAwait(false);
        }
    }

    /// <summary>A status without a body.</summary>
    internal Task AnswerAsync(int status)
    {
        Http.Response.StatusCode = status;
        if (status != StatusCodes.Status204NoContent)
        {
            Http.Response.ContentLength = 0;
        }

        return Task.CompletedTask;
    }

    /// <summary>The whole body, bounded.</summary>
    /// <param name="limit">Bytes.</param>
    /// <param name="tooLarge">What to throw beyond.</param>
    internal async Task<byte[]> BodyAsync(int limit, Func<RegistryException> tooLarge)
    {
        if (Http.Request.ContentLength > limit)
        {
            throw tooLarge();
        }

        while (true)
        {
            var read = await Http.Request.BodyReader.ReadAsync(Aborted).ConfigureAwait(false);
            if (read.Buffer.Length > limit)
            {
                Http.Request.BodyReader.AdvanceTo(read.Buffer.Start);
                throw tooLarge();
            }

            if (read.IsCompleted)
            {
                var body = read.Buffer.ToArray();
                Http.Request.BodyReader.AdvanceTo(read.Buffer.End);
                return body;
            }

            Http.Request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }
}
