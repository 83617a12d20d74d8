namespace Wherry.Storage.Pipelines;

/// <summary>
/// The producer's end of one or more queues as a stream: every queue gets every byte, in the same chunks.
/// <see cref="Complete"/> sends what is left and ends the queues; disposing without it tells them of a failure.
/// </summary>
public sealed class ChunkWriteStream(params ChunkQueue[] queues) : SequentialStream
{
    private Chunk? _chunk;
    private bool _completed;

    public override bool CanWrite => true;

    /// <summary>Bytes taken so far.</summary>
    public long Count { get; private set; }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        Count += buffer.Length;
        while (!buffer.IsEmpty)
        {
            _chunk ??= new Chunk();
            var length = Math.Min(buffer.Length, Chunk.Capacity - _chunk.Length);
            buffer[..length].CopyTo(_chunk.Buffer.AsSpan(_chunk.Length));
            _chunk.Length += length;
            buffer = buffer[length..];
            if (_chunk.Length == Chunk.Capacity)
                Send();
        }
    }

    public void Complete()
    {
        if (_chunk is { Length: > 0 })
            Send();
        _completed = true;
        foreach (var queue in queues)
            queue.Complete();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_completed)
        {
            _chunk?.Release();
            _chunk = null;
            foreach (var queue in queues)
                queue.Complete(new ProducerFailedException());
        }
        base.Dispose(disposing);
    }

    private void Send()
    {
        var chunk = _chunk!;
        _chunk = null;
        if (queues.Length > 1)
            chunk.AddHolders(queues.Length - 1);
        var alive = true;
        foreach (var queue in queues)
            alive &= queue.Write(chunk);
        if (!alive)
            throw new ConsumerFailedException();
    }
}

/// <summary>The consumer of a queue gave up; its own exception says why.</summary>
public sealed class ConsumerFailedException() : IOException("the consumer of the data failed");

/// <summary>The producer of a queue gave up; its own exception says why.</summary>
public sealed class ProducerFailedException() : IOException("the producer of the data failed");
