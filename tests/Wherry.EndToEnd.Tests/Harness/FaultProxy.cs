using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Wherry.EndToEnd.Tests.Harness;

/// <summary>What goes wrong with one answer.</summary>
public sealed record Fault
{
    /// <summary>Answered instead of the registry.</summary>
    public int? Status { get; init; }

    /// <summary>The connection breaks after so many bytes of the body.</summary>
    public long? CutAfter { get; init; }

    /// <summary>This byte of the body comes with all its bits turned.</summary>
    public long? CorruptAt { get; init; }

    /// <summary>Either way; null is as fast as it goes.</summary>
    public int? BytesPerSecond { get; init; }
}

/// <summary>
/// Stands between an engine and a registry and does to their talk what networks do. One request per connection, as it
/// asks the registry to close after each. Also speaks as a forward proxy: then every name leads to the one registry.
/// </summary>
public sealed class FaultProxy : IAsyncDisposable
{
    private const int Stretch = 64 * 1024;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly IPEndPoint _upstream;
    private long _blobBytes;

    /// <param name="upstream">The registry: <c>127.0.0.1:port</c>.</param>
    public FaultProxy(string upstream)
    {
        _upstream = IPEndPoint.Parse(upstream);
        _listener.Start();
        _ = AcceptAsync();
    }

    public string Host => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>Asked about each request (its first line); null lets it pass.</summary>
    public Func<string, Fault?> Faults { get; set; } = static _ => null;

    /// <summary>First lines of all requests.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Bytes of blobs that were passed on to clients.</summary>
    public long BlobBytes => Interlocked.Read(ref _blobBytes);

    public static bool IsBlob(string request) => request.StartsWith("GET ", StringComparison.Ordinal) && request.Contains("/blobs/sha256:", StringComparison.Ordinal);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                _ = ServeAsync(client, _stop.Token);
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task ServeAsync(Socket client, CancellationToken stop)
    {
        try
        {
            using var near = new NetworkStream(client, ownsSocket: true);
            if (await ReadHeadAsync(near, stop) is not { } request)
            {
                return; // not HTTP: someone tries TLS first
            }

            var line = request.Head[..request.Head.IndexOf('\r', StringComparison.Ordinal)];
            Requests.Enqueue(line);
            var fault = Faults(line) ?? new Fault();
            if (fault.Status is { } status)
            {
                await near.WriteAsync(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {status} Fault\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")), stop);
                return;
            }

            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(_upstream, stop);
            using var far = new NetworkStream(socket, ownsSocket: false);
            await far.WriteAsync(Encoding.ASCII.GetBytes(ForRegistry(request.Head)), stop);
            await far.WriteAsync(request.Body, stop);
            var upwards = PumpAsync(near, far, fault with { CutAfter = null, CorruptAt = null }, 0, countsBlobs: false, stop);
            if (await ReadHeadAsync(far, stop) is { } answer)
            {
                await near.WriteAsync(Encoding.ASCII.GetBytes(answer.Head), stop);
                var first = await PassAsync(answer.Body, near, fault, 0, IsBlob(line), stop);
                await PumpAsync(far, near, fault, first, IsBlob(line), stop);
            }

            client.Close();
            await upwards;
        }
        catch (Exception end) when (end is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // One of the three has gone.
        }
    }

    /// <summary>Origin form, and one request per connection.</summary>
    private static string ForRegistry(string head)
    {
        var lines = head.Split("\r\n").Where(line => !line.StartsWith("Connection:", StringComparison.OrdinalIgnoreCase) && !line.StartsWith("Proxy-", StringComparison.OrdinalIgnoreCase)).ToList();
        var words = lines[0].Split(' ');
        if (Uri.TryCreate(words[1], UriKind.Absolute, out var absolute) && absolute.Scheme == "http")
        {
            words[1] = absolute.PathAndQuery;
        }

        lines[0] = string.Join(' ', words);
        lines.Insert(1, "Connection: close");
        return string.Join("\r\n", lines);
    }

    private async Task PumpAsync(Stream source, Stream target, Fault fault, long done, bool countsBlobs, CancellationToken stop)
    {
        var buffer = new byte[Stretch];
        for (int read; (read = await source.ReadAsync(buffer, stop)) > 0;)
        {
            done = await PassAsync(buffer.AsMemory(0, read), target, fault, done, countsBlobs, stop);
        }
    }

    /// <summary>Passes bytes of a body on; returns how many there were by now.</summary>
    private async Task<long> PassAsync(Memory<byte> bytes, Stream target, Fault fault, long done, bool countsBlobs, CancellationToken stop)
    {
        if (fault.CorruptAt is { } at && at >= done && at < done + bytes.Length)
        {
            bytes.Span[(int)(at - done)] ^= 0xFF;
        }

        var passed = fault.CutAfter is { } cut ? bytes[..(int)Math.Clamp(cut - done, 0, bytes.Length)] : bytes;
        await target.WriteAsync(passed, stop);
        if (countsBlobs)
        {
            Interlocked.Add(ref _blobBytes, passed.Length);
        }

        if (passed.Length < bytes.Length)
        {
            throw new IOException("cut");
        }

        if (fault.BytesPerSecond is { } speed)
        {
            await Task.Delay(TimeSpan.FromSeconds((double)bytes.Length / speed), stop);
        }

        return done + bytes.Length;
    }

    /// <summary>A head with its empty line, and what came with it of the body; null where it is none.</summary>
    private static async Task<(string Head, Memory<byte> Body)?> ReadHeadAsync(NetworkStream stream, CancellationToken stop)
    {
        var buffer = new byte[Stretch];
        var filled = 0;
        while (filled < buffer.Length)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(filled), stop);
            if (read == 0 || (filled == 0 && !char.IsAsciiLetterUpper((char)buffer[0])))
            {
                return null;
            }

            filled += read;
            if (buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8) is var end and >= 0)
            {
                return (Encoding.ASCII.GetString(buffer, 0, end + 4), buffer.AsMemory(end + 4, filled - end - 4));
            }
        }

        return null;
    }
}
