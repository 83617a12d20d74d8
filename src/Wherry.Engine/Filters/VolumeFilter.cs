using Wherry.Engine.Volumes;

namespace Wherry.Engine.Filters;

/// <summary>The filters of <c>GET /volumes</c>.</summary>
internal sealed class VolumeFilter
{
    private readonly FilterArguments _filters;
    private readonly Func<string, bool> _isUsed;
    private readonly bool? _dangling;

    public VolumeFilter(FilterArguments filters, Func<string, bool> isUsed)
    {
        filters.RequireKnown("name", "label", "driver", "dangling");
        _filters = filters;
        _isUsed = isUsed;
        _dangling = filters.Flag("dangling");
    }

    public bool Matches(VolumeRecord volume) =>
        _filters.MatchesPattern("name", volume.Name)
        && _filters.MatchesLabels("label", volume.Labels)
        && _filters.MatchesExactly("driver", VolumeStore.LocalDriver)
        && (_dangling is null || _dangling == !_isUsed(volume.Name));
}
