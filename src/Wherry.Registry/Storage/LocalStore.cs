using Wherry.Errors;
using Wherry.Linux.Locks;
using Wherry.Registry.Manifests;
using Wherry.Registry.Names;
using Wherry.Storage.Layers;

namespace Wherry.Registry.Storage;

/// <summary>A registry's own root: content addressed by digest, and each repository's links to it.</summary>
/// <remarks>
/// Thread-safe. Everything becomes visible by one rename, content before the links to it and tags last, so that a
/// crash leaves at most content nobody links to, which the next collection removes. Changes hold <see cref="Changes"/>
/// for reading while they look at content and link it; the collector holds it for writing while it looks again and
/// removes, so that neither sees the other's work half done. It is held across the disk's waits but never across the
/// network's.
/// </remarks>
public sealed partial class LocalStore : IRegistryContent, IDisposable
{
    private readonly FileLock _lock;
    private readonly StoreOptions _options;
    private readonly UploadTable _uploads;

    private LocalStore(StoreOptions options, StoreLayout layout, FileLock held)
    {
        _options = options;
        _lock = held;
        Layout = layout;
        _uploads = new UploadTable(layout, options);
    }

    /// <summary>Uploads that are open.</summary>
    public int OpenUploads => _uploads.Count;

    internal StoreLayout Layout { get; }

    internal ReaderWriterLockSlim Changes { get; } = new(LockRecursionPolicy.NoRecursion);

    /// <summary>Opens the root, makes it where it is missing, and reclaims what a crash left unfinished.</summary>
    /// <exception cref="WherryException">Another registry uses it, or it can't be made.</exception>
    public static LocalStore Open(StoreOptions options)
    {
        var layout = new StoreLayout(Path.GetFullPath(options.Root));
        try
        {
            Directory.CreateDirectory(layout.Root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            Directory.CreateDirectory(layout.Uploads);
            Directory.CreateDirectory(layout.Repositories);
            foreach (var algorithm in ContentDigest.Algorithms)
            {
                Directory.CreateDirectory(layout.BlobFolder(algorithm));
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw WherryException.System($"make registry root {layout.Root}: {failure.Message}", failure);
        }

        var held = FileLock.TryTake(Path.Combine(layout.Root, "registry.lock"))
            ?? throw WherryException.Conflict($"another registry uses {layout.Root}: stop it, or give this one its own --root");
        foreach (var left in Directory.EnumerateFiles(layout.Uploads))
        {
            File.Delete(left);
        }

        foreach (var algorithm in ContentDigest.Algorithms)
        {
            DurableFile.RemoveLeftovers(layout.BlobFolder(algorithm));
        }

        return new LocalStore(options, layout, held);
    }

    public ValueTask<BlobContent?> OpenBlobAsync(string repository, ContentDigest digest, bool willPush, CancellationToken cancel)
    {
        var links = Layout.Repository(repository);
        if (willPush)
        {
            var found = Change(() => RepositoryLinks.TryTouch(links.LayerPath(digest)));
            return ValueTask.FromResult<BlobContent?>(found || links.HasManifest(digest) ? FileBlob.TryOpen(Layout.Blob(digest)) : null);
        }

        // Manifests are content as well and may be had as blobs, as Docker's registry gives them.
        return ValueTask.FromResult<BlobContent?>(links.HasLayer(digest) || links.HasManifest(digest) ? FileBlob.TryOpen(Layout.Blob(digest)) : null);
    }

    public ValueTask<StoredManifest?> FindManifestAsync(string repository, ManifestReference reference, CancellationToken cancel) =>
        ValueTask.FromResult(FindManifest(repository, reference));

    public ValueTask<IReadOnlyList<string>?> TagsAsync(string repository, CancellationToken cancel)
    {
        var links = Layout.Repository(repository);
        return ValueTask.FromResult<IReadOnlyList<string>?>(links.Exists ? links.Tags() : null);
    }

    public ValueTask<IReadOnlyList<string>> RepositoriesAsync(CancellationToken cancel) =>
        ValueTask.FromResult<IReadOnlyList<string>>(Layout.AllRepositories());

    public ValueTask<IReadOnlyList<ManifestDescriptor>> ReferrersAsync(string repository, ContentDigest subject, CancellationToken cancel) =>
        ValueTask.FromResult<IReadOnlyList<ManifestDescriptor>>(Layout.Repository(repository).Referrers(subject));

    /// <summary>Bytes of the distinct blobs and manifests a repository links to.</summary>
    public long UsageOf(string repository)
    {
        var links = Layout.Repository(repository);
        return links.Layers().Concat(links.Manifests()).Distinct().Sum(digest => SizeOf(digest) ?? 0);
    }

    /// <summary>Bytes the repository may hold; null for no bound.</summary>
    public long? QuotaOf(string repository) => _options.Quotas.FirstOrDefault(rule => rule.Repositories.Matches(repository))?.Bytes;

    public void Dispose()
    {
        _uploads.Dispose();
        _lock.Dispose();
        Changes.Dispose();
    }

    internal StoredManifest? FindManifest(string repository, ManifestReference reference)
    {
        var links = Layout.Repository(repository);
        var digest = reference.Digest ?? (reference.Tag is { } tag ? links.ResolveTag(tag) : null);
        if (digest is not { } found || links.MediaTypeOf(found) is not { } mediaType)
        {
            return null;
        }

        try
        {
            return new StoredManifest(found, mediaType, File.ReadAllBytes(Layout.Blob(found)));
        }
        catch (FileNotFoundException)
        {
            return null; // removed at this moment
        }
    }

    /// <summary>Bytes of a blob; null where there is none.</summary>
    internal long? SizeOf(ContentDigest digest) => new FileInfo(Layout.Blob(digest)) is { Exists: true } file ? file.Length : null;

    /// <summary>Does what looks at content and links to it, apart from the collector.</summary>
    private T Change<T>(Func<T> work)
    {
        Changes.EnterReadLock();
        try
        {
            return work();
        }
        finally
        {
            Changes.ExitReadLock();
        }
    }
}
