using System.Text;

namespace Wherry.Images.Distribution.Http;

/// <summary>One challenge of a <c>WWW-Authenticate</c> field (RFC 9110, 11.6.1).</summary>
/// <param name="Scheme">In lower case: <c>bearer</c>, <c>basic</c>.</param>
/// <param name="Parameters">By name in lower case.</param>
internal sealed record Challenge(string Scheme, IReadOnlyDictionary<string, string> Parameters)
{
    private const int LongestField = 16 * 1024;

    internal string? this[string name] => Parameters.GetValueOrDefault(name);

    /// <summary>All challenges of a field; what can't be understood ends the list.</summary>
    internal static IReadOnlyList<Challenge> Parse(string field)
    {
        var found = new List<Challenge>();
        if (field.Length > LongestField)
            return found;
        var at = 0;
        while (true)
        {
            SkipSeparators(field, ref at);
            var scheme = Token(field, ref at);
            if (scheme.Length == 0)
                return found;
            var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
            found.Add(new Challenge(scheme.ToLowerInvariant(), parameters));
            while (TryParameter(field, ref at, out var name, out var value))
                parameters[name.ToLowerInvariant()] = value;
        }
    }

    private static bool TryParameter(string field, ref int at, out string name, out string value)
    {
        var start = at;
        SkipSeparators(field, ref at);
        name = Token(field, ref at);
        value = "";
        var beforeEquals = at;
        while (at < field.Length && field[at] == ' ')
            at++;
        if (name.Length == 0 || at >= field.Length || field[at] != '=')
        {
            // A scheme without parameters, or the next challenge's scheme.
            at = name.Length == 0 ? beforeEquals : start;
            return false;
        }
        at++;
        while (at < field.Length && field[at] == ' ')
            at++;
        value = at < field.Length && field[at] == '"' ? Quoted(field, ref at) : Token(field, ref at);
        return true;
    }

    private static string Quoted(string field, ref int at)
    {
        var text = new StringBuilder();
        for (at++; at < field.Length && field[at] != '"'; at++)
        {
            if (field[at] == '\\' && at + 1 < field.Length)
                at++;
            text.Append(field[at]);
        }
        at = Math.Min(at + 1, field.Length);
        return text.ToString();
    }

    private static string Token(string field, ref int at)
    {
        var start = at;
        while (at < field.Length && !char.IsWhiteSpace(field[at]) && field[at] is not (',' or '=' or '"'))
            at++;
        return field[start..at];
    }

    private static void SkipSeparators(string field, ref int at)
    {
        while (at < field.Length && (char.IsWhiteSpace(field[at]) || field[at] == ','))
            at++;
    }
}
