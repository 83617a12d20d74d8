using Wherry.Registry.Names;

namespace Wherry.Registry;

/// <summary>
/// What a registry has to give: read by the HTTP layer and the pages. Three things can stand behind it: a root of its
/// own, the engine's images, or another registry whose content is kept on the way.
/// </summary>
/// <remarks>Names and digests are checked by the caller.</remarks>
public interface IRegistryContent
{
    /// <summary>A blob of a repository; null where the repository has none of this digest. The caller disposes it.</summary>
    /// <param name="willPush">A client asks in order to refer to it: it has to stay until the manifest comes.</param>
    ValueTask<BlobContent?> OpenBlobAsync(string repository, ContentDigest digest, bool willPush, CancellationToken cancel);

    /// <summary>A manifest of a repository; null where there is none.</summary>
    ValueTask<StoredManifest?> FindManifestAsync(string repository, ManifestReference reference, CancellationToken cancel);

    /// <summary>A repository's tags in ordinal order; null where there is no such repository.</summary>
    ValueTask<IReadOnlyList<string>?> TagsAsync(string repository, CancellationToken cancel);

    /// <summary>The names of all repositories, in ordinal order.</summary>
    ValueTask<IReadOnlyList<string>> RepositoriesAsync(CancellationToken cancel);

    /// <summary>The manifests whose subject has this digest, ordered by digest; empty where there are none.</summary>
    ValueTask<IReadOnlyList<Manifests.ManifestDescriptor>> ReferrersAsync(string repository, ContentDigest subject, CancellationToken cancel);
}

/// <summary>A manifest as it was pushed, byte for byte.</summary>
/// <param name="Digest">Of the bytes, in the algorithm it was pushed or asked by.</param>
/// <param name="MediaType">The Content-Type it was pushed with.</param>
/// <param name="Content">At most 4 MiB.</param>
public sealed record StoredManifest(ContentDigest Digest, string MediaType, ReadOnlyMemory<byte> Content);

/// <summary>A blob's bytes, at any offset.</summary>
public abstract class BlobContent : IAsyncDisposable
{
    /// <summary>Bytes.</summary>
    public abstract long Length { get; }

    /// <summary>Reads at least one byte unless <paramref name="offset"/> is at the end; waits for bytes that are still on their way.</summary>
    public abstract ValueTask<int> ReadAsync(Memory<byte> buffer, long offset, CancellationToken cancel);

    public abstract ValueTask DisposeAsync();
}
