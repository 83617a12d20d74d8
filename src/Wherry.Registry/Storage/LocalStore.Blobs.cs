using Wherry.Linux.Inodes;
using Wherry.Registry.Names;

namespace Wherry.Registry.Storage;

/// <summary>Blobs coming in and going.</summary>
public sealed partial class LocalStore
{
    private readonly Lock[] _quotaLocks = Enumerable.Range(0, 64).Select(_ => new Lock()).ToArray();

    /// <summary>Opens an upload.</summary>
    /// <param name="algorithm">Of the digest it is expected to be closed with.</param>
    public Upload BeginUpload(string repository, string algorithm = ContentDigest.Sha256)
    {
        if (QuotaOf(repository) is { } quota && UsageOf(repository) >= quota)
        {
            throw OverQuota(repository, quota);
        }

        return _uploads.Begin(repository, algorithm);
    }

    /// <summary>Runs one request's work on an upload, alone.</summary>
    public Task<T> WithUploadAsync<T>(string repository, string id, Func<Upload, Task<T>> work, CancellationToken cancel) =>
        _uploads.WithAsync(repository, id, work, cancel);

    /// <summary>Appends a body to an upload whose turn the caller has. A full disk or quota ends the upload.</summary>
    public async Task AppendAsync(Upload upload, Stream body, Action<int> onBytes, CancellationToken cancel)
    {
        var quota = QuotaOf(upload.Repository);
        var room = quota is { } bytes ? Math.Max(0, bytes - UsageOf(upload.Repository)) : long.MaxValue;
        try
        {
            if (await upload.AppendAsync(body, Math.Min(room, _options.LargestBlob), onBytes, cancel).ConfigureAwait(false))
            {
                return;
            }
        }
        catch (IOException full) when (DiskFull.Is(full))
        {
            _uploads.End(upload);
            throw DiskFull.Failure(full);
        }

        _uploads.End(upload);
        throw room <= _options.LargestBlob
            ? OverQuota(upload.Repository, quota ?? 0)
            : new RegistryException(413, ErrorCode.SizeInvalid, $"the blob is larger than {_options.LargestBlob} bytes, which is the most this registry takes");
    }

    /// <summary>Makes an upload a blob of its repository. Ends the upload, whether it succeeds or not.</summary>
    /// <exception cref="RegistryException">The content has another digest, or is too much for the repository.</exception>
    public void Commit(Upload upload, ContentDigest expected)
    {
        try
        {
            var actual = upload.Digest(expected.Algorithm);
            if (actual != expected)
            {
                throw RegistryException.DigestInvalid($"the content has the digest {actual}, not {expected}", expected.ToString());
            }

            upload.Flush();
            WithinQuota(upload.Repository, upload.Length, expected, () => Change(() =>
            {
                Publish(upload.Path, expected);
                Layout.Repository(upload.Repository).LinkLayer(expected);
                return true;
            }));
        }
        catch (IOException full) when (DiskFull.Is(full))
        {
            throw DiskFull.Failure(full);
        }
        catch (Linux.LinuxException full) when (full.ErrorNumber is DiskFull.NoSpace or DiskFull.OverDiskQuota)
        {
            throw DiskFull.Failure(full);
        }
        finally
        {
            _uploads.End(upload);
        }
    }

    /// <summary>Gives up an upload.</summary>
    public void Abandon(Upload upload) => _uploads.End(upload);

    /// <summary>Gives up the uploads that nobody continues; returns how many.</summary>
    public int ExpireUploads() => _uploads.Expire();

    /// <summary>Links a blob of one repository into another; false where the first has no such blob.</summary>
    public bool Mount(string from, string repository, ContentDigest digest)
    {
        if (!Layout.Repository(from).HasLayer(digest))
        {
            return false;
        }

        var mounted = false;
        WithinQuota(repository, SizeOf(digest) ?? 0, digest, () => mounted = Change(() =>
        {
            if (!RepositoryLinks.TryTouch(Layout.Blob(digest)))
            {
                return false;
            }

            Layout.Repository(repository).LinkLayer(digest);
            return true;
        }));
        return mounted;
    }

    /// <summary>Takes a blob out of a repository; false where it has none. The content goes with the next collection.</summary>
    public bool DeleteBlob(string repository, ContentDigest digest) => Change(() => Layout.Repository(repository).UnlinkLayer(digest));

    /// <summary>Gives content its name, durably. The caller is within <see cref="Change"/>.</summary>
    private void Publish(string file, ContentDigest digest)
    {
        var path = Layout.Blob(digest);
        if (RepositoryLinks.TryTouch(path))
        {
            return; // somebody else brought the same bytes
        }

        // A fresh time, so that a collection that looked before this link was made leaves it alone.
        RepositoryLinks.TryTouch(file);
        File.Move(file, path, overwrite: true);
        DirectorySync.Flush(Layout.BlobFolder(digest.Algorithm));
    }

    /// <summary>Does what adds content to a repository, if there is room for it.</summary>
    private void WithinQuota(string repository, long bytes, ContentDigest digest, Action add)
    {
        if (QuotaOf(repository) is not { } quota)
        {
            add();
            return;
        }

        lock (_quotaLocks[(uint)string.GetHashCode(repository, StringComparison.Ordinal) % (uint)_quotaLocks.Length])
        {
            var links = Layout.Repository(repository);
            var isNew = !links.HasLayer(digest) && !links.HasManifest(digest);
            if (isNew && UsageOf(repository) + bytes > quota)
            {
                throw OverQuota(repository, quota);
            }

            add();
        }
    }

    private static RegistryException OverQuota(string repository, long quota) =>
        new(403, ErrorCode.Denied, $"the repository's quota of {quota} bytes is exceeded: delete tags or manifests, or ask for more", repository);
}
