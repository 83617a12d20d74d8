using System.Text.Json.Serialization;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace Wherry.Api.Contracts.Images;

/// <summary>One manifest of an image, where a client asked for <c>manifests=1</c>.</summary>
public sealed record ImageManifestSummary
{
    /// <summary>Digest of the manifest.</summary>
    [JsonPropertyName("ID")]
    public string Id { get; init => field = value ?? ""; } = "";

    public OciDescriptor Descriptor { get; init => field = value ?? new(); } = new();

    /// <summary>Configuration and layers are all here.</summary>
    public bool Available { get; init; }

    public ManifestSize Size { get; init => field = value ?? new(); } = new();

    /// <summary><c>image</c>: one a container can be made of.</summary>
    public string Kind { get; init => field = value ?? ""; } = "";

    [JsonIgnore(Condition = WhenWritingNull)]
    public ManifestImageData? ImageData { get; init; }
}

/// <summary>Bytes of a manifest's content.</summary>
public sealed record ManifestSize
{
    /// <summary>Content and unpacked layers together.</summary>
    public long Total { get; init; }

    /// <summary>Manifest, configuration and layers as the content store has them.</summary>
    public long Content { get; init; }
}

/// <summary>What a manifest of kind <c>image</c> has besides.</summary>
public sealed record ManifestImageData
{
    public RemotePlatform Platform { get; init => field = value ?? new(); } = new();

    /// <summary>IDs of the containers made of it.</summary>
    public IReadOnlyList<string> Containers { get; init => field = value ?? []; } = [];

    public ManifestImageSize Size { get; init => field = value ?? new(); } = new();
}

/// <summary>Bytes on the disk.</summary>
public sealed record ManifestImageSize
{
    /// <summary>Of all layers, unpacked.</summary>
    public long Unpacked { get; init; }
}
