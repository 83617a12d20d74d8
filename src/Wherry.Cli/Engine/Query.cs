using System.Text;

namespace Wherry.Cli.Engine;

/// <summary>Composes the target of a request: a path and its query parameters, encoded as Go's <c>url.Values</c> does.</summary>
internal sealed class Query(string path)
{
    private readonly SortedDictionary<string, List<string>> _values = new(StringComparer.Ordinal);

    internal Query Add(string name, string? value)
    {
        if (value is not null)
        {
            if (!_values.TryGetValue(name, out var list))
            {
                _values[name] = list = [];
            }

            list.Add(value);
        }

        return this;
    }

    internal Query AddFlag(string name, bool value) => value ? Add(name, "1") : this;

    /// <summary>Escapes one segment of a path: a name given by the user stays one segment.</summary>
    internal static string Segment(string name) => Uri.EscapeDataString(name.TrimStart('/')).Replace("%2F", "/", StringComparison.Ordinal).Replace("%3A", ":", StringComparison.Ordinal);

    public override string ToString()
    {
        if (_values.Count == 0)
        {
            return path;
        }

        var text = new StringBuilder(path);
        var separator = '?';
        foreach (var (name, values) in _values)
        {
            foreach (var value in values)
            {
                text.Append(separator).Append(name).Append('=').Append(Uri.EscapeDataString(value).Replace("%20", "+", StringComparison.Ordinal));
                separator = '&';
            }
        }

        return text.ToString();
    }
}
