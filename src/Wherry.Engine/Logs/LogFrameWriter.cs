using System.Buffers.Binary;
using System.IO.Pipelines;

namespace Wherry.Engine.Logs;

/// <summary>Writes log records to a client: multiplexed frames, or plain text for a container with a terminal.</summary>
internal sealed class LogFrameWriter(LogQuery query, bool tty, PipeWriter output)
{
    private const int FrameHeaderSize = 8;
    private const int LongestTime = 65;

    /// <summary>Enough to make each send worth its system call, little enough for a thousand slow clients.</summary>
    private const int FlushAt = 64 * 1024;

    private int _pending;

    /// <summary>A record after <see cref="LogQuery.Until"/> was met, or the client has gone: nothing more is wanted.</summary>
    public bool IsDone { get; private set; }

    public bool WantsFlush => _pending >= FlushAt;

    /// <param name="line">A line of the log file without its line feed; one that isn't a record is passed over.</param>
    public void Write(ReadOnlySpan<byte> line)
    {
        if ((!LogRecord.TryParse(line, out var record) && !LogRecord.TryRecover(line, out record)) || !IsSelected(record))
        {
            return;
        }

        var header = tty ? 0 : FrameHeaderSize;
        var buffer = output.GetSpan(header + LongestTime + record.Text.Length);
        var length = header;
        if (query.Timestamps)
        {
            length += record.WriteTime(buffer[length..]);
            buffer[length++] = (byte)' ';
        }

        length += JsonText.Unescape(record.Text, buffer[length..]);
        if (!tty)
        {
            BinaryPrimitives.WriteUInt32BigEndian(buffer, (uint)record.Stream << 24);
            BinaryPrimitives.WriteUInt32BigEndian(buffer[4..], (uint)(length - header));
        }

        output.Advance(length);
        _pending += length;
    }

    /// <summary>Hands over what was written; waits while the client is slow.</summary>
    public async ValueTask FlushAsync(CancellationToken cancel)
    {
        if (_pending == 0)
        {
            return;
        }

        _pending = 0;
        var flushed = await output.FlushAsync(cancel).ConfigureAwait(false);
        IsDone |= flushed.IsCompleted;
    }

    private bool IsSelected(in LogRecord record)
    {
        // With a terminal there is one stream; it is asked for as standard output.
        if (!(record.Stream == LogRecord.StandardOutput ? query.Stdout : query.Stderr))
        {
            return false;
        }

        if (query.Since is null && query.Until is null)
        {
            return true;
        }

        var time = record.UnixNanoseconds;
        if (query.Until is { } until && time > until.UnixNanoseconds)
        {
            IsDone = true;
            return false;
        }

        return query.Since is not { } since || time >= since.UnixNanoseconds;
    }
}
