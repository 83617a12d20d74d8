using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Wherry.Cli.Formatting.Templates;

/// <summary>
/// The values templates work on: null, bool, long, double, string, lists, JSON arrays and objects, and
/// <see cref="ITemplateObject"/>; and how Go sees and prints them.
/// </summary>
internal static class TemplateValues
{
    /// <summary>JSON scalars become their plain values; arrays and objects stay elements.</summary>
    internal static object? From(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => element.GetString(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number => element.TryGetInt64(out var whole) ? (object)whole : element.GetDouble(),
        JsonValueKind.Object or JsonValueKind.Array => element,
        _ => null,
    };

    /// <summary>A field by name: exact first, then regardless of case, for Go's <c>ID</c> is JSON's <c>Id</c>.</summary>
    internal static object? Field(object? value, string name)
    {
        switch (value)
        {
            case ITemplateObject row:
                return row.TryGet(name, out var field) ? field : throw TemplateException.NoField(name);
            case JsonElement { ValueKind: JsonValueKind.Object } element:
                if (element.TryGetProperty(name, out var property))
                {
                    return From(property);
                }

                foreach (var candidate in element.EnumerateObject())
                {
                    if (string.Equals(candidate.Name, name, StringComparison.OrdinalIgnoreCase))
                    {
                        return From(candidate.Value);
                    }
                }

                throw TemplateException.NoField(name);
            case null:
                throw new TemplateException($"executing \"\" at <.{name}>: nil data; no entry for key \"{name}\"");
            default:
                throw new TemplateException($"executing \"\" at <.{name}>: can't evaluate field {name} in type {TypeName(value)}");
        }
    }

    /// <summary>An element of a list, or an entry of a map; a missing entry is nothing.</summary>
    internal static object? Index(object? value, object? key)
    {
        switch (value)
        {
            case JsonElement { ValueKind: JsonValueKind.Object } element:
                return element.TryGetProperty(Text(key), out var property) ? From(property) : null;
            case ITemplateObject row:
                return row.TryGet(Text(key), out var field) ? field : null;
            case null:
                throw new TemplateException("error calling index: index of untyped nil");
        }

        var list = List(value) ?? throw new TemplateException($"error calling index: can't index item of type {TypeName(value)}");
        return key is long position && position >= 0 && position < list.Count
            ? list[(int)position]
            : throw new TemplateException($"error calling index: index out of range: {Text(key)}");
    }

    /// <summary>The elements of a list; null where the value is no list.</summary>
    internal static IReadOnlyList<object?>? List(object? value) => value switch
    {
        JsonElement { ValueKind: JsonValueKind.Array } element => [.. element.EnumerateArray().Select(From)],
        IReadOnlyList<object?> list => list,
        _ => null,
    };

    /// <summary>What <c>range</c> goes through: positions and elements, or keys (sorted) and values.</summary>
    internal static IEnumerable<(object? Key, object? Value)> Entries(object? value)
    {
        switch (value)
        {
            case null:
                return [];
            case JsonElement { ValueKind: JsonValueKind.Object } element:
                return element.EnumerateObject().OrderBy(static p => p.Name, StringComparer.Ordinal).Select(static p => ((object?)p.Name, From(p.Value)));
            case ITemplateObject row:
                return row.Fields.Select(static p => ((object?)p.Key, p.Value));
            case long count:
                return Enumerable.Range(0, (int)Math.Clamp(count, 0, int.MaxValue)).Select(static i => ((object?)(long)i, (object?)(long)i));
        }

        return List(value)?.Select(static (item, position) => ((object?)(long)position, item))
            ?? throw new TemplateException($"range can't iterate over {Text(value)}");
    }

    internal static long Length(object? value) => value switch
    {
        string text => Encoding.UTF8.GetByteCount(text),
        JsonElement { ValueKind: JsonValueKind.Object } element => element.EnumerateObject().Count(),
        null => 0,
        _ => List(value)?.Count ?? throw new TemplateException($"error calling len: len of type {TypeName(value)}"),
    };

    internal static bool Truth(object? value) => value switch
    {
        null => false,
        bool truth => truth,
        long number => number != 0,
        double number => number != 0,
        string text => text.Length > 0,
        JsonElement => Length(value) > 0,
        IReadOnlyList<object?> list => list.Count > 0,
        _ => true,
    };

    /// <summary>As Go prints it: <c>[a b]</c>, <c>map[k:v]</c>, <c>&lt;no value&gt;</c>.</summary>
    internal static string Print(object? value) => value switch
    {
        null => "<no value>",
        JsonElement { ValueKind: JsonValueKind.Object } element
            => "map[" + string.Join(' ', Entries(element).Select(static e => $"{e.Key}:{Inner(e.Value)}")) + "]",
        ITemplateObject row => "map[" + string.Join(' ', row.Fields.Select(static e => $"{e.Key}:{Inner(e.Value)}")) + "]",
        _ => List(value) is { } list ? "[" + string.Join(' ', list.Select(Inner)) + "]" : Text(value),
    };

    /// <summary>The text of a scalar.</summary>
    internal static string Text(object? value) => value switch
    {
        null => "<nil>",
        string text => text,
        bool truth => truth ? "true" : "false",
        long number => number.ToString(CultureInfo.InvariantCulture),
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        TemplateMethod => throw new TemplateException("a field that takes arguments was used without them"),
        _ => Print(value),
    };

    /// <summary>The value as JSON on one line.</summary>
    internal static string Json(object? value)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, JsonText.Compact))
        {
            Write(writer, value);
        }

        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    internal static string TypeName(object? value) => value switch
    {
        null => "nil",
        string => "string",
        bool => "bool",
        long => "int",
        double => "float64",
        JsonElement { ValueKind: JsonValueKind.Object } => "map[string]interface {}",
        _ => "[]interface {}",
    };

    private static string Inner(object? value) => value is null ? "<nil>" : Print(value);

    private static void Write(Utf8JsonWriter writer, object? value)
    {
        switch (value)
        {
            case null:
                writer.WriteNullValue();
                break;
            case string text:
                writer.WriteStringValue(text);
                break;
            case bool truth:
                writer.WriteBooleanValue(truth);
                break;
            case long number:
                writer.WriteNumberValue(number);
                break;
            case double number:
                writer.WriteNumberValue(number);
                break;
            case JsonElement element:
                element.WriteTo(writer);
                break;
            case ITemplateObject row:
                writer.WriteStartObject();
                foreach (var (name, field) in row.Fields)
                {
                    writer.WritePropertyName(name);
                    Write(writer, field);
                }

                writer.WriteEndObject();
                break;
            default:
                writer.WriteStartArray();
                foreach (var item in List(value) ?? [])
                {
                    Write(writer, item);
                }

                writer.WriteEndArray();
                break;
        }
    }
}
