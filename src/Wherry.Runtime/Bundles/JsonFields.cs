using System.Text.Json;

namespace Wherry.Runtime.Bundles;

/// <summary>Reads one value from where the reader stands, leaving it on the value's last token.</summary>
internal delegate T JsonValueReader<out T>(ref Utf8JsonReader json);

/// <summary>
/// The few moves over a JSON document that reading a bundle takes. The serializer's generated code would do the
/// same at three times the start-up time and twice the memory of everything else in the supervisor's binary.
/// </summary>
internal static class JsonFields
{
    // Far above what any bundle needs (arguments and environment have execve's own bound), far below what would hurt.
    private const int MostItems = 100_000;

    /// <summary>From an object's start, or the last token of a field's value, on to the next field's name; false at the object's end.</summary>
    public static bool Next(ref Utf8JsonReader json) => json.Read() && json.TokenType == JsonTokenType.PropertyName;

    /// <summary>From a field's name on to its value; false when that is null, which counts as absent.</summary>
    public static bool HasValue(ref Utf8JsonReader json) => json.Read() && json.TokenType != JsonTokenType.Null;

    public static void Begin(ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("an object is expected");
        }
    }

    public static string Text(ref Utf8JsonReader json) => json.TokenType == JsonTokenType.String
        ? json.GetString()!
        : throw new JsonException("a text is expected");

    public static long Int64(ref Utf8JsonReader json) => Number(ref json).TryGetInt64(out var value) ? value : throw new JsonException("a whole number is expected");

    public static ulong UInt64(ref Utf8JsonReader json) => Number(ref json).TryGetUInt64(out var value) ? value : throw new JsonException("a whole number, not negative, is expected");

    public static uint UInt32(ref Utf8JsonReader json) => Number(ref json).TryGetUInt32(out var value) ? value : throw new JsonException("a whole number up to 32 bits, not negative, is expected");

    public static ushort UInt16(ref Utf8JsonReader json) => Number(ref json).TryGetUInt16(out var value) ? value : throw new JsonException("a whole number up to 16 bits, not negative, is expected");

    public static int Int32(ref Utf8JsonReader json) => Number(ref json).TryGetInt32(out var value) ? value : throw new JsonException("a whole number up to 32 bits is expected");

    public static bool Bool(ref Utf8JsonReader json) => json.TokenType switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False => false,
        _ => throw new JsonException("true or false is expected"),
    };

    public static IReadOnlyList<T> List<T>(ref Utf8JsonReader json, JsonValueReader<T> read)
    {
        if (json.TokenType != JsonTokenType.StartArray)
        {
            throw new JsonException("an array is expected");
        }

        var items = new List<T>();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (items.Count == MostItems)
            {
                throw new JsonException($"an array has more than {MostItems} items");
            }

            items.Add(read(ref json));
        }

        return items;
    }

    public static IReadOnlyList<string> Texts(ref Utf8JsonReader json) => List(ref json, Text);

    public static IReadOnlyDictionary<string, string> Map(ref Utf8JsonReader json) => Map(ref json, Text);

    public static IReadOnlyDictionary<string, T> Map<T>(ref Utf8JsonReader json, JsonValueReader<T> read)
    {
        Begin(ref json);
        var map = new Dictionary<string, T>(StringComparer.Ordinal);
        while (Next(ref json))
        {
            if (map.Count == MostItems)
            {
                throw new JsonException($"an object has more than {MostItems} fields");
            }

            var name = json.GetString()!;
            json.Read();
            map[name] = read(ref json);
        }

        return map;
    }

    private static ref Utf8JsonReader Number(ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.Number)
        {
            throw new JsonException("a number is expected");
        }

        return ref json;
    }
}
