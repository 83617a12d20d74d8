using System.Text.Json.Serialization;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace Wherry.Api.Contracts.Images;

/// <summary>One row of <c>GET /images/json</c>.</summary>
public sealed record ImageSummary
{
    public string Id { get; init => field = value ?? ""; } = "";

    public string ParentId { get; init => field = value ?? ""; } = "";

    public IReadOnlyList<string> RepoTags { get; init => field = value ?? []; } = [];

    public IReadOnlyList<string> RepoDigests { get; init => field = value ?? []; } = [];

    /// <summary>Seconds since 1970.</summary>
    public long Created { get; init; }

    /// <summary>Bytes of all layers, unpacked.</summary>
    public long Size { get; init; }

    /// <summary>Bytes in layers other images use too; -1 where not counted.</summary>
    public long SharedSize { get; init; }

    /// <summary><see cref="Size"/> again, for clients of API 1.43 and older.</summary>
    [JsonIgnore(Condition = WhenWritingNull)]
    public long? VirtualSize { get; init; }

    public Dictionary<string, string>? Labels { get; init; }

    /// <summary>Containers made from the image; -1 where not counted.</summary>
    public long Containers { get; init; }

    /// <summary>The manifests that are here, where asked for: always one.</summary>
    [JsonIgnore(Condition = WhenWritingNull)]
    public IReadOnlyList<ImageManifestSummary>? Manifests { get; init; }
}

/// <summary>One step of <c>GET /images/{name}/history</c>, newest first.</summary>
public sealed record HistoryResponseItem
{
    /// <summary>An image ID, or <c>&lt;missing&gt;</c>.</summary>
    public string Id { get; init => field = value ?? ""; } = "";

    /// <summary>Seconds since 1970.</summary>
    public long Created { get; init; }

    public string CreatedBy { get; init => field = value ?? ""; } = "";

    public IReadOnlyList<string>? Tags { get; init; }

    public long Size { get; init; }

    public string Comment { get; init => field = value ?? ""; } = "";
}

/// <summary>One effect of <c>DELETE /images/{name}</c>.</summary>
public sealed record ImageDeleteResponseItem
{
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Untagged { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Deleted { get; init; }
}
