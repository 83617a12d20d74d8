namespace Wherry.Oci.Images;

/// <summary>A list of manifests, or of further indexes (image-spec, image-index.md).</summary>
public sealed record ImageIndex
{
    public int SchemaVersion { get; init; } = 2;

    public string? MediaType { get; init; }

    public IReadOnlyList<Descriptor> Manifests { get => field ?? []; init; } = [];

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}

/// <summary>The file <c>oci-layout</c> that marks an image layout (image-spec, image-layout.md).</summary>
public sealed record ImageLayout
{
    public string ImageLayoutVersion { get; init; } = "1.0.0";
}
