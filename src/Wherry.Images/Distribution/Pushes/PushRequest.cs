using Wherry.Oci.Images;

namespace Wherry.Images.Distribution.Pushes;

/// <summary>What to push.</summary>
public sealed record PushRequest
{
    /// <summary>A name, with a tag; without one all tags the repository has here.</summary>
    public required string Reference { get; init; }

    /// <summary>Null compresses with gzip what is not compressed, and sends the rest as it is.</summary>
    public LayerCompression? Compression { get; init; }

    /// <summary>The image must be for this platform; null does not care.</summary>
    public Platform? Platform { get; init; }

    public RegistryCredentials? Credentials { get; init; }
}

/// <summary>How layers are to be compressed at the registry.</summary>
public enum LayerCompression
{
    Gzip,
    Zstd,
}

/// <summary>An image that is at the registry now.</summary>
/// <param name="Tag">Under this tag.</param>
/// <param name="Digest">With this manifest.</param>
/// <param name="Size">Bytes of the manifest.</param>
public sealed record PushedImage(string Tag, string Digest, long Size);
