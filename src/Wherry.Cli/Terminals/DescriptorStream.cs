using System.Runtime.InteropServices;

namespace Wherry.Cli.Terminals;

/// <summary>
/// A stream over one of the process's own standard descriptors. It does not own the descriptor and never buffers.
/// </summary>
internal sealed unsafe class DescriptorStream(int descriptor) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty)
        {
            return 0;
        }

        while (true)
        {
            nint count;
            // SAFETY: the span is pinned for the duration of the call and its own length bounds what is written.
            fixed (byte* start = buffer)
            {
                count = Libc.Read(descriptor, start, buffer.Length);
            }

            if (count >= 0)
            {
                return (int)count;
            }

            Retry(Marshal.GetLastPInvokeError(), forReading: true);
        }
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            nint count;
            // SAFETY: the span is pinned for the duration of the call and its own length bounds what is read.
            fixed (byte* start = buffer)
            {
                count = Libc.Write(descriptor, start, buffer.Length);
            }

            if (count >= 0)
            {
                buffer = buffer[(int)count..];
                continue;
            }

            Retry(Marshal.GetLastPInvokeError(), forReading: false);
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>
    /// Returns when the call should be made again. A descriptor that somebody left in non-blocking mode (a shared
    /// terminal often is) is waited for rather than failed.
    /// </summary>
    private void Retry(int error, bool forReading)
    {
        switch (error)
        {
            case Libc.EINTR:
                return;
            case Libc.EAGAIN:
                var entry = new Libc.PollEntry { Descriptor = descriptor, Events = forReading ? (short)1 : (short)4 };
                // SAFETY: one entry on the stack, valid for the call.
                _ = Libc.Poll(&entry, 1, -1);
                return;
            case Libc.EPIPE:
                throw new BrokenPipeException();
            default:
                throw new IOException($"{(forReading ? "read" : "write")} on descriptor {descriptor}: {Marshal.GetPInvokeErrorMessage(error)}");
        }
    }
}

/// <summary>Whoever read our output went away; the command ends quietly, as programs in a pipeline do.</summary>
internal sealed class BrokenPipeException() : IOException("write: broken pipe");
