using Wherry.Registry.Names;

namespace Wherry.Registry.Proxy;

/// <summary>Another registry, as a pull-through cache needs it.</summary>
public interface IUpstream
{
    /// <summary>The digest a reference stands for there now; null where it stands for nothing.</summary>
    /// <exception cref="UpstreamException">It can't be asked.</exception>
    Task<ContentDigest?> ResolveAsync(string repository, ManifestReference reference, CancellationToken cancel);

    /// <summary>A manifest; null where there is none.</summary>
    /// <exception cref="UpstreamException">It can't be asked.</exception>
    Task<StoredManifest?> FetchManifestAsync(string repository, ManifestReference reference, CancellationToken cancel);

    /// <summary>A blob's bytes as they come; null where there is none. The caller disposes it.</summary>
    /// <exception cref="UpstreamException">It can't be asked.</exception>
    Task<UpstreamBlob?> OpenBlobAsync(string repository, ContentDigest digest, CancellationToken cancel);

    /// <summary>A JSON document below a repository (<c>tags/list</c>, <c>referrers/DIGEST</c>), whole; null where there is none.</summary>
    /// <exception cref="UpstreamException">It can't be asked.</exception>
    Task<byte[]?> FetchListAsync(string repository, string path, CancellationToken cancel);
}

/// <param name="Length">Bytes, as declared.</param>
/// <param name="Content">Not verified.</param>
/// <param name="Owner">What the content comes from.</param>
public sealed record UpstreamBlob(long Length, Stream Content, IDisposable Owner) : IDisposable
{
    public void Dispose()
    {
        Content.Dispose();
        Owner.Dispose();
    }
}

/// <summary>The other registry doesn't answer, or not as it should: what is kept may still be given out.</summary>
public sealed class UpstreamException(string message, Exception? inner = null) : Exception(message, inner);
