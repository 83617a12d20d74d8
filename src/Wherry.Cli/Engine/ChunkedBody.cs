using System.Net.Sockets;
using System.Text;

namespace Wherry.Cli.Engine;

/// <summary>A request's body of unknown length (RFC 9112, 7.1), sent as it is written. Small writes are collected.</summary>
internal sealed class ChunkedBody(HttpConnection connection) : Stream
{
    private readonly byte[] _buffer = new byte[128 * 1024];
    private int _filled;

    /// <summary>Bytes written so far.</summary>
    internal long Sent { get; private set; }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Ends the body. Without it the engine takes the body for cut off.</summary>
    internal void Complete()
    {
        Flush();
        Send("0\r\n\r\n"u8);
    }

    public override void Write(ReadOnlySpan<byte> data)
    {
        Sent += data.Length;
        while (!data.IsEmpty)
        {
            var count = Math.Min(data.Length, _buffer.Length - _filled);
            data[..count].CopyTo(_buffer.AsSpan(_filled));
            _filled += count;
            data = data[count..];
            if (_filled == _buffer.Length)
            {
                Flush();
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        if (_filled == 0)
        {
            return;
        }

        Send(Encoding.ASCII.GetBytes($"{_filled:x}\r\n"));
        Send(_buffer.AsSpan(0, _filled));
        Send("\r\n"u8);
        _filled = 0;
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private void Send(ReadOnlySpan<byte> bytes)
    {
        try
        {
            connection.Send(bytes);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            throw new BrokenBodyException(e);
        }
    }
}

/// <summary>The engine does not take any more of a body.</summary>
internal sealed class BrokenBodyException(Exception inner) : Exception(inner.Message, inner);
