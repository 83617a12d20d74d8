using Wherry.Storage.Layers;

namespace Wherry.Images.Content;

/// <summary>
/// Content on its way in. <c>content/ingest/&lt;hex&gt;</c> holds the first bytes of the blob of that digest, in order and
/// without gaps, perhaps all of them: what a broken or cancelled transfer leaves for the next try. It is nobody's
/// content until <see cref="Promote"/> gives it its place among the blobs, which happens when the image that needs it is
/// complete; so nothing half there is ever visible, and whoever collects garbage leaves this directory alone. Partial
/// blobs go by age, and only where nobody holds their digest.
/// </summary>
/// <remarks>
/// A hold on a digest keeps both the blob and its partial from being removed, whether they exist yet or not. Holds live in
/// memory: the engine is the only writer of its data root, and after a restart nobody holds anything.
/// </remarks>
internal sealed partial class BlobStore
{
    /// <summary>How long a partial blob waits for the pull that would go on with it.</summary>
    internal static readonly TimeSpan PartialLifetime = TimeSpan.FromDays(7);

    private readonly string _ingest;
    private readonly Dictionary<string, int> _holds = new(StringComparer.Ordinal);

    /// <summary>Keeps content from being removed until disposed. What was there before the hold may be gone: look after it.</summary>
    internal ContentHold Hold(IReadOnlyCollection<string> digests)
    {
        lock (_holds)
        {
            foreach (var digest in digests)
                _holds[digest] = _holds.GetValueOrDefault(digest) + 1;
        }
        return new ContentHold(this, digests);
    }

    internal string PartialPathOf(string digest) => Path.Combine(_ingest, Digests.Hex(digest));

    /// <summary>Bytes of a blob that have come in so far; 0 where none have.</summary>
    internal long PartialSizeOf(string digest) => new FileInfo(PartialPathOf(digest)) is { Exists: true } file ? file.Length : 0;

    /// <summary>Opens a partial blob to go on with it, or an empty one. The caller holds the digest.</summary>
    internal FileStream OpenPartial(string digest) => new(
        PartialPathOf(digest),
        new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.Read,
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });

    internal void RemovePartial(string digest) => File.Delete(PartialPathOf(digest));

    /// <summary>Makes a complete partial, whose digest the caller has checked, a blob. False where it is neither in one place nor the other.</summary>
    internal bool Promote(string digest)
    {
        try
        {
            File.Move(PartialPathOf(digest), PathOf(digest), overwrite: true);
            return true;
        }
        catch (FileNotFoundException)
        {
            return Contains(digest);
        }
    }

    /// <summary>Opens a whole blob, which may not have its place yet: then the caller knows that it is complete.</summary>
    internal Stream OpenArrived(string digest)
    {
        try
        {
            return OpenRead(digest);
        }
        catch (FileNotFoundException)
        {
            return new FileStream(PartialPathOf(digest), FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        }
    }

    /// <summary>Removes partial blobs that were last written before a time and that nobody holds; returns their bytes.</summary>
    internal long RemovePartials(DateTime before)
    {
        long freed = 0;
        foreach (var file in new DirectoryInfo(_ingest).EnumerateFiles())
        {
            lock (_holds)
            {
                if (!Digests.IsHexDigest(file.Name) || file.LastWriteTimeUtc >= before || _holds.ContainsKey(Digests.FromHex(file.Name)))
                    continue;
                freed += file.Length;
                file.Delete();
            }
        }
        return freed;
    }

    /// <summary>A place for content that only passes through.</summary>
    internal SpooledFile Spool() => new(_ingest);

    internal sealed class ContentHold(BlobStore store, IReadOnlyCollection<string> digests) : IDisposable
    {
        private bool _released;

        public void Dispose()
        {
            lock (store._holds)
            {
                if (_released)
                    return;
                _released = true;
                foreach (var digest in digests)
                {
                    if (--store._holds[digest] == 0)
                        store._holds.Remove(digest);
                }
            }
        }
    }
}
