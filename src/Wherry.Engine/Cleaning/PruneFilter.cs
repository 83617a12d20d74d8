using Wherry.Engine.Filters;
using Wherry.Engine.Logs;
using Wherry.Errors;

namespace Wherry.Engine.Cleaning;

/// <summary>The filters that all prunings share: <c>label</c>, <c>label!</c>, <c>until</c>.</summary>
internal sealed class PruneFilter
{
    private readonly FilterArguments _filters;
    private readonly DateTimeOffset? _until;

    /// <param name="filters">As asked.</param>
    /// <param name="others">Names of filters that this kind of object has besides.</param>
    /// <exception cref="WherryException">InvalidParameter: an unknown filter or an impossible value.</exception>
    public PruneFilter(FilterArguments filters, params ReadOnlySpan<string> others)
    {
        filters.RequireKnown(["label", "label!", .. others]);
        _filters = filters;
        if (filters["until"].Count > 1)
        {
            throw WherryException.Invalid("more than one until filter specified");
        }

        _until = TimeArgument.Parse(filters["until"].FirstOrDefault(), DateTimeOffset.UtcNow)?.ToDateTimeOffset();
    }

    public bool MatchesLabels(IReadOnlyDictionary<string, string>? labels)
    {
        var all = labels ?? new Dictionary<string, string>();
        return _filters.MatchesLabels("label", all) && (!_filters.Contains("label!") || !_filters.MatchesLabels("label!", all));
    }

    public bool Matches(DateTimeOffset created, IReadOnlyDictionary<string, string>? labels) =>
        (_until is null || created < _until) && MatchesLabels(labels);
}
