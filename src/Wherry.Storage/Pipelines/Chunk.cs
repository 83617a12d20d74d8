namespace Wherry.Storage.Pipelines;

/// <summary>A stretch of bytes that several readers share; its buffer goes back to the pool after the last.</summary>
public sealed class Chunk
{
    /// <summary>
    /// Bytes of a full chunk: large enough that passing one on costs nothing beside its content, small enough that the
    /// few dozens a pull of several layers has under way are a handful of megabytes.
    /// </summary>
    public const int Capacity = 256 * 1024;

    private int _holders = 1;

    public byte[] Buffer { get; private set; } = ChunkBuffers.Rent();

    public int Length { get; set; }

    public ReadOnlySpan<byte> Content => Buffer.AsSpan(0, Length);

    public void AddHolders(int count) => Interlocked.Add(ref _holders, count);

    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) != 0)
            return;
        ChunkBuffers.Return(Buffer);
        Buffer = [];
    }
}

/// <summary>
/// Buffers of chunks that are free at the moment. The framework's pool would do, but gives next to nothing back: after
/// a pull an idle engine would sit on its buffers.
/// </summary>
public static class ChunkBuffers
{
    /// <summary>More than a transfer of several layers has under way; what comes beyond is garbage.</summary>
    private const int MostFree = 64;

    private static readonly Lock Gate = new();
    private static readonly Stack<byte[]> Free = new();

    internal static byte[] Rent()
    {
        lock (Gate)
        {
            if (Free.TryPop(out var buffer))
                return buffer;
        }
        return GC.AllocateUninitializedArray<byte>(Chunk.Capacity);
    }

    internal static void Return(byte[] buffer)
    {
        lock (Gate)
        {
            if (Free.Count < MostFree)
                Free.Push(buffer);
        }
    }

    /// <summary>Leaves what is free to the collector.</summary>
    public static void Forget()
    {
        lock (Gate)
            Free.Clear();
    }
}
