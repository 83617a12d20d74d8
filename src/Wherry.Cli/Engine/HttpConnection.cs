using System.Net.Sockets;
using System.Text;
using Wherry.Cli.CommandLine;

namespace Wherry.Cli.Engine;

/// <summary>
/// One HTTP/1.1 connection to the engine, used by one thread at a time. A small client of our own, because
/// <see cref="System.Net.Http.HttpClient"/> adds about two milliseconds to every command and cannot give away an
/// upgraded connection. Owns its socket.
/// </summary>
internal sealed class HttpConnection : IDisposable
{
    private const int LongestHead = 64 * 1024;

    private readonly SocketDescriptor _socket;
    private readonly byte[] _buffer = new byte[16 * 1024];
    private int _start;
    private int _end;

    private HttpConnection(SocketDescriptor socket) => _socket = socket;

    /// <exception cref="SocketException">Nobody listens there, or we may not connect.</exception>
    internal static HttpConnection Open(EngineAddress address) => new(SocketDescriptor.Connect(address));

    internal void Send(ReadOnlySpan<byte> bytes) => _socket.Send(bytes);

    internal void SendHead(string method, string target, string headers)
    {
        var head = $"{method} {target} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: wherry\r\n{headers}\r\n";
        Send(Encoding.UTF8.GetBytes(head));
    }

    /// <summary>Tells the engine that nothing more will be sent; it may still answer.</summary>
    internal void FinishSending()
    {
        _socket.FinishSending();
    }

    /// <summary>Waits until there is something to read (or the end), at most the given time.</summary>
    internal bool WaitReadable(int milliseconds) => _start < _end || _socket.WaitReadable(milliseconds);

    /// <summary>Reads raw bytes, those read ahead first; 0 at the end.</summary>
    internal int Receive(Span<byte> target)
    {
        if (_start < _end)
        {
            var count = Math.Min(target.Length, _end - _start);
            _buffer.AsSpan(_start, count).CopyTo(target);
            _start += count;
            return count;
        }

        return _socket.Receive(target);
    }

    /// <summary>Reads one line without its line end.</summary>
    internal string ReceiveLine()
    {
        while (true)
        {
            var line = _buffer.AsSpan(_start, _end - _start);
            var end = line.IndexOf((byte)'\n');
            if (end >= 0)
            {
                _start += end + 1;
                return Encoding.Latin1.GetString(line[..end].TrimEnd((byte)'\r'));
            }

            if (_start > 0)
            {
                line.CopyTo(_buffer);
                _end -= _start;
                _start = 0;
            }

            if (_end == _buffer.Length)
            {
                throw new CliException("the engine's answer is not HTTP: a line is too long");
            }

            var count = _socket.Receive(_buffer.AsSpan(_end));
            if (count == 0)
            {
                throw new ConnectionLostException();
            }

            _end += count;
        }
    }

    /// <summary>Reads a response's status line and headers; its body is then read from the response.</summary>
    internal HttpResponse ReceiveHead(string method)
    {
        while (true)
        {
            var status = ReceiveLine();
            if (!status.StartsWith("HTTP/1.", StringComparison.Ordinal)
                || status.Length < 12
                || !int.TryParse(status.AsSpan(9, 3), out var code))
            {
                throw new CliException("the engine's answer is not HTTP");
            }

            var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            var size = 0;
            while (true)
            {
                var line = ReceiveLine();
                if (line.Length == 0)
                {
                    break;
                }

                size += line.Length;
                if (size > LongestHead)
                {
                    throw new CliException("the engine's answer is not HTTP: its head is too long");
                }

                var colon = line.IndexOf(':');
                if (colon > 0)
                {
                    headers[line[..colon]] = line[(colon + 1)..].Trim();
                }
            }

            if (code is 100 or 102 or 103)
            {
                continue;
            }

            return new HttpResponse(this, code, headers, method == "HEAD");
        }
    }

    public void Dispose() => _socket.Dispose();
}

/// <summary>The engine closed the connection in the middle of a request or an answer.</summary>
internal sealed class ConnectionLostException() : IOException("the connection to the engine was lost before it answered");
