namespace Wherry.Oci.Images;

/// <summary>One image: its configuration and its layers, lowest first (image-spec, manifest.md).</summary>
public sealed record Manifest
{
    public int SchemaVersion { get; init; } = 2;

    public string? MediaType { get; init; }

    public string? ArtifactType { get; init; }

    public required Descriptor Config { get; init; }

    public IReadOnlyList<Descriptor> Layers { get => field ?? []; init; } = [];

    /// <summary>The manifest this one is about: a signature's image, say.</summary>
    public Descriptor? Subject { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}
