using Wherry.Oci.Images;

namespace Wherry.Registry.Manifests;

/// <summary>A descriptor as manifests hold it and as the list of referrers shows it (image-spec, descriptor.md).</summary>
public sealed record ManifestDescriptor
{
    public string? MediaType { get; init; }

    public required string Digest { get; init; }

    public long Size { get; init; }

    public IReadOnlyList<string>? Urls { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    public Platform? Platform { get; init; }

    public string? ArtifactType { get; init; }
}

/// <summary>The members of image manifests and of indexes that a registry looks at.</summary>
internal sealed record ManifestModel
{
    public int? SchemaVersion { get; init; }

    public string? MediaType { get; init; }

    public string? ArtifactType { get; init; }

    public ManifestDescriptor? Config { get; init; }

    public IReadOnlyList<ManifestDescriptor>? Layers { get; init; }

    public IReadOnlyList<ManifestDescriptor>? Manifests { get; init; }

    public ManifestDescriptor? Subject { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}

/// <summary>The answer of the referrers API: an image index (distribution-spec, "Listing Referrers").</summary>
internal sealed record ReferrerIndex
{
    public int SchemaVersion { get; init; } = 2;

    public string MediaType { get; init; } = MediaTypes.OciIndex;

    public IReadOnlyList<ManifestDescriptor> Manifests { get; init; } = [];
}
