using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Wherry.Api.Http;

/// <summary>Writes JSON bodies whole, so that they carry their length and an error in the making is still an error's status.</summary>
internal static class JsonAnswer
{
    public static async Task WriteAsync<T>(HttpResponse response, T value, JsonTypeInfo<T> type, int status, CancellationToken cancel)
    {
        var body = new ArrayBufferWriter<byte>(1024);
        WriteLine(body, value, type);
        response.StatusCode = status;
        response.ContentType = "application/json";
        response.ContentLength = body.WrittenCount;
        await response.BodyWriter.WriteAsync(body.WrittenMemory, cancel).ConfigureAwait(false);
    }

    /// <summary>One value and a line feed, as streams of JSON and Docker's own answers have it.</summary>
    public static void WriteLine<T>(IBufferWriter<byte> output, T value, JsonTypeInfo<T> type)
    {
        using (var writer = new Utf8JsonWriter(output))
        {
            JsonSerializer.Serialize(writer, value, type);
        }

        output.Write("\n"u8);
    }
}
