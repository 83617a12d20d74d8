using System.Globalization;
using System.Text.Json;
using Wherry.Cli.CommandLine;

namespace Wherry.Cli.Engine;

/// <summary>
/// A response whose head has arrived. As a stream it is the body, whichever way the body is delimited. Disposing it
/// gives the connection back to its client if the body was read to its end, and closes it otherwise.
/// </summary>
internal sealed class HttpResponse : Stream
{
    private readonly HttpConnection _connection;
    private readonly bool _chunked;
    private long _left;
    private bool _ended;
    private bool _disposed;

    internal HttpResponse(HttpConnection connection, int status, Dictionary<string, string> headers, bool isHead)
    {
        _connection = connection;
        Status = status;
        Headers = headers;
        KeepAlive = !(headers.TryGetValue("Connection", out var mode) && mode.Contains("close", StringComparison.OrdinalIgnoreCase));

        if (isHead || status is 101 or 204 or 304)
        {
            _ended = true;
        }
        else if (headers.TryGetValue("Transfer-Encoding", out var encoding) && encoding.Contains("chunked", StringComparison.OrdinalIgnoreCase))
        {
            _chunked = true;
        }
        else if (headers.TryGetValue("Content-Length", out var length) && long.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes))
        {
            _left = bytes;
            _ended = bytes == 0;
        }
        else
        {
            _left = long.MaxValue;
            KeepAlive = false;
        }
    }

    internal int Status { get; }

    internal IReadOnlyDictionary<string, string> Headers { get; }

    internal bool KeepAlive { get; }

    /// <summary>Where the connection goes when the body was read completely; set by the client that lent it.</summary>
    internal Action<HttpConnection>? Return { get; set; }

    internal bool Ended => _ended;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        if (_ended || buffer.IsEmpty)
        {
            return 0;
        }

        if (_chunked && _left == 0)
        {
            StartChunk();
            if (_ended)
            {
                return 0;
            }
        }

        var wanted = (int)Math.Min(buffer.Length, _left);
        var count = _connection.Receive(buffer[..wanted]);
        if (count == 0)
        {
            _ended = true;
            if (_left != long.MaxValue)
            {
                throw new ConnectionLostException();
            }

            return 0;
        }

        if (_left != long.MaxValue)
        {
            _left -= count;
            if (_left == 0)
            {
                if (_chunked)
                {
                    _ = _connection.ReceiveLine();
                }
                else
                {
                    _ended = true;
                }
            }
        }

        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <summary>The whole body. Meant for documents; streams are read as they come.</summary>
    internal byte[] ReadAll()
    {
        if (Headers.TryGetValue("Content-Length", out var length) && int.TryParse(length, out var bytes) && !_ended)
        {
            var body = new byte[bytes];
            this.ReadExactly(body);
            return body;
        }

        using var collected = new MemoryStream();
        CopyTo(collected);
        return collected.ToArray();
    }

    internal JsonDocument ReadJson()
    {
        try
        {
            var body = ReadAll();
            // A chunked body's last, empty chunk must be consumed before the connection can serve again.
            if (!_ended)
            {
                _ = Read(stackalloc byte[1]);
            }

            return JsonDocument.Parse(body);
        }
        catch (JsonException)
        {
            throw new CliException("the engine's answer is not the JSON document it should be");
        }
    }

    /// <summary>Waits until a part of the body (or its end) has arrived, at most the given time.</summary>
    internal bool WaitReadable(int milliseconds) => _ended || _connection.WaitReadable(milliseconds);

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            // Twice is usual (a reader disposes what it reads); a connection given back twice would serve two at once.
            _disposed = true;
            if (_ended && KeepAlive && Return is { } give)
            {
                give(_connection);
            }
            else
            {
                _connection.Dispose();
            }
        }

        base.Dispose(disposing);
    }

    private void StartChunk()
    {
        var line = _connection.ReceiveLine();
        var end = line.IndexOf(';');
        if (!long.TryParse(end < 0 ? line : line[..end], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _left) || _left < 0)
        {
            throw new CliException("the engine's answer is not HTTP: bad chunk");
        }

        if (_left == 0)
        {
            while (_connection.ReceiveLine().Length > 0)
            {
                // Trailers: none of them concerns us.
            }

            _ended = true;
        }
    }
}
