using System.Buffers;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Wherry.Errors;

namespace Wherry.Api.Http;

/// <summary>Reads JSON bodies: checked for their declared type, bounded in size and depth, with errors in Docker's words.</summary>
internal static class JsonBody
{
    /// <summary>Bytes. The largest honest body is a create request with a long environment, well under 1 MiB.</summary>
    public const int MaximumSize = 4 * 1024 * 1024;

    public static bool IsAbsent(HttpRequest request) => request.ContentLength is null or 0 && request.Headers.TransferEncoding.Count == 0;

    public static async Task<T> ReadAsync<T>(HttpRequest request, JsonTypeInfo<T> type, CancellationToken cancel)
        where T : class =>
        await ReadNullableAsync(request, type, cancel).ConfigureAwait(false)
        ?? throw WherryException.Invalid("invalid JSON: the body must be an object, not null");

    /// <summary>As <see cref="ReadAsync"/>, but a body that says <c>null</c> is no error: docker 20.10 commits with one.</summary>
    public static async Task<T?> ReadNullableAsync<T>(HttpRequest request, JsonTypeInfo<T> type, CancellationToken cancel)
        where T : class
    {
        RequireJson(request);
        if (request.ContentLength > MaximumSize)
        {
            throw TooLarge();
        }

        if (IsAbsent(request))
        {
            // Its reader must not be touched: of an upgrade request without a body, that is the hijacked stream itself.
            throw WherryException.Invalid("invalid JSON: got EOF while reading request body");
        }

        while (true)
        {
            var read = await request.BodyReader.ReadAsync(cancel).ConfigureAwait(false);
            if (read.Buffer.Length > MaximumSize)
            {
                request.BodyReader.AdvanceTo(read.Buffer.Start);
                throw TooLarge();
            }

            if (read.IsCompleted)
            {
                try
                {
                    return Parse(read.Buffer, type);
                }
                finally
                {
                    request.BodyReader.AdvanceTo(read.Buffer.End);
                }
            }

            request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static T? Parse<T>(ReadOnlySequence<byte> body, JsonTypeInfo<T> type)
        where T : class
    {
        if (body.IsEmpty)
        {
            throw WherryException.Invalid("invalid JSON: got EOF while reading request body");
        }

        try
        {
            var reader = new Utf8JsonReader(body);
            var value = JsonSerializer.Deserialize(ref reader, type);
            reader.Read(); // throws if anything but white space follows
            return value;
        }
        catch (JsonException failure)
        {
            // A reader's error inside says what is wrong with the text; without one the text is fine and a value is not.
            throw WherryException.Invalid(
                failure.InnerException is JsonException ? $"invalid JSON: {failure.Message}" : $"invalid JSON: the value at {failure.Path} is of the wrong type",
                failure);
        }
    }

    private static void RequireJson(HttpRequest request)
    {
        var text = request.ContentType ?? "";
        if (text.Length == 0 && IsAbsent(request))
        {
            return;
        }

        if (!MediaTypeHeaderValue.TryParse(text, out var type))
        {
            throw WherryException.Invalid($"malformed Content-Type header ({text}): must be 'application/json'");
        }

        if (!string.Equals(type.MediaType, "application/json", StringComparison.OrdinalIgnoreCase))
        {
            throw WherryException.Invalid($"unsupported Content-Type header ({text}): must be 'application/json'");
        }
    }

    private static WherryException TooLarge() =>
        new(ErrorKind.TooLarge, $"the request's body is too large: the limit is {MaximumSize / (1024 * 1024)} MiB");
}
