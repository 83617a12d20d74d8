namespace Wherry.Oci.Images;

/// <summary>Names a blob by digest, size and kind (image-spec, descriptor.md).</summary>
public sealed record Descriptor
{
    public string? MediaType { get; init; }

    /// <summary><c>sha256:</c> and 64 lower-case hexadecimal digits.</summary>
    public required string Digest { get; init; }

    /// <summary>Bytes of the blob as stored.</summary>
    public long Size { get; init; }

    public IReadOnlyList<string>? Urls { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    public Platform? Platform { get; init; }

    public string? ArtifactType { get; init; }
}
