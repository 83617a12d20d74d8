using System.Threading.Channels;

namespace Wherry.Storage.Pipelines;

/// <summary>
/// A bounded queue of chunks from one producer to one consumer, each of which may be a thread or an async flow.
/// Either side's failure ends the other's wait.
/// </summary>
public sealed class ChunkQueue(CancellationToken cancel)
{
    private const int Depth = 8;

    private readonly Channel<Chunk> _channel = Channel.CreateBounded<Chunk>(
        new BoundedChannelOptions(Depth) { SingleReader = true, SingleWriter = true });

    private volatile bool _abandoned;

    /// <summary>Hands a chunk over, waiting for room. False: the consumer has given up, and why is its own to tell.</summary>
    public async ValueTask<bool> WriteAsync(Chunk chunk)
    {
        while (!_abandoned && await _channel.Writer.WaitToWriteAsync(cancel))
        {
            if (_channel.Writer.TryWrite(chunk))
            {
                if (_abandoned)
                    ReleaseRest();
                return true;
            }
        }
        chunk.Release();
        return false;
    }

    /// <inheritdoc cref="WriteAsync"/>
    public bool Write(Chunk chunk)
    {
        if (!_abandoned && _channel.Writer.TryWrite(chunk))
        {
            if (_abandoned)
                ReleaseRest();
            return true;
        }
        return Wait(WriteAsync(chunk));
    }

    /// <summary>No more chunks; with a failure, the consumer gets it after what is queued.</summary>
    public void Complete(Exception? failure = null) => _channel.Writer.TryComplete(failure);

    /// <summary>The consumer wants no more.</summary>
    public void Abandon()
    {
        _abandoned = true;
        _channel.Writer.TryComplete();
        ReleaseRest();
    }

    /// <summary>The next chunk, which the caller releases; null at the end.</summary>
    public async ValueTask<Chunk?> ReadAsync()
    {
        while (await _channel.Reader.WaitToReadAsync(cancel))
        {
            if (_channel.Reader.TryRead(out var chunk))
                return chunk;
        }
        return null;
    }

    /// <inheritdoc cref="ReadAsync"/>
    public Chunk? Read() => _channel.Reader.TryRead(out var chunk) ? chunk : Wait(ReadAsync());

    private void ReleaseRest()
    {
        while (_channel.Reader.TryRead(out var chunk))
            chunk.Release();
    }

    // Threads of their own wait here, never the thread pool's.
    private static T Wait<T>(ValueTask<T> task) => task.IsCompletedSuccessfully ? task.Result : task.AsTask().GetAwaiter().GetResult();
}
