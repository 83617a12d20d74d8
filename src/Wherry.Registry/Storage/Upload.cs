using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using Wherry.Registry.Names;

namespace Wherry.Registry.Storage;

/// <summary>A blob on its way in: a file that grows and is hashed as it does. Disposing without a commit removes it.</summary>
/// <remarks>One request at a time may hold <see cref="Turn"/> and use the rest.</remarks>
public sealed class Upload : IDisposable
{
    /// <summary>Bytes read and written at a time; one buffer per request under way is all the memory an upload takes.</summary>
    private const int ChunkSize = 256 * 1024;

    private readonly SafeFileHandle _file;
    private readonly IncrementalHash _hash;
    private int _disposed;

    internal Upload(string id, string repository, string path, string algorithm)
    {
        Id = id;
        Repository = repository;
        Path = path;
        Algorithm = algorithm;
        _file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete);
        _hash = ContentDigest.NewHash(algorithm);
        LastUsed = Environment.TickCount64;
    }

    /// <summary>Not to be guessed: who knows it may write.</summary>
    public string Id { get; }

    public string Repository { get; }

    /// <summary>Bytes received so far.</summary>
    public long Length { get; private set; }

    internal string Path { get; }

    internal SemaphoreSlim Turn { get; } = new(1, 1);

    /// <summary>The algorithm that is hashed along; a digest in another one costs a second reading.</summary>
    internal string Algorithm { get; }

    /// <summary>In <see cref="Environment.TickCount64"/>.</summary>
    internal long LastUsed { get; set; }

    internal bool IsEnded => Volatile.Read(ref _disposed) != 0;

    /// <summary>Appends all of a body. What had arrived when it broke off stays, to be continued.</summary>
    /// <param name="body">Read to its end.</param>
    /// <param name="limit">Bytes the whole upload may have.</param>
    /// <param name="onBytes">Told of each piece.</param>
    /// <returns>False when the limit was reached before the body's end.</returns>
    internal async Task<bool> AppendAsync(Stream body, long limit, Action<int> onBytes, CancellationToken cancel)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkSize);
        try
        {
            while (await FillAsync(body, buffer, cancel).ConfigureAwait(false) is var read and > 0)
            {
                if (Length + read > limit)
                {
                    return false;
                }

                Append(buffer.AsSpan(0, read));
                onBytes(read);
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    internal void Append(ReadOnlySpan<byte> data)
    {
        RandomAccess.Write(_file, data, Length);
        _hash.AppendData(data);
        Length += data.Length;
        LastUsed = Environment.TickCount64;
    }

    /// <summary>The digest of what has arrived; ends the running hash where it is of this algorithm.</summary>
    internal ContentDigest Digest(string algorithm)
    {
        if (algorithm == Algorithm)
        {
            return ContentDigest.FromHash(algorithm, _hash.GetCurrentHash());
        }

        using var other = ContentDigest.NewHash(algorithm);
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkSize);
        try
        {
            for (long offset = 0; RandomAccess.Read(_file, buffer, offset) is var read and > 0; offset += read)
            {
                other.AppendData(buffer.AsSpan(0, read));
            }

            return ContentDigest.FromHash(algorithm, other.GetCurrentHash());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Waits for the disk.</summary>
    internal void Flush() => RandomAccess.FlushToDisk(_file);

    internal int ReadAt(Span<byte> buffer, long offset) => RandomAccess.Read(_file, buffer, offset);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _file.Dispose();
        _hash.Dispose();
        File.Delete(Path); // gone already when it became a blob
    }

    /// <summary>Fills the buffer as far as the body goes, so that small network reads become few writes.</summary>
    private static async ValueTask<int> FillAsync(Stream body, byte[] buffer, CancellationToken cancel)
    {
        var filled = 0;
        try
        {
            while (filled < ChunkSize && await body.ReadAsync(buffer.AsMemory(filled, ChunkSize - filled), cancel).ConfigureAwait(false) is var read and > 0)
            {
                filled += read;
            }
        }
        catch (Exception) when (filled > 0)
        {
            // The next read meets the same end; what came before it is worth keeping.
        }

        return filled;
    }
}
