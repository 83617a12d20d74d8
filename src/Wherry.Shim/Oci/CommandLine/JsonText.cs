using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Wherry.Shim.Oci.CommandLine;

/// <summary>Writes the runtime's JSON documents.</summary>
public static class JsonText
{
    /// <summary>Escapes what JSON must have escaped and no more.</summary>
    public static JavaScriptEncoder Encoder => JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    /// <param name="write">Writes one value.</param>
    /// <param name="indented">Over several lines, two spaces a level.</param>
    public static byte[] Write(Action<Utf8JsonWriter> write, bool indented = false)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = Encoder, Indented = indented, SkipValidation = true }))
        {
            write(writer);
        }

        return buffer.WrittenSpan.ToArray();
    }

    public static void WriteMap(Utf8JsonWriter json, string name, IReadOnlyDictionary<string, string> map)
    {
        json.WriteStartObject(name);
        foreach (var (key, value) in map)
        {
            json.WriteString(key, value);
        }

        json.WriteEndObject();
    }
}
