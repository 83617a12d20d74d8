using System.Runtime.ExceptionServices;
using Wherry.Storage.Archives;
using Wherry.Storage.Compression;
using Wherry.Storage.Layers;
using Wherry.Storage.Pipelines;

namespace Wherry.Images.Content;

/// <summary>A layer that has come in: its archive is a blob, its files are unpacked and wait for their place.</summary>
internal sealed class LayerArrival : IDisposable
{
    internal required string BlobDigest { get; init; }

    internal required long BlobSize { get; init; }

    internal required string DiffId { get; init; }

    internal required CompressionKind Compression { get; init; }

    /// <summary>The unpacked files; null when they have been given a place, or were in the store before.</summary>
    internal StagedLayer? Staged { get; set; }

    public void Dispose() => Staged?.Dispose();
}

/// <summary>
/// Takes a layer's archive in one pass: stored and hashed on one thread, inflated and unpacked on another, while the
/// caller's reads or makes the next bytes.
/// </summary>
internal sealed class LayerIntake(BlobStore blobs, LayerStore layers, StoreSync sync)
{
    /// <param name="feed">Writes the archive, compressed or not.</param>
    /// <param name="end">Whether a missing end mark is an error.</param>
    /// <param name="cancel">Ends the work early.</param>
    internal LayerArrival Take(Action<Stream> feed, TarEnd end, CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var toBlob = new ChunkQueue(stop.Token);
        var toTree = new ChunkQueue(stop.Token);
        var staged = layers.Stage();
        try
        {
            var blob = ThreadBridge.OnThread(() => Store(toBlob));
            var tree = ThreadBridge.OnThread(() =>
            {
                using var input = new ChunkReadStream(toTree);
                staged.Unpack(input, () => blob.GetAwaiter().GetResult().Digest, end, stop.Token);
                return true;
            });
            var failure = Feed(feed, toBlob, toTree);
            failure = Prefer(failure, Outcome(tree));
            failure = Prefer(failure, Outcome(blob));
            if (failure is not null)
                ExceptionDispatchInfo.Throw(failure);
            var (digest, size) = blob.GetAwaiter().GetResult();
            return new LayerArrival { BlobDigest = digest, BlobSize = size, DiffId = staged.DiffId, Compression = staged.Compression, Staged = staged };
        }
        catch
        {
            staged.Dispose();
            throw;
        }
    }

    /// <summary>Unpacks a layer whose archive is a blob already.</summary>
    internal StagedLayer Unpack(string blobDigest, CancellationToken cancel)
    {
        var staged = layers.Stage();
        try
        {
            using var archive = blobs.OpenArrived(blobDigest);
            staged.Unpack(archive, () => blobDigest, TarEnd.Optional, cancel);
            return staged;
        }
        catch
        {
            staged.Dispose();
            throw;
        }
    }

    private (string Digest, long Size) Store(ChunkQueue queue)
    {
        try
        {
            using var writer = blobs.Create();
            while (queue.Read() is { } chunk)
            {
                try
                {
                    writer.Write(chunk.Content);
                    sync.Wrote(chunk.Length);
                }
                finally
                {
                    chunk.Release();
                }
            }
            return (writer.Commit(), writer.Size);
        }
        catch
        {
            queue.Abandon();
            throw;
        }
    }

    private static Exception? Feed(Action<Stream> feed, params ChunkQueue[] queues)
    {
        using var output = new ChunkWriteStream(queues);
        try
        {
            feed(output);
            output.Complete();
            return null;
        }
        catch (Exception failure)
        {
            return failure;
        }
    }

    private static Exception? Outcome(Task task)
    {
        try
        {
            task.GetAwaiter().GetResult();
            return null;
        }
        catch (Exception failure)
        {
            return failure;
        }
    }

    /// <summary>Of two failures the one that is a cause, not an echo of the other.</summary>
    private static Exception? Prefer(Exception? first, Exception? second) =>
        first is null or ConsumerFailedException or ProducerFailedException ? second ?? first : first;
}
