using System.Text.Json.Serialization;
using Wherry.Api.Contracts.Networks;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace Wherry.Api.Contracts.Containers;

/// <summary>One row of <c>GET /containers/json</c>.</summary>
public sealed record ContainerSummary
{
    public string Id { get; init => field = value ?? ""; } = "";

    /// <summary>With leading slashes.</summary>
    public IReadOnlyList<string> Names { get; init => field = value ?? []; } = [];

    public string Image { get; init => field = value ?? ""; } = "";

    public string ImageID { get; init => field = value ?? ""; } = "";

    public string Command { get; init => field = value ?? ""; } = "";

    /// <summary>Seconds since 1970.</summary>
    public long Created { get; init; }

    public IReadOnlyList<PortSummary> Ports { get; init => field = value ?? []; } = [];

    [JsonIgnore(Condition = WhenWritingNull)]
    public long? SizeRw { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public long? SizeRootFs { get; init; }

    public Dictionary<string, string> Labels { get; init => field = value ?? []; } = [];

    public string State { get; init => field = value ?? ""; } = "";

    /// <summary>In words: <c>Up 3 minutes</c>, <c>Exited (0) 2 hours ago</c>.</summary>
    public string Status { get; init => field = value ?? ""; } = "";

    public ContainerSummaryHostConfig HostConfig { get; init => field = value ?? new(); } = new();

    public ContainerSummaryNetworks NetworkSettings { get; init => field = value ?? new(); } = new();

    public IReadOnlyList<MountPoint> Mounts { get; init => field = value ?? []; } = [];
}

/// <summary>The part of a host configuration that a summary shows.</summary>
public sealed record ContainerSummaryHostConfig
{
    public string NetworkMode { get; init => field = value ?? ""; } = "";

    [JsonIgnore(Condition = WhenWritingNull)]
    public Dictionary<string, string>? Annotations { get; init; }
}

/// <summary>The networks that a summary shows, by name.</summary>
public sealed record ContainerSummaryNetworks
{
    public Dictionary<string, EndpointSettings> Networks { get; init => field = value ?? []; } = [];
}

/// <summary>One port of a container: exposed, or published once.</summary>
public sealed record PortSummary
{
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? IP { get; init; }

    public int PrivatePort { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public int? PublicPort { get; init; }

    public string Type { get; init => field = value ?? ""; } = "";
}
