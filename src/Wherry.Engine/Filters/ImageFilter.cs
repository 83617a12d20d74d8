using System.Text;
using System.Text.RegularExpressions;

namespace Wherry.Engine.Filters;

/// <summary>What <c>images</c> filters look at in an image.</summary>
public sealed record ImageFilterSubject
{
    public required string Id { get; init; }

    public required DateTimeOffset Created { get; init; }

    /// <summary><c>name:tag</c>, as users write them.</summary>
    public IReadOnlyList<string> RepoTags { get; init; } = [];

    public IReadOnlyList<string> RepoDigests { get; init; } = [];

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
}

/// <summary>The filters of <c>GET /images/json</c>, with Docker's meaning.</summary>
public sealed class ImageFilter
{
    private readonly FilterArguments _filters;
    private readonly bool? _dangling;
    private readonly DateTimeOffset? _before;
    private readonly DateTimeOffset? _since;
    private readonly List<Regex> _references;

    /// <param name="filters">As asked.</param>
    /// <param name="createdOf">When the image so called was made; throws NotFound.</param>
    public ImageFilter(FilterArguments filters, Func<string, DateTimeOffset> createdOf)
    {
        filters.RequireKnown("before", "dangling", "label", "reference", "since", "until");
        _filters = filters;
        _dangling = filters.Flag("dangling");
        var until = filters["until"].Select(text => Logs.TimeArgument.Parse(text, DateTimeOffset.UtcNow)).OfType<Logs.TimeArgument>();
        var before = filters["before"].Select(createdOf).Concat(until.Select(moment => moment.ToDateTimeOffset())).ToArray();
        _before = before.Length > 0 ? before.Min() : null;
        _since = filters.Contains("since") ? filters["since"].Max(createdOf) : null;
        _references = filters["reference"].Select(GlobOf).ToList();
    }

    public bool Matches(ImageFilterSubject image) =>
        _filters.MatchesLabels("label", image.Labels)
        && (_before is null || image.Created < _before)
        && (_since is null || image.Created > _since)
        && (_dangling is null || _dangling == (image.RepoTags.Count == 0))
        && (_references.Count == 0 || image.RepoTags.Any(MatchesReference) || image.RepoDigests.Any(MatchesReference));

    /// <summary>The tags to show: with <c>reference</c> asked for only those that match it.</summary>
    public IReadOnlyList<string> VisibleTags(ImageFilterSubject image) =>
        _references.Count == 0 ? image.RepoTags : [.. image.RepoTags.Where(MatchesReference)];

    /// <summary>A pattern without a tag matches every tag.</summary>
    private bool MatchesReference(string reference)
    {
        var digest = reference.IndexOf('@');
        var colon = digest >= 0 ? digest : reference.LastIndexOf(':');
        var name = colon > reference.LastIndexOf('/') ? reference[..colon] : reference;
        return _references.Exists(pattern => pattern.IsMatch(reference) || pattern.IsMatch(name));
    }

    /// <summary>A shell pattern in which <c>*</c> and <c>?</c> stop at a slash.</summary>
    private static Regex GlobOf(string pattern)
    {
        var expression = new StringBuilder("^");
        foreach (var letter in pattern)
        {
            expression.Append(letter switch
            {
                '*' => "[^/]*",
                '?' => "[^/]",
                _ => Regex.Escape(letter.ToString()),
            });
        }

        return new Regex(expression.Append('$').ToString(), RegexOptions.CultureInvariant | RegexOptions.NonBacktracking, Regex.InfiniteMatchTimeout);
    }
}
