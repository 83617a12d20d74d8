using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Wherry.Cli.Parsing;

/// <summary>The values of <c>--filter</c>, composed into the API's <c>filters</c> parameter.</summary>
internal static class FilterSpec
{
    internal static (string Name, string Value) Parse(string text)
    {
        var equals = text.IndexOf('=');
        return equals < 0
            ? throw new FormatException("bad format of filter (expected name=value)")
            : (text[..equals].Trim().ToLowerInvariant(), text[(equals + 1)..].Trim());
    }

    /// <summary><c>{"status":{"exited":true}}</c>; null without filters.</summary>
    internal static string? Compose(IEnumerable<(string Name, string Value)> filters)
    {
        var map = new SortedDictionary<string, SortedSet<string>>(StringComparer.Ordinal);
        foreach (var (name, value) in filters)
        {
            if (!map.TryGetValue(name, out var values))
            {
                map[name] = values = new SortedSet<string>(StringComparer.Ordinal);
            }

            values.Add(value);
        }

        if (map.Count == 0)
        {
            return null;
        }

        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var (name, values) in map)
            {
                json.WriteStartObject(name);
                foreach (var value in values)
                {
                    json.WriteBoolean(value, true);
                }

                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
