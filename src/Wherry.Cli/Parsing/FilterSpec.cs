using System.Text.Json;
using Wherry.Api.Contracts;

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
        var map = new SortedDictionary<string, Dictionary<string, bool>>(StringComparer.Ordinal);
        foreach (var (name, value) in filters)
        {
            if (!map.TryGetValue(name, out var values))
            {
                map[name] = values = [];
            }

            values[value] = true;
        }

        return map.Count == 0
            ? null
            : JsonSerializer.Serialize(new Dictionary<string, Dictionary<string, bool>>(map), ApiJson.Default.DictionaryStringDictionaryStringBoolean);
    }
}
