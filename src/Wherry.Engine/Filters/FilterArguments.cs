using System.Text.Json;
using System.Text.RegularExpressions;
using Wherry.Errors;

namespace Wherry.Engine.Filters;

/// <summary>
/// The API's <c>filters</c>: names with the values any of which will do. Understands both spellings,
/// <c>{"status":["exited"]}</c> and <c>{"status":{"exited":true}}</c>.
/// </summary>
public sealed class FilterArguments
{
    private readonly Dictionary<string, IReadOnlyList<string>> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Regex?> _patterns = new(StringComparer.Ordinal);

    public FilterArguments(IReadOnlyDictionary<string, IReadOnlyList<string>>? values = null)
    {
        foreach (var (name, list) in values ?? new Dictionary<string, IReadOnlyList<string>>())
        {
            if (list.Count > 0)
            {
                _values[name] = list;
            }
        }
    }

    public static FilterArguments None { get; } = new();

    /// <summary>The values as the engine's queries carry them.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Values => _values;

    /// <exception cref="WherryException">InvalidParameter: it is not JSON of either form.</exception>
    public static FilterArguments Parse(string? json)
    {
        if (string.IsNullOrWhiteSpace(json))
        {
            return None;
        }

        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 8 });
            var values = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
            foreach (var property in document.RootElement.EnumerateObject())
            {
                values[property.Name] = ReadValues(property.Value);
            }

            return new FilterArguments(values);
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            throw WherryException.Invalid($"invalid filter: {json}", failure);
        }
    }

    public bool Contains(string name) => _values.ContainsKey(name);

    public IReadOnlyList<string> this[string name] => _values.GetValueOrDefault(name) ?? [];

    /// <exception cref="WherryException">InvalidParameter: a filter has another name than these.</exception>
    public void RequireKnown(params ReadOnlySpan<string> names)
    {
        foreach (var name in _values.Keys)
        {
            if (!names.Contains(name))
            {
                throw WherryException.Invalid($"invalid filter '{name}'");
            }
        }
    }

    /// <summary>Nothing asked, or one of the values asked for.</summary>
    public bool MatchesExactly(string name, string value) => !Contains(name) || this[name].Contains(value);

    /// <summary>Nothing asked, or one of the values equals, or as a regular expression finds, the given one.</summary>
    public bool MatchesPattern(string name, string value) =>
        !Contains(name) || this[name].Any(wanted => wanted == value || (PatternOf(wanted)?.IsMatch(value) ?? false));

    /// <summary>Every <c>key</c> or <c>key=value</c> asked for is among the labels.</summary>
    public bool MatchesLabels(string name, IReadOnlyDictionary<string, string> labels) => this[name].All(wanted =>
    {
        var equals = wanted.IndexOf('=');
        return equals < 0
            ? labels.ContainsKey(wanted)
            : labels.TryGetValue(wanted[..equals], out var value) && value == wanted[(equals + 1)..];
    });

    /// <summary>A yes or no; null where nothing was asked.</summary>
    /// <exception cref="WherryException">InvalidParameter: it is neither, or both.</exception>
    public bool? Flag(string name)
    {
        bool? flag = null;
        foreach (var value in this[name])
        {
            bool? read = value.ToLowerInvariant() switch
            {
                "1" or "t" or "true" => true,
                "0" or "f" or "false" => false,
                _ => null,
            };
            if (read is null || (flag is not null && flag != read))
            {
                throw WherryException.Invalid($"invalid filter '{name}={value}'");
            }

            flag = read;
        }

        return flag;
    }

    private static string[] ReadValues(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Array => [.. element.EnumerateArray().Select(value => value.GetString() ?? throw new JsonException("null"))],
        JsonValueKind.Object => [.. element.EnumerateObject().Where(value => value.Value.ValueKind != JsonValueKind.False).Select(value => value.Name)],
        _ => throw new JsonException("neither list nor object"),
    };

    private Regex? PatternOf(string text)
    {
        lock (_patterns)
        {
            if (!_patterns.TryGetValue(text, out var pattern))
            {
                try
                {
                    // Linear in the text, like Go's: no pattern can keep the engine busy.
                    pattern = new Regex(text, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking, Regex.InfiniteMatchTimeout);
                }
                catch (Exception failure) when (failure is ArgumentException or NotSupportedException)
                {
                    // As in Docker: what is no regular expression only matches itself.
                }

                _patterns[text] = pattern;
            }

            return pattern;
        }
    }
}
