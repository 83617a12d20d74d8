using System.Text.Json.Serialization;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace Wherry.Api.Contracts.Volumes;

/// <summary>A named or anonymous volume.</summary>
public sealed record Volume
{
    /// <summary>RFC 3339.</summary>
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? CreatedAt { get; init; }

    public string Driver { get; init => field = value ?? ""; } = "";

    public Dictionary<string, string>? Labels { get; init; }

    public string Mountpoint { get; init => field = value ?? ""; } = "";

    public string Name { get; init => field = value ?? ""; } = "";

    public Dictionary<string, string>? Options { get; init; }

    public string Scope { get; init => field = value ?? ""; } = "";

    [JsonIgnore(Condition = WhenWritingNull)]
    public VolumeUsageData? UsageData { get; init; }
}

/// <summary>What a volume takes; -1 where not counted.</summary>
public sealed record VolumeUsageData
{
    public long Size { get; init; }

    public long RefCount { get; init; }
}

/// <summary>Answer of <c>GET /volumes</c>.</summary>
public sealed record VolumeListResponse
{
    public IReadOnlyList<Volume> Volumes { get; init => field = value ?? []; } = [];

    public IReadOnlyList<string>? Warnings { get; init; }
}

/// <summary>Body of <c>POST /volumes/create</c>.</summary>
public sealed record VolumeCreateRequest
{
    /// <summary>Empty for a name of the engine's choice.</summary>
    public string Name { get; init => field = value ?? ""; } = "";

    public string Driver { get; init => field = value ?? ""; } = "";

    public Dictionary<string, string>? DriverOpts { get; init; }

    public Dictionary<string, string>? Labels { get; init; }
}
