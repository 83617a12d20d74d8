using System.Net.Sockets;

namespace Wherry.Cli.Engine;

/// <summary>
/// A connection the engine handed over: raw bytes in both directions. One thread may read while another writes.
/// Owns the connection.
/// </summary>
internal sealed class HijackedConnection(HttpConnection connection, bool? multiplexed) : Stream
{
    /// <summary>Whether output comes in frames; null where the engine did not say so in its answer's type.</summary>
    internal bool? Multiplexed { get; } = multiplexed;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Ends our direction: the container's standard input sees its end.</summary>
    internal void FinishSending() => connection.FinishSending();

    public override int Read(Span<byte> buffer) => connection.Receive(buffer);

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        try
        {
            connection.Send(buffer);
        }
        catch (SocketException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            connection.Dispose();
        }

        base.Dispose(disposing);
    }
}
