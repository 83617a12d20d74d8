using Wherry.Oci.Images;

namespace Wherry.Images;

/// <summary>An image as the store holds it.</summary>
public sealed record Image
{
    /// <summary>Digest of the configuration: <c>sha256:</c> and 64 hexadecimal digits.</summary>
    public required string Id { get; init; }

    public required ImageConfig Config { get; init; }

    /// <summary>Familiar names, sorted: <c>debian:bookworm</c>.</summary>
    public IReadOnlyList<string> RepoTags { get; init; } = [];

    /// <summary>Familiar names by digest, sorted: <c>debian@sha256:…</c>.</summary>
    public IReadOnlyList<string> RepoDigests { get; init; } = [];

    public DateTimeOffset Created { get; init; }

    /// <summary>Bytes of the regular files of all layers, unpacked.</summary>
    public long Size { get; init; }

    /// <summary>The topmost layer; null for an image without layers.</summary>
    public string? ChainId { get; init; }

    /// <summary>The image this one was committed from, while the store knows it.</summary>
    public string? ParentId { get; init; }

    public required string ManifestDigest { get; init; }

    /// <summary>When a reference last began to name the image.</summary>
    public DateTimeOffset? LastTagged { get; init; }

    /// <summary>No reference names it.</summary>
    public bool IsDangling => RepoTags.Count == 0 && RepoDigests.Count == 0;
}

/// <summary>An image's manifest and what it names, as they lie in the content store.</summary>
/// <param name="MediaType">Of the manifest.</param>
/// <param name="ManifestSize">Bytes of the manifest.</param>
/// <param name="Size">Bytes of manifest, configuration and layers, each counted once.</param>
public sealed record ImageContent(string MediaType, long ManifestSize, long Size);
