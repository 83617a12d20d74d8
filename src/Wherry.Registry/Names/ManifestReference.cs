namespace Wherry.Registry.Names;

/// <summary>How a request names a manifest: by tag or by digest.</summary>
public readonly record struct ManifestReference
{
    private ManifestReference(string? tag, ContentDigest? digest)
    {
        Tag = tag;
        Digest = digest;
    }

    public string? Tag { get; }

    public ContentDigest? Digest { get; }

    public static ManifestReference To(ContentDigest digest) => new(null, digest);

    public static ManifestReference ToTag(string tag) => new(tag, null);

    /// <summary>Null where the text can be neither.</summary>
    public static ManifestReference? TryParse(string text) =>
        ContentDigest.TryParse(text, out var digest) ? new ManifestReference(null, digest)
        : TagName.IsValid(text) ? new ManifestReference(text, null)
        : null;

    public override string ToString() => Tag ?? Digest?.ToString() ?? "";
}
