namespace Wherry.Api.Http;

/// <summary>
/// A path such as <c>/containers/{id}/json</c> or <c>/images/{name*}/history</c>. A starred parameter takes one or
/// more segments, because the names of images contain slashes; a template has at most one.
/// </summary>
public sealed class RouteTemplate
{
    private readonly string[] _segments;
    private readonly int _star;

    public RouteTemplate(string text)
    {
        Text = text;
        _segments = text[1..].Split('/');
        _star = Array.FindIndex(_segments, segment => segment.EndsWith("*}", StringComparison.Ordinal));
    }

    public string Text { get; }

    public string FirstSegment => _segments[0];

    /// <summary>The parameter's value where the path has this template's form (empty when it has no parameter), else null.</summary>
    /// <param name="segments">The path's segments, decoded but for <c>%2F</c>.</param>
    public string? Match(ReadOnlySpan<string> segments)
    {
        if (_star < 0)
        {
            return segments.Length == _segments.Length ? MatchRun(_segments, segments) : null;
        }

        var after = _segments.Length - _star - 1;
        var taken = segments.Length - _star - after;
        if (taken < 1
            || MatchRun(_segments.AsSpan(0, _star), segments[.._star]) is null
            || MatchRun(_segments.AsSpan(_star + 1), segments[^after..]) is null)
        {
            return null;
        }

        var name = segments.Slice(_star, taken);
        return name.Contains("") ? null : Decode(string.Join('/', name!));
    }

    private static string? MatchRun(ReadOnlySpan<string> template, ReadOnlySpan<string> segments)
    {
        var value = "";
        for (var i = 0; i < template.Length; i++)
        {
            if (template[i][0] == '{')
            {
                if (segments[i].Length == 0)
                {
                    return null;
                }

                value = Decode(segments[i]);
            }
            else if (template[i] != segments[i])
            {
                return null;
            }
        }

        return value;
    }

    /// <summary>The server has decoded everything but the encoded slash, which would have looked like a separator.</summary>
    private static string Decode(string segment) => segment.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
}
