using System.Buffers;

namespace Wherry.Transport;

/// <summary>
/// Where Kestrel's connections get their buffers. Its own pool has blocks of 4 KiB, one for each read of a socket: an
/// archive of 500 MB is then 128,000 system calls, each with a walk through two pipes behind it. A large block costs a
/// small request nothing: only the pages that are written to are ever there.
/// </summary>
/// <remarks>Thread-safe. Free blocks are few, and <see cref="Forget"/> leaves them to the collector.</remarks>
public sealed class BlockPool : MemoryPool<byte>
{
    /// <summary>Bytes of a block.</summary>
    public const int BlockSize = 64 * 1024;

    /// <summary>What two busy connections have under way; what comes beyond is garbage.</summary>
    private const int MostFree = 16;

    private readonly Lock _gate = new();
    private readonly Stack<byte[]> _free = new();

    private BlockPool()
    {
    }

    /// <summary>The one that all connections of this process share.</summary>
    public static BlockPool Instance { get; } = new();

    public override int MaxBufferSize => BlockSize;

    /// <param name="minBufferSize">Bytes needed; -1 for any number.</param>
    /// <exception cref="ArgumentOutOfRangeException">More than <see cref="MaxBufferSize"/>.</exception>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockSize);
        lock (_gate)
        {
            if (_free.TryPop(out var buffer))
            {
                return new Block(this, buffer);
            }
        }

        return new Block(this, GC.AllocateUninitializedArray<byte>(BlockSize));
    }

    /// <summary>Leaves what is free to the collector.</summary>
    public void Forget()
    {
        lock (_gate)
        {
            _free.Clear();
        }
    }

    // Servers come and go, and dispose of their pool; this one is nobody's.
    protected override void Dispose(bool disposing)
    {
    }

    private void Return(byte[] buffer)
    {
        lock (_gate)
        {
            if (_free.Count < MostFree)
            {
                _free.Push(buffer);
            }
        }
    }

    private sealed class Block(BlockPool pool, byte[] buffer) : IMemoryOwner<byte>
    {
        private byte[]? _buffer = buffer;

        public Memory<byte> Memory => _buffer ?? throw new ObjectDisposedException(nameof(Block));

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _buffer, null) is { } free)
            {
                pool.Return(free);
            }
        }
    }
}
