namespace Wherry.Images.Distribution.Indexes;

/// <summary>An index to be made at a registry (image-spec, image-index.md).</summary>
public sealed record IndexRequest
{
    /// <summary>The index's name; <c>latest</c> without a tag.</summary>
    public required string Reference { get; init; }

    /// <summary>Images at their registries, for one platform each; or indexes, of which all images are taken.</summary>
    public required IReadOnlyList<string> Sources { get; init; }

    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>For the index's registry, and for every source at that registry.</summary>
    public RegistryCredentials? Credentials { get; init; }
}
