namespace Wherry.Storage.Pipelines;

/// <summary>
/// A bounded queue of chunks from one producer to one consumer, each of which may be a thread or an async flow.
/// Either side's failure ends the other's wait.
/// </summary>
/// <remarks>
/// A thread that waits sleeps at once and is woken by the other side itself. The framework's channels would first let it
/// spin and then wake it by way of the thread pool, for every chunk: beside the copying that was half of a load's time.
/// </remarks>
public sealed class ChunkQueue
{
    private const int Depth = 8;

    /// <summary>A producer that found no room goes on when there is this much, not at once to fill a single place.</summary>
    private const int RoomToResume = Depth / 2;

    private readonly object _gate = new();
    private readonly Queue<Chunk> _chunks = new(Depth);
    private readonly CancellationToken _cancel;
    private TaskCompletionSource? _asyncWaiter; // one at most: the queue is never full and empty at once
    private Exception? _failure;
    private bool _completed;
    private bool _abandoned;

    /// <param name="cancel">Ends waits on both sides.</param>
    public ChunkQueue(CancellationToken cancel)
    {
        _cancel = cancel;
        cancel.UnsafeRegister(static queue => ((ChunkQueue)queue!).OnCancelled(), this);
    }

    /// <summary>Hands a chunk over, waiting for room. False: the consumer has given up, and why is its own to tell.</summary>
    public async ValueTask<bool> WriteAsync(Chunk chunk)
    {
        for (var room = 1; ; room = RoomToResume)
        {
            Task change;
            lock (_gate)
            {
                if (TryWrite(chunk, room, out var taken))
                    return taken;
                change = NextChange();
            }
            await change.ConfigureAwait(false);
        }
    }

    /// <inheritdoc cref="WriteAsync"/>
    public bool Write(Chunk chunk)
    {
        lock (_gate)
        {
            for (var room = 1; ; room = RoomToResume)
            {
                if (TryWrite(chunk, room, out var taken))
                    return taken;
                Monitor.Wait(_gate);
            }
        }
    }

    /// <summary>No more chunks; with a failure, the consumer gets it after what is queued.</summary>
    public void Complete(Exception? failure = null)
    {
        lock (_gate)
        {
            if (_completed)
                return;
            _completed = true;
            _failure = failure;
            WakeOther();
        }
    }

    /// <summary>The consumer wants no more.</summary>
    public void Abandon()
    {
        lock (_gate)
        {
            _abandoned = true;
            _completed = true;
            while (_chunks.TryDequeue(out var chunk))
                chunk.Release();
            WakeOther();
        }
    }

    /// <summary>The next chunk, which the caller releases; null at the end.</summary>
    public async ValueTask<Chunk?> ReadAsync()
    {
        while (true)
        {
            Task change;
            lock (_gate)
            {
                if (TryRead(out var chunk))
                    return chunk;
                change = NextChange();
            }
            await change.ConfigureAwait(false);
        }
    }

    /// <inheritdoc cref="ReadAsync"/>
    public Chunk? Read()
    {
        lock (_gate)
        {
            while (true)
            {
                if (TryRead(out var chunk))
                    return chunk;
                Monitor.Wait(_gate);
            }
        }
    }

    /// <summary>False: wait for a change.</summary>
    private bool TryWrite(Chunk chunk, int room, out bool taken)
    {
        taken = !_abandoned && !_cancel.IsCancellationRequested && Depth - _chunks.Count >= room;
        if (taken)
        {
            _chunks.Enqueue(chunk);
            if (_chunks.Count == 1)
                WakeOther();
            return true;
        }
        if (!_abandoned && !_cancel.IsCancellationRequested)
            return false;
        chunk.Release();
        if (!_abandoned)
            _cancel.ThrowIfCancellationRequested();
        return true;
    }

    /// <summary>False: wait for a change.</summary>
    private bool TryRead(out Chunk? chunk)
    {
        if (_chunks.TryDequeue(out chunk))
        {
            if (Depth - _chunks.Count == RoomToResume)
                WakeOther();
            return true;
        }
        _cancel.ThrowIfCancellationRequested();
        if (_failure is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(_failure);
        return _completed;
    }

    private Task NextChange()
    {
        _asyncWaiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return _asyncWaiter.Task;
    }

    private void WakeOther()
    {
        Monitor.PulseAll(_gate);
        _asyncWaiter?.TrySetResult();
        _asyncWaiter = null;
    }

    private void OnCancelled()
    {
        lock (_gate)
            WakeOther();
    }
}
