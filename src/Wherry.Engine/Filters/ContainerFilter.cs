using System.Globalization;
using Wherry.Errors;

namespace Wherry.Engine.Filters;

/// <summary>What <c>ps</c> filters look at in a container.</summary>
public sealed record ContainerFilterSubject
{
    public required string Id { get; init; }

    /// <summary>Without a slash.</summary>
    public required string Name { get; init; }

    public required DateTimeOffset Created { get; init; }

    public required string ImageId { get; init; }

    /// <summary>The image as the user wrote it.</summary>
    public string Image { get; init; } = "";

    /// <summary><c>created</c>, <c>running</c>, <c>paused</c>, <c>exited</c> …</summary>
    public required string State { get; init; }

    /// <summary>Null while it runs and when it never ran.</summary>
    public int? ExitCode { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Names, sources and destinations of mounts.</summary>
    public IReadOnlyList<string> Volumes { get; init; } = [];

    /// <summary>Names and ids of networks.</summary>
    public IReadOnlyList<string> Networks { get; init; } = [];

    public IReadOnlyList<FilterPort> Published { get; init; } = [];

    public IReadOnlyList<FilterPort> Exposed { get; init; } = [];

    public string Health { get; init; } = "none";
}

/// <param name="Number">The host's port where published, the container's where exposed.</param>
/// <param name="Protocol"><c>tcp</c>, <c>udp</c> or <c>sctp</c>.</param>
public readonly record struct FilterPort(int Number, string Protocol);

/// <summary>The filters of <c>GET /containers/json</c>, with Docker's meaning.</summary>
public sealed class ContainerFilter
{
    private static readonly string[] States = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];
    private readonly FilterArguments _filters;
    private readonly bool _all;
    private readonly HashSet<int> _exitCodes = [];
    private readonly HashSet<string>? _images;
    private readonly DateTimeOffset? _before;
    private readonly DateTimeOffset? _since;
    private readonly List<PortRange> _published;
    private readonly List<PortRange> _exposed;

    /// <param name="filters">As asked.</param>
    /// <param name="all">Those that don't run too; a limit or a status asked for means the same.</param>
    /// <param name="createdOf">When the container of that id or name was made; throws NotFound.</param>
    /// <param name="descendantsOf">Ids of the image so called and of those made from it; empty when there is none.</param>
    /// <exception cref="WherryException">InvalidParameter: an unknown filter or an impossible value.</exception>
    public ContainerFilter(
        FilterArguments filters,
        bool all,
        Func<string, DateTimeOffset> createdOf,
        Func<string, IEnumerable<string>> descendantsOf)
    {
        filters.RequireKnown(
            "ancestor", "before", "exited", "expose", "health", "id", "isolation", "is-task", "label", "name", "network",
            "publish", "since", "status", "volume");
        _filters = filters;
        _all = all || filters.Contains("status");
        foreach (var code in filters["exited"])
        {
            _exitCodes.Add(int.TryParse(code, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                ? number
                : throw WherryException.Invalid($"invalid filter 'exited={code}'"));
        }

        if (filters["status"].FirstOrDefault(status => !States.Contains(status)) is { } unknown)
        {
            throw WherryException.Invalid($"invalid filter 'status={unknown}'");
        }

        _images = filters.Contains("ancestor") ? [.. filters["ancestor"].SelectMany(descendantsOf)] : null;
        _before = filters.Contains("before") ? filters["before"].Min(createdOf) : null;
        _since = filters.Contains("since") ? filters["since"].Max(createdOf) : null;
        _published = filters["publish"].Select(text => PortRange.Parse("publish", text)).ToList();
        _exposed = filters["expose"].Select(text => PortRange.Parse("expose", text)).ToList();
    }

    public IEnumerable<ContainerFilterSubject> Apply(IEnumerable<ContainerFilterSubject> containers) => containers.Where(Matches);

    public bool Matches(ContainerFilterSubject container) =>
        (_all || container.State is "running" or "paused" or "restarting")
        && (_filters.MatchesPattern("name", container.Name) || _filters.MatchesPattern("name", "/" + container.Name))
        && _filters.MatchesPattern("id", container.Id)
        && _filters.MatchesLabels("label", container.Labels)
        && _filters.MatchesExactly("status", container.State)
        && _filters.MatchesExactly("health", container.Health)
        && (_exitCodes.Count == 0 || (container.ExitCode is { } code && _exitCodes.Contains(code)))
        && (_images?.Contains(container.ImageId) ?? true)
        && (_before is null || container.Created < _before)
        && (_since is null || container.Created > _since)
        && MatchesAny("volume", container.Volumes)
        && MatchesAny("network", container.Networks)
        && (_filters.Flag("is-task") ?? false) == false
        && (_published.Count == 0 || container.Published.Any(port => _published.Exists(range => range.Contains(port))))
        && (_exposed.Count == 0 || container.Exposed.Any(port => _exposed.Exists(range => range.Contains(port))));

    private bool MatchesAny(string name, IReadOnlyList<string> values) =>
        !_filters.Contains(name) || values.Any(value => _filters.MatchesExactly(name, value));

    private readonly record struct PortRange(int First, int Last, string Protocol)
    {
        public bool Contains(FilterPort port) => port.Number >= First && port.Number <= Last && port.Protocol == Protocol;

        /// <summary><c>80</c>, <c>80/udp</c>, <c>8000-8010/tcp</c>.</summary>
        public static PortRange Parse(string filter, string text)
        {
            var slash = text.IndexOf('/');
            var protocol = slash < 0 ? "tcp" : text[(slash + 1)..].ToLowerInvariant();
            var ports = (slash < 0 ? text : text[..slash]).Split('-');
            if (ports.Length is 1 or 2
                && ushort.TryParse(ports[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
                && ushort.TryParse(ports[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var last)
                && first <= last
                && protocol is "tcp" or "udp" or "sctp")
            {
                return new PortRange(first, last, protocol);
            }

            throw WherryException.Invalid($"invalid filter '{filter}={text}'");
        }
    }
}
