namespace Wherry.Storage.Pipelines;

/// <summary>The consumer's end of a queue as a stream for a thread of its own. Disposing it abandons the queue.</summary>
public sealed class ChunkReadStream(ChunkQueue queue) : SequentialStream, ILendingStream
{
    private Chunk? _chunk;
    private int _used;

    public override bool CanRead => true;

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty || !HasBytes())
            return 0;
        var length = Math.Min(buffer.Length, _chunk!.Length - _used);
        _chunk.Content.Slice(_used, length).CopyTo(buffer);
        _used += length;
        return length;
    }

    /// <inheritdoc/>
    public bool TryLend(out ArraySegment<byte> bytes)
    {
        bytes = default;
        if (!HasBytes())
            return false;
        bytes = new ArraySegment<byte>(_chunk!.Buffer, _used, _chunk.Length - _used);
        _used = _chunk.Length;
        return true;
    }

    private bool HasBytes()
    {
        while (_chunk is null || _used == _chunk.Length)
        {
            _chunk?.Release();
            _used = 0;
            _chunk = null;
            _chunk = queue.Read();
            if (_chunk is null)
                return false;
        }
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _chunk?.Release();
            _chunk = null;
            queue.Abandon();
        }
        base.Dispose(disposing);
    }
}
