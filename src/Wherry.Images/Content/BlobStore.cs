using System.Text;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.FileTrees;
using Wherry.Storage.Layers;

namespace Wherry.Images.Content;

/// <summary>
/// Blobs by their digest, below <c>content/blobs/sha256</c> as in an OCI image layout; what is on its way there lies in
/// <c>content/ingest</c>.
/// </summary>
/// <remarks>Thread-safe: a blob appears by one rename and never changes.</remarks>
internal sealed partial class BlobStore
{
    /// <summary>Manifests, indexes and configurations larger than this are refused, as registries refuse them.</summary>
    internal const int LargestDocument = 8 << 20;

    private readonly string _root;

    private BlobStore(string root, string ingest)
    {
        _root = root;
        _ingest = ingest;
    }

    internal static BlobStore Open(string dataRoot)
    {
        var store = new BlobStore(Path.Combine(dataRoot, "content", "blobs", "sha256"), Path.Combine(dataRoot, "content", "ingest"));
        Directory.CreateDirectory(store._root);
        Directory.CreateDirectory(store._ingest);
        // Layers' archives hold what only the container's root may read.
        using (var content = FileTree.OpenDirectory(Path.Combine(dataRoot, "content")))
            _ = FileTree.SetMode(content, 0x1C0);
        DurableFile.RemoveLeftovers(store._root);
        DurableFile.RemoveLeftovers(store._ingest);
        store.RemovePartials(DateTime.UtcNow - PartialLifetime);
        store.RemoveOldPackings();
        return store;
    }

    internal string PathOf(string digest) => Path.Combine(_root, Digests.Hex(digest));

    internal bool Contains(string digest) => File.Exists(PathOf(digest));

    /// <summary>Bytes of a blob; null where there is none.</summary>
    internal long? TrySizeOf(string digest) => new FileInfo(PathOf(digest)) is { Exists: true } file ? file.Length : null;

    internal long SizeOf(string digest) => new FileInfo(PathOf(digest)).Length;

    /// <summary>A document's bytes, checked against their digest.</summary>
    internal byte[] ReadDocument(string digest)
    {
        var path = PathOf(digest);
        if (!File.Exists(path))
            throw WherryException.System($"content {digest} is missing from the store");
        var content = File.ReadAllBytes(path);
        return Digests.Of(content) == digest ? content : throw WherryException.System($"content {digest} is damaged: its bytes have another digest");
    }

    /// <summary>Stores a document durably and returns its digest.</summary>
    internal string PutDocument(ReadOnlySpan<byte> content)
    {
        var digest = Digests.Of(content);
        if (!Contains(digest))
            DurableFile.Write(PathOf(digest), content);
        return digest;
    }

    internal Stream OpenRead(string digest) =>
        new FileStream(PathOf(digest), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);

    internal BlobWriter Create() => new(_root);

    /// <summary>Removes every blob that nobody holds and for which <paramref name="isReferenced"/> is false.</summary>
    internal void RemoveUnreferenced(Func<string, bool> isReferenced)
    {
        foreach (var file in Directory.EnumerateFiles(_root))
        {
            var name = Path.GetFileName(file);
            if (!Digests.IsHexDigest(name) || isReferenced(Digests.FromHex(name)))
                continue;
            lock (_holds)
            {
                if (!_holds.ContainsKey(Digests.FromHex(name)))
                    File.Delete(file);
            }
        }
    }
}

/// <summary>A blob being written and hashed. Disposing without <see cref="Commit"/> leaves nothing.</summary>
internal sealed class BlobWriter : IDisposable
{
    private readonly FileDescriptor _directory;
    private readonly byte[] _temporary = Encoding.ASCII.GetBytes($"{DurableFile.TemporaryPrefix}{Guid.NewGuid():N}");
    private readonly FileDescriptor _file;
    private readonly System.Security.Cryptography.IncrementalHash _hash =
        System.Security.Cryptography.IncrementalHash.CreateHash(System.Security.Cryptography.HashAlgorithmName.SHA256);

    private bool _committed;

    internal BlobWriter(string root)
    {
        _directory = FileTree.OpenDirectory(root);
        var errno = FileTree.OpenName(_directory, _temporary, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive, 0x180, out _file);
        if (errno == 0)
            return;
        _directory.Dispose();
        throw new LinuxException("store content", errno);
    }

    /// <summary>Bytes written.</summary>
    internal long Size { get; private set; }

    internal void Write(ReadOnlySpan<byte> data)
    {
        Check(FileTree.WriteAll(_file, data));
        _hash.AppendData(data);
        Size += data.Length;
    }

    /// <summary>Gives the blob its name and returns its digest. A blob already there stays.</summary>
    internal string Commit()
    {
        var hash = _hash.GetHashAndReset();
        Check(FileTree.Rename(_directory, _temporary, _directory, Encoding.ASCII.GetBytes(Convert.ToHexStringLower(hash))));
        _committed = true;
        return Digests.FromHash(hash);
    }

    public void Dispose()
    {
        if (!_committed)
            _ = FileTree.Unlink(_directory, _temporary, isDirectory: false);
        _file.Dispose();
        _directory.Dispose();
        _hash.Dispose();
    }

    private static void Check(int errno)
    {
        if (errno != 0)
            throw new LinuxException("store content", errno);
    }
}
