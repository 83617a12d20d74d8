using System.Buffers;

namespace Wherry.Engine.Logs;

/// <summary>Finds where the last lines begin by reading backwards, so that the cost is that of the lines asked for.</summary>
internal static class LogTail
{
    private const int BlockSize = 64 * 1024;
    private const int LongestLine = 1024 * 1024;

    /// <param name="files">Oldest first.</param>
    /// <param name="lengths">How much of each file counts.</param>
    /// <param name="lines">How many lines, of the streams <paramref name="query"/> selects.</param>
    /// <param name="query">What is selected; its times don't matter here, as they don't in Docker.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The file to begin with and the offset in it.</returns>
    public static async Task<(int File, long Offset)> FindAsync(
        IReadOnlyList<OpenLog> files, IReadOnlyList<long> lengths, int lines, LogQuery query, CancellationToken cancel)
    {
        var missing = lines;
        for (var file = files.Count - 1; file >= 0; file--)
        {
            var (offset, found) = await FindInFileAsync(files[file], lengths[file], missing, query, cancel).ConfigureAwait(false);
            if (offset is { } start)
            {
                return (file, start);
            }

            missing -= found;
        }

        return (0, 0);
    }

    /// <returns>Where the last <paramref name="wanted"/> lines begin, or null and how many there are if there are fewer.</returns>
    private static async Task<(long? Offset, int Found)> FindInFileAsync(
        OpenLog file, long length, int wanted, LogQuery query, CancellationToken cancel)
    {
        // The block holds [position, position + filled) of the file; whole lines are taken off its end.
        var block = ArrayPool<byte>.Shared.Rent(BlockSize);
        try
        {
            var position = length;
            var filled = 0;
            var found = 0;
            while (position > 0)
            {
                var step = (int)Math.Min(BlockSize, position);
                if (block.Length < filled + step)
                {
                    block = Grow(block, filled, filled + step);
                }

                // What is kept is the beginning of a line whose end was already seen.
                block.AsSpan(0, filled).CopyTo(block.AsSpan(step));
                await ReadExactlyAsync(file, block.AsMemory(0, step), position - step, cancel).ConfigureAwait(false);
                position -= step;
                filled = CountFromEnd(block.AsSpan(0, filled + step), position, wanted, query, ref found, out var start);
                if (start is not null)
                {
                    return (start, found);
                }

                if (filled > LongestLine)
                {
                    // No supervisor wrote this; it is no line, and memory stays bounded.
                    filled = 0;
                }
            }

            return (null, found);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }
    }

    /// <returns>How many bytes at the block's beginning belong to a line that starts before it.</returns>
    private static int CountFromEnd(ReadOnlySpan<byte> block, long position, int wanted, LogQuery query, ref int found, out long? start)
    {
        start = null;
        var end = block.LastIndexOf((byte)'\n');
        if (end < 0)
        {
            return block.Length;
        }

        // What follows the last line feed is a line still being written: not counted, but sent once it is whole.
        if (wanted == 0)
        {
            start = position + end + 1;
            return 0;
        }

        while (true)
        {
            var before = block[..end].LastIndexOf((byte)'\n');
            if (before < 0 && position > 0)
            {
                return end + 1;
            }

            if (IsSelected(block[(before + 1)..end], query) && ++found == wanted)
            {
                start = position + before + 1;
                return 0;
            }

            if (before < 0)
            {
                return 0;
            }

            end = before;
        }
    }

    private static bool IsSelected(ReadOnlySpan<byte> line, LogQuery query) =>
        (LogRecord.TryParse(line, out var record) || LogRecord.TryRecover(line, out record))
        && (record.Stream == LogRecord.StandardOutput ? query.Stdout : query.Stderr);

    private static byte[] Grow(byte[] block, int filled, int needed)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, block.Length * 2));
        block.AsSpan(0, filled).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(block);
        return larger;
    }

    private static async Task ReadExactlyAsync(OpenLog file, Memory<byte> target, long offset, CancellationToken cancel)
    {
        while (target.Length > 0)
        {
            var read = await RandomAccess.ReadAsync(file.Handle, target, offset, cancel).ConfigureAwait(false);
            if (read == 0)
            {
                // Shortened while we looked: line feeds are no records, so the rest counts for nothing.
                target.Span.Fill((byte)'\n');
                return;
            }

            target = target[read..];
            offset += read;
        }
    }
}
