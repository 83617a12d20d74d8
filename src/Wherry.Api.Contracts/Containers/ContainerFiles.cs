using System.Text.Json.Serialization;

namespace Wherry.Api.Contracts.Containers;

/// <summary>One row of <c>GET /containers/{id}/changes</c>.</summary>
public sealed record FilesystemChange
{
    public string Path { get; init => field = value ?? ""; } = "";

    /// <summary>0 modified, 1 added, 2 deleted.</summary>
    public int Kind { get; init; }
}

/// <summary>What the header <c>X-Docker-Container-Path-Stat</c> says of a path, as JSON in base64.</summary>
public sealed record ContainerPathStat
{
    [JsonPropertyName("name")]
    public string Name { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("size")]
    public long Size { get; init; }

    /// <summary>Permissions and kind, as Go's os.FileMode numbers them.</summary>
    [JsonPropertyName("mode")]
    public long Mode { get; init; }

    /// <summary>RFC 3339.</summary>
    [JsonPropertyName("mtime")]
    public string Modified { get; init => field = value ?? ""; } = "";

    /// <summary>Of a link, the path in the container that it leads to.</summary>
    [JsonPropertyName("linkTarget")]
    public string LinkTarget { get; init => field = value ?? ""; } = "";
}
