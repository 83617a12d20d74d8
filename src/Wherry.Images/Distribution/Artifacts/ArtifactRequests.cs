namespace Wherry.Images.Distribution.Artifacts;

/// <summary>What to push as an artifact (image-spec, manifest.md, "Guidelines for Artifact Usage").</summary>
public sealed record ArtifactPushRequest
{
    /// <summary>
    /// A name; without a tag it is <c>latest</c>, or where there is a subject the artifact is known by its digest alone.
    /// </summary>
    public required string Reference { get; init; }

    /// <summary>A media type that says what the artifact is.</summary>
    public string ArtifactType { get; init; } = DefaultType;

    /// <summary>Tag or digest, in the same repository, of what the artifact is about; null for an artifact of its own.</summary>
    public string? Subject { get; init; }

    /// <summary>Media types of files by their names; the rest is <c>application/octet-stream</c>.</summary>
    public IReadOnlyDictionary<string, string> FileTypes { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public RegistryCredentials? Credentials { get; init; }

    /// <summary>What tools that know artifacts call one of which nobody said what it is.</summary>
    public const string DefaultType = "application/vnd.unknown.artifact.v1";
}

/// <summary>An artifact that is at the registry now.</summary>
/// <param name="Name">By tag, or by digest where it has none.</param>
/// <param name="Digest">Of its manifest.</param>
/// <param name="Size">Bytes of the manifest.</param>
public sealed record PushedArtifact(string Name, string Digest, long Size);
