using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Storage.Archives;
using Wherry.Storage.Layers;
using Wherry.Storage.Pipelines;

namespace Wherry.Images.Content;

/// <summary>A layer's bytes, to be stored and unpacked at once.</summary>
internal sealed class LayerInput(long size, ChunkQueue toBlob, ChunkQueue toTree) : BlobInput(size)
{
    private bool _treeWants = true;

    protected override async ValueTask TakeAsync(Chunk chunk)
    {
        chunk.AddHolders(1);
        var stored = await toBlob.WriteAsync(chunk);
        // A tree that can't be unpacked does not end the transfer: only the digest tells whether the bytes were damaged
        // on their way or the layer was never one.
        if (_treeWants)
            _treeWants = await toTree.WriteAsync(chunk);
        else
            chunk.Release();
        if (!stored)
            throw new ConsumerFailedException();
    }
}

/// <summary>The bytes that arrived are not those that were asked for. What had come in is removed.</summary>
internal sealed class DigestMismatchException(string expected, string actual) : WherryException(
    ErrorKind.System,
    $"layer verification failed for digest {expected}: what came has the digest {actual}");

/// <summary>
/// Receives a layer's archive of known digest and size, from where an earlier try left off: one thread stores and hashes
/// it, two more inflate and unpack it, while the next bytes come in. The archive stays a partial blob (complete and
/// verified) until its image is; its files wait in a staged layer.
/// </summary>
internal sealed class LayerReceiver(BlobStore blobs, LayerStore layers, StoreSync sync)
{
    /// <summary>Output that needs no excuse.</summary>
    internal const long UnquestionedPlainSize = 1L << 30;

    /// <summary>How many times its size a larger layer may inflate to.</summary>
    internal const long LargestExpansion = 200;

    /// <param name="digest">Of the archive. The caller holds it.</param>
    /// <param name="size">Bytes of the archive.</param>
    /// <param name="source">Writes the bytes from <see cref="BlobInput.Position"/> on.</param>
    /// <param name="cancel">Ends the work early and leaves what has come in for the next try.</param>
    internal async Task<LayerArrival> ReceiveAsync(string digest, long size, Func<LayerInput, CancellationToken, Task> source, CancellationToken cancel)
    {
        // Not cancelled with the rest: what has come in is written.
        var toBlob = new ChunkQueue(CancellationToken.None);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var toTree = new ChunkQueue(stop.Token);
        var input = new LayerInput(size, toBlob, toTree);
        var staged = layers.Stage();
        staged.LargestPlainSize = Math.Max(UnquestionedPlainSize, size * LargestExpansion);
        try
        {
            var have = blobs.PartialSizeOf(digest);
            if (have > size)
            {
                blobs.RemovePartial(digest);
                have = 0;
            }
            var blob = ThreadBridge.OnThread(() => Append(digest, have, toBlob));
            var tree = ThreadBridge.OnThread(() =>
            {
                using var archive = new ChunkReadStream(toTree);
                staged.Unpack(archive, () => blob.GetAwaiter().GetResult(), TarEnd.Optional, stop.Token);
                return true;
            });
            var failure = await OutcomeAsync(FeedAsync(digest, have, input, source, cancel));
            toBlob.Complete(failure is null ? null : new ProducerFailedException());
            toTree.Complete(failure is null ? null : new ProducerFailedException());
            failure = Prefer(failure, await OutcomeAsync(blob));
            if (failure is null && await blob is var actual && actual != digest)
                failure = new DigestMismatchException(digest, actual);
            if (failure is not null)
                await stop.CancelAsync();
            failure = Prefer(failure, await OutcomeAsync(tree));
            // On a full disk what is there already helps nobody: the next try needs the room.
            if (failure is DigestMismatchException or TarFormatException or LinuxException { ErrorNumber: Errno.ENOSPC or Errno.EDQUOT })
                blobs.RemovePartial(digest);
            if (failure is not null)
                ExceptionDispatchInfo.Throw(failure);
            return new LayerArrival { BlobDigest = digest, BlobSize = size, DiffId = staged.DiffId, Compression = staged.Compression, Staged = staged };
        }
        catch
        {
            staged.Dispose();
            throw;
        }
    }

    /// <summary>What an earlier try left comes first, read back from the disk; the rest from the source.</summary>
    private async Task FeedAsync(string digest, long have, LayerInput input, Func<LayerInput, CancellationToken, Task> source, CancellationToken cancel)
    {
        if (have > 0)
        {
            using var partial = blobs.OpenArrived(digest);
            while (input.Position < have)
            {
                var chunk = new Chunk();
                try
                {
                    var wanted = (int)Math.Min(Chunk.Capacity, have - input.Position);
                    chunk.Length = await partial.ReadAtLeastAsync(chunk.Buffer.AsMemory(0, wanted), wanted, throwOnEndOfStream: true, cancel);
                }
                catch
                {
                    chunk.Release();
                    throw;
                }
                await input.WriteAsync(chunk);
            }
        }
        if (input.Position < input.Size)
            await source(input, cancel);
        if (input.Position < input.Size)
            throw WherryException.System($"only {input.Position} of {input.Size} bytes came");
    }

    private string Append(string digest, long have, ChunkQueue queue)
    {
        try
        {
            using var file = blobs.OpenPartial(digest);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            file.Position = have;
            long position = 0;
            while (queue.Read() is { } chunk)
            {
                try
                {
                    hash.AppendData(chunk.Content);
                    position += chunk.Length;
                    if (position > have)
                        file.Write(chunk.Content[(int)Math.Max(0, chunk.Length - (position - have))..]);
                    sync.Wrote(chunk.Length);
                }
                finally
                {
                    chunk.Release();
                }
            }
            return Digests.FromHash(hash.GetHashAndReset());
        }
        catch (IOException full) when (full.HResult is Errno.ENOSPC or Errno.EDQUOT)
        {
            queue.Abandon();
            throw new LinuxException($"store layer {digest}", full.HResult);
        }
        catch
        {
            queue.Abandon();
            throw;
        }
    }

    private static async Task<Exception?> OutcomeAsync(Task task)
    {
        await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return task.IsCanceled ? new OperationCanceledException() : task.Exception?.InnerException;
    }

    /// <summary>Of two failures the one that is a cause, not an echo of the other.</summary>
    private static Exception? Prefer(Exception? first, Exception? second) =>
        first is null or ConsumerFailedException or ProducerFailedException ? second ?? first : first;
}
