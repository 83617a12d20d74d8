using System.Security.Cryptography;
using Wherry.Linux.FileTrees;
using Wherry.Storage.Archives;
using Wherry.Storage.Compression;
using Wherry.Storage.Pipelines;
using Wherry.Storage.Trees;

namespace Wherry.Storage.Layers;

/// <summary>
/// A layer being unpacked, before it is known what it stands on. <see cref="LayerStore.Commit"/> makes it a layer;
/// disposing removes what is left.
/// </summary>
public sealed class StagedLayer : IDisposable
{
    internal StagedLayer(string directory)
    {
        Directory = directory;
        System.IO.Directory.CreateDirectory(Diff);
    }

    /// <summary>Digest of the uncompressed archive; set by <see cref="Unpack"/>.</summary>
    public string DiffId { get; private set; } = "";

    public CompressionKind Compression { get; private set; }

    /// <summary>Bytes of the regular files.</summary>
    public long Size { get; private set; }

    /// <summary>Bytes an archive may have once it is inflated: what compresses a thousandfold is meant to fill the disk.</summary>
    public long LargestPlainSize { get; set; } = long.MaxValue;

    internal string Directory { get; }

    internal string Diff => Path.Combine(Directory, "diff");

    internal IReadOnlyList<byte[]> ImpliedDirectories { get; private set; } = [];

    public void Dispose()
    {
        if (System.IO.Directory.Exists(Directory))
            FileTree.RemoveTree(Directory);
    }

    /// <summary>Unpacks a layer's archive, compressed or not, while hashing it. Blocks; for a thread of its own.</summary>
    /// <param name="archive">Read to its end, not disposed.</param>
    /// <param name="plainDigest">The archive's digest where someone else hashes the same bytes: asked for after the end, and only when it is not compressed.</param>
    /// <param name="end">Whether a missing end mark is an error.</param>
    /// <param name="cancel">Checked between members.</param>
    public void Unpack(Stream archive, Func<string>? plainDigest, TarEnd end, CancellationToken cancel)
    {
        var plain = CompressedArchive.OpenRead(archive, out var kind);
        Compression = kind;
        if (kind == CompressionKind.None && plainDigest is not null)
        {
            Extract(plain, end, cancel);
            DiffId = plainDigest();
            return;
        }
        using (plain)
            DiffId = ExtractAndHash(plain, end, cancel);
    }

    private string ExtractAndHash(Stream plain, TarEnd end, CancellationToken cancel)
    {
        // Inflating and hashing on this thread, files on another: both are about as long.
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var queue = new ChunkQueue(failed.Token);
        var files = ThreadBridge.OnThread(() =>
        {
            using var reader = new ChunkReadStream(queue);
            Extract(reader, end, failed.Token);
            return true;
        });
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long inflated = 0;
        Exception? own = null;
        try
        {
            while (true)
            {
                var chunk = new Chunk();
                chunk.Length = plain.ReadAtLeast(chunk.Buffer.AsSpan(0, Chunk.Capacity), Chunk.Capacity, throwOnEndOfStream: false);
                if (chunk.Length == 0)
                {
                    chunk.Release();
                    queue.Complete();
                    break;
                }
                inflated += chunk.Length;
                if (inflated > LargestPlainSize)
                {
                    chunk.Release();
                    throw new TarFormatException($"the archive inflates to more than {LargestPlainSize} bytes, which its compressed size does not account for");
                }
                hash.AppendData(chunk.Content);
                if (!queue.Write(chunk))
                    break;
            }
        }
        catch (Exception failure)
        {
            own = failure;
            queue.Complete(new ProducerFailedException());
        }
        try
        {
            files.GetAwaiter().GetResult();
        }
        catch (ProducerFailedException) when (own is not null)
        {
        }
        if (own is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(own);
        return Digests.FromHash(hash.GetHashAndReset());
    }

    private void Extract(Stream plain, TarEnd end, CancellationToken cancel)
    {
        using var reader = new TarReader(plain, end);
        using var tree = new TreeExtractor(Diff);
        tree.Extract(reader, cancel);
        Size = tree.Size;
        ImpliedDirectories = tree.ImpliedDirectories;
    }
}
