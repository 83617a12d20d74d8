using System.Text.Json;
using System.Text.Json.Serialization;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace Wherry.Api.Contracts.Images;

/// <summary>What a name stands for at its registry.</summary>
public sealed record DistributionInspect
{
    public RemoteDescriptor Descriptor { get; init => field = value ?? new(); } = new();

    public IReadOnlyList<RemotePlatform> Platforms { get; init => field = value ?? []; } = [];
}

/// <summary>A manifest, an index or an artifact, by digest.</summary>
public sealed record RemoteDescriptor
{
    [JsonPropertyName("mediaType")]
    public string MediaType { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("digest")]
    public string Digest { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("size")]
    public long Size { get; init; }

    [JsonPropertyName("artifactType")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? ArtifactType { get; init; }

    [JsonPropertyName("annotations")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    [JsonPropertyName("platform")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public RemotePlatform? Platform { get; init; }
}

/// <summary>A platform in the image-spec's spelling.</summary>
public sealed record RemotePlatform
{
    [JsonPropertyName("architecture")]
    public string Architecture { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("os")]
    public string Os { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("os.version")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? OsVersion { get; init; }

    [JsonPropertyName("variant")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Variant { get; init; }
}

/// <summary>Wherry's own: an image at its registry with all its documents.</summary>
public sealed record RemoteImageInspect
{
    public string Name { get; init => field = value ?? ""; } = "";

    public RemoteDescriptor Descriptor { get; init => field = value ?? new(); } = new();

    /// <summary>The manifest or index the name stands for, as it is.</summary>
    public JsonElement Document { get; init; }

    public IReadOnlyList<RemotePlatform> Platforms { get; init => field = value ?? []; } = [];

    /// <summary>The manifest, or all those of the index.</summary>
    public IReadOnlyList<RemoteManifestInspect> Manifests { get; init => field = value ?? []; } = [];
}

/// <summary>One manifest of an image at its registry.</summary>
public sealed record RemoteManifestInspect
{
    public RemoteDescriptor Descriptor { get; init => field = value ?? new(); } = new();

    public JsonElement Manifest { get; init; }

    /// <summary>Null for an artifact.</summary>
    public JsonElement? Config { get; init; }
}

/// <summary>A result of a search.</summary>
public sealed record ImageSearchItem
{
    [JsonPropertyName("star_count")]
    public long StarCount { get; init; }

    [JsonPropertyName("is_official")]
    public bool IsOfficial { get; init; }

    [JsonPropertyName("name")]
    public string Name { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("is_automated")]
    public bool IsAutomated { get; init; }

    [JsonPropertyName("description")]
    public string Description { get; init => field = value ?? ""; } = "";
}

/// <summary>The end of a push, as the progress stream's <c>aux</c>.</summary>
public sealed record PushResult
{
    public string Tag { get; init => field = value ?? ""; } = "";

    public string Digest { get; init => field = value ?? ""; } = "";

    /// <summary>Bytes of the manifest.</summary>
    public long Size { get; init; }
}

/// <summary>Wherry's own: an artifact or an index that is at its registry now.</summary>
public sealed record PushedToRegistry
{
    /// <summary>With its tag, or its digest where it has none.</summary>
    public string Name { get; init => field = value ?? ""; } = "";

    public string Digest { get; init => field = value ?? ""; } = "";

    /// <summary>Bytes of the manifest.</summary>
    public long Size { get; init; }
}

/// <summary>Credentials were accepted.</summary>
public sealed record AuthResponse
{
    public string Status { get; init => field = value ?? ""; } = "";

    /// <summary>To be kept instead of the password, where the registry gives one.</summary>
    public string IdentityToken { get; init => field = value ?? ""; } = "";
}
