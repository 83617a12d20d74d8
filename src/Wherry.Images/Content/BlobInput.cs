using Wherry.Errors;
using Wherry.Storage.Pipelines;

namespace Wherry.Images.Content;

/// <summary>Where a source of a blob's bytes writes them, in order. A source that fails may be asked again for the rest.</summary>
/// <param name="size">Bytes the blob has when it is complete.</param>
internal abstract class BlobInput(long size)
{
    internal long Size { get; } = size;

    /// <summary>Bytes taken so far: where a source goes on.</summary>
    internal long Position { get; private set; }

    /// <summary>Takes a chunk over, waiting until there is room.</summary>
    internal async ValueTask WriteAsync(Chunk chunk)
    {
        if (Position + chunk.Length > Size)
        {
            chunk.Release();
            throw WherryException.Invalid($"more bytes came than the {Size} that were announced");
        }
        Position += chunk.Length;
        await TakeAsync(chunk);
    }

    /// <summary>Does with a chunk what is to be done with it, and releases it.</summary>
    protected abstract ValueTask TakeAsync(Chunk chunk);
}
