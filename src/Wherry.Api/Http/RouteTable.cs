namespace Wherry.Api.Http;

/// <summary>Answers one request. Failures are thrown.</summary>
public delegate Task ApiHandler(ApiRequest request);

/// <summary>What a path led to: a handler, or the methods that would have had one, or nothing.</summary>
public readonly record struct RouteMatch(ApiHandler? Handler, string Parameter, IReadOnlyList<string> OtherMethods)
{
    public bool IsKnownPath => Handler is not null || OtherMethods.Count > 0;
}

/// <summary>All paths the API serves. Where two templates fit a path the one added first wins.</summary>
public sealed class RouteTable
{
    private readonly Dictionary<string, List<Entry>> _byFirstSegment = new(StringComparer.Ordinal);

    public void Get(string template, ApiHandler handler) => Add("GET", template, handler);

    public void Post(string template, ApiHandler handler) => Add("POST", template, handler);

    public void Delete(string template, ApiHandler handler) => Add("DELETE", template, handler);

    public void Add(string method, string template, ApiHandler handler)
    {
        var parsed = new RouteTemplate(template);
        if (!_byFirstSegment.TryGetValue(parsed.FirstSegment, out var entries))
        {
            _byFirstSegment[parsed.FirstSegment] = entries = [];
        }

        entries.Add(new Entry(method, parsed, handler));
    }

    /// <param name="method">As in the request line.</param>
    /// <param name="path">Without its version.</param>
    public RouteMatch Find(string method, string path)
    {
        var segments = path.TrimStart('/').Split('/');
        if (!_byFirstSegment.TryGetValue(segments[0], out var entries))
        {
            return new RouteMatch(null, "", []);
        }

        List<string>? others = null;
        foreach (var entry in entries)
        {
            if (entry.Template.Match(segments) is not { } parameter)
            {
                continue;
            }

            if (entry.Method == method)
            {
                return new RouteMatch(entry.Handler, parameter, []);
            }

            (others ??= []).Add(entry.Method);
        }

        return new RouteMatch(null, "", others ?? []);
    }

    private sealed record Entry(string Method, RouteTemplate Template, ApiHandler Handler);
}
