using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Wherry.Cli.Tests.Support;

/// <summary>A request as it arrived.</summary>
internal sealed record RecordedRequest(string Method, string Target, string Body);

/// <summary>Listens on a unix socket, writes down every request and answers it by a function.</summary>
internal sealed class RecordingEngine : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Func<RecordedRequest, (int Status, string Body)> _answer;
    private readonly string _directory = Directory.CreateTempSubdirectory("wherry-cli").FullName;

    internal RecordingEngine(Func<RecordedRequest, (int Status, string Body)> answer)
    {
        _answer = answer;
        var path = Path.Combine(_directory, "s");
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen();
        Address = "unix://" + path;
        new Thread(Accept) { IsBackground = true }.Start();
    }

    internal string Address { get; }

    internal List<RecordedRequest> Requests { get; } = [];

    public void Dispose()
    {
        _listener.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private void Accept()
    {
        try
        {
            while (true)
            {
                var connection = _listener.Accept();
                new Thread(() => Serve(connection)) { IsBackground = true }.Start();
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private void Serve(Socket connection)
    {
        using var stream = new NetworkStream(connection, ownsSocket: true);
        try
        {
            while (ReadRequest(stream) is { } request)
            {
                lock (Requests)
                {
                    Requests.Add(request);
                }

                var (status, body) = _answer(request);
                var bytes = Encoding.UTF8.GetBytes(body);
                var length = status == 204 ? "" : $"Content-Length: {bytes.Length}\r\n";
                stream.Write(Encoding.UTF8.GetBytes($"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{length}\r\n"));
                stream.Write(bytes);
            }
        }
        catch (IOException)
        {
            // The client left.
        }
    }

    private static RecordedRequest? ReadRequest(Stream stream)
    {
        var line = ReadLine(stream);
        if (line is not { Length: > 0 })
        {
            return null;
        }

        var length = 0;
        var chunked = false;
        while (ReadLine(stream) is { Length: > 0 } header)
        {
            if (header.StartsWith("Content-Length: ", StringComparison.Ordinal))
            {
                length = int.Parse(header["Content-Length: ".Length..], CultureInfo.InvariantCulture);
            }

            chunked |= header == "Transfer-Encoding: chunked";
        }

        var body = new List<byte>();
        while (chunked && int.Parse(ReadLine(stream)!, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) is var size)
        {
            body.AddRange(ReadExactly(stream, size));
            _ = ReadLine(stream);
            chunked = size > 0;
        }

        body.AddRange(ReadExactly(stream, length));
        var words = line.Split(' ');
        return new RecordedRequest(words[0], words[1], Encoding.UTF8.GetString([.. body]));
    }

    private static byte[] ReadExactly(Stream stream, int count)
    {
        var bytes = new byte[count];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static string? ReadLine(Stream stream)
    {
        var line = new StringBuilder();
        while (stream.ReadByte() is >= 0 and var value)
        {
            if (value == '\n')
            {
                return line.ToString().TrimEnd('\r');
            }

            line.Append((char)value);
        }

        return null;
    }
}
