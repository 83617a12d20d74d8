using System.Buffers;
using Wherry.Registry.Names;
using Wherry.Registry.Storage;

namespace Wherry.Registry.Proxy;

/// <summary>
/// One blob on its way from upstream into the store, read by any number of clients while it grows. The last byte is
/// given out only once the digest is right: a client never has all of something wrong, and a store never any of it.
/// </summary>
internal sealed class BlobFetch
{
    private static readonly TimeSpan StallLimit = TimeSpan.FromSeconds(60);

    private const int ChunkSize = 256 * 1024;

    private readonly LocalStore _store;
    private readonly string _repository;
    private readonly ContentDigest _digest;
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource<long?> _length = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _grown = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Upload? _upload;
    private long _written;
    private bool _isDone;
    private Exception? _failure;

    internal BlobFetch(LocalStore store, string repository, ContentDigest digest)
    {
        _store = store;
        _repository = repository;
        _digest = digest;
    }

    /// <summary>The blob's length; null when upstream has none; fails when upstream does.</summary>
    internal Task<long?> Length => _length.Task;

    /// <summary>Fetches to the end, whoever still reads: the next client has it then.</summary>
    internal async Task RunAsync(IUpstream upstream, Action<int> onBytes, CancellationToken stop)
    {
        try
        {
            using var blob = await upstream.OpenBlobAsync(_repository, _digest, stop).ConfigureAwait(false);
            if (blob is null)
            {
                _length.TrySetResult(null);
                return;
            }

            _upload = _store.BeginUpload(_repository, _digest.Algorithm);
            _length.TrySetResult(blob.Length);
            await _store.WithUploadAsync(
                _repository,
                _upload.Id,
                async upload =>
                {
                    await CopyAsync(blob, upload, onBytes, stop).ConfigureAwait(false);
                    return true;
                },
                stop).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            var told = failure is OperationCanceledException or IOException or HttpRequestException
                ? new UpstreamException($"the connection to upstream broke off: {failure.Message}", failure)
                : failure;
            _length.TrySetException(told);
            Signal(() => _failure = told);
        }
    }

    /// <summary>Reads what is there, or waits for more.</summary>
    /// <returns>0 once the blob is in the store: from there on it is read from its own file.</returns>
    internal async ValueTask<int> ReadAsync(Memory<byte> buffer, long offset, long length, CancellationToken cancel)
    {
        while (true)
        {
            Task grown;
            lock (_gate)
            {
                if (_failure is { } failure)
                {
                    throw new IOException("the blob could not be fetched: " + failure.Message, failure);
                }

                if (_isDone)
                {
                    return 0;
                }

                // The last byte waits for the verdict.
                var ready = Math.Min(_written, length - 1) - offset;
                if (ready > 0)
                {
                    return _upload!.ReadAt(buffer.Span[..(int)Math.Min(ready, buffer.Length)], offset);
                }

                grown = _grown.Task;
            }

            await grown.WaitAsync(cancel).ConfigureAwait(false);
        }
    }

    private async Task CopyAsync(UpstreamBlob blob, Upload upload, Action<int> onBytes, CancellationToken stop)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkSize);
        try
        {
            while (true)
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
                limit.CancelAfter(StallLimit);
                var read = await blob.Content.ReadAsync(buffer.AsMemory(0, ChunkSize), limit.Token).ConfigureAwait(false);
                if (read == 0)
                {
                    break;
                }

                if (upload.Length + read > blob.Length)
                {
                    throw new UpstreamException("upstream sends more than it said");
                }

                upload.Append(buffer.AsSpan(0, read));
                onBytes(read);
                Signal(() => _written = upload.Length);
            }

            if (upload.Length != blob.Length)
            {
                throw new UpstreamException("upstream sent less than it said");
            }

            // Readers hold no reference to the upload: they look at it under the gate, which its end is under as well.
            Signal(() =>
            {
                try
                {
                    _store.Commit(upload, _digest);
                    _isDone = true;
                }
                catch (Exception wrong)
                {
                    _failure = wrong; // before anybody looks at the upload again, which is gone
                    throw;
                }
            });
        }
        catch
        {
            Signal(() =>
            {
                _store.Abandon(upload);
                _failure ??= new UpstreamException("the fetch failed");
            });
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Signal(Action change)
    {
        TaskCompletionSource waiting;
        lock (_gate)
        {
            change();
            waiting = _grown;
            _grown = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        waiting.TrySetResult();
    }
}
