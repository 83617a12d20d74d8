using System.Text.Json.Serialization;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace Wherry.Api.Contracts.Images;

/// <summary>Answer of <c>GET /images/{name}/json</c>.</summary>
public sealed record ImageInspect
{
    /// <summary>Digest of the image's configuration.</summary>
    public string Id { get; init => field = value ?? ""; } = "";

    [JsonIgnore(Condition = WhenWritingNull)]
    public OciDescriptor? Descriptor { get; init; }

    /// <summary>The manifests that are here, where asked for: always one.</summary>
    [JsonIgnore(Condition = WhenWritingNull)]
    public IReadOnlyList<ImageManifestSummary>? Manifests { get; init; }

    public IReadOnlyList<string> RepoTags { get; init => field = value ?? []; } = [];

    public IReadOnlyList<string> RepoDigests { get; init => field = value ?? []; } = [];

    /// <summary>ID of the image this one was made from, where known.</summary>
    public string Parent { get; init => field = value ?? ""; } = "";

    public string Comment { get; init => field = value ?? ""; } = "";

    /// <summary>RFC 3339 with nanoseconds.</summary>
    public string Created { get; init => field = value ?? ""; } = "";

    public string DockerVersion { get; init => field = value ?? ""; } = "";

    public string Author { get; init => field = value ?? ""; } = "";

    public ImageConfig? Config { get; init; }

    public string Architecture { get; init => field = value ?? ""; } = "";

    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Variant { get; init; }

    public string Os { get; init => field = value ?? ""; } = "";

    [JsonIgnore(Condition = WhenWritingNull)]
    public string? OsVersion { get; init; }

    /// <summary>Bytes of all layers, unpacked.</summary>
    public long Size { get; init; }

    /// <summary>The same number, for clients of API 1.43 and older.</summary>
    [JsonIgnore(Condition = WhenWritingNull)]
    public long? VirtualSize { get; init; }

    public DriverData? GraphDriver { get; init; }

    public RootFS RootFS { get; init => field = value ?? new(); } = new();

    public ImageMetadata Metadata { get; init => field = value ?? new(); } = new();
}

/// <summary>The layers of an image.</summary>
public sealed record RootFS
{
    public string Type { get; init => field = value ?? ""; } = "";

    /// <summary>Digests of the uncompressed layers, lowest first.</summary>
    [JsonIgnore(Condition = WhenWritingNull)]
    public IReadOnlyList<string>? Layers { get; init; }
}

/// <summary>What only this engine knows of an image.</summary>
public sealed record ImageMetadata
{
    /// <summary>RFC 3339; year 1 when never tagged.</summary>
    public string LastTagTime { get; init => field = value ?? ""; } = "";
}

/// <summary>A storage driver and where it keeps the object.</summary>
public sealed record DriverData
{
    public string Name { get; init => field = value ?? ""; } = "";

    public Dictionary<string, string>? Data { get; init; }
}

/// <summary>A blob as OCI names it.</summary>
public sealed record OciDescriptor
{
    [JsonPropertyName("mediaType")]
    public string MediaType { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("digest")]
    public string Digest { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("size")]
    public long Size { get; init; }

    [JsonPropertyName("annotations")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public Dictionary<string, string>? Annotations { get; init; }
}
