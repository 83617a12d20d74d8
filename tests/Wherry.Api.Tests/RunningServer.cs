using System.Net.Sockets;
using System.Text;
using Wherry.Api.Http;

namespace Wherry.Api.Tests;

/// <summary>The real server on a unix socket of its own, with routes of the test's choosing.</summary>
internal sealed class RunningServer : IAsyncDisposable, IRequestLog
{
    private readonly string _directory = Directory.CreateTempSubdirectory("wherry-api-").FullName;
    private RestServer? _server;

    public string SocketPath => Path.Combine(_directory, "api.sock");

    public List<Exception> Defects { get; } = [];

    public static async Task<RunningServer> StartAsync(Action<RouteTable> addRoutes)
    {
        var running = new RunningServer();
        var routes = new RouteTable();
        addRoutes(routes);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(running.SocketPath));
        running._server = new RestServer(routes, [socket], running);
        await running._server.StartAsync(CancellationToken.None);
        return running;
    }

    public HttpClient Client() => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancel) =>
        {
            var socket = await ConnectAsync(cancel);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    {
        BaseAddress = new Uri("http://docker"),
        Timeout = TimeSpan.FromSeconds(20),
    };

    public async Task<Socket> ConnectAsync(CancellationToken cancel = default)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath), cancel);
        return socket;
    }

    /// <summary>Sends text as it is and reads until the server closes.</summary>
    public async Task<string> ExchangeAsync(string text, bool halfClose)
    {
        using var socket = await ConnectAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes(text));
        if (halfClose)
        {
            socket.Shutdown(SocketShutdown.Send);
        }

        return await ReadToEndAsync(socket);
    }

    public static async Task<string> ReadToEndAsync(Socket socket)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var text = new StringBuilder();
        var buffer = new byte[64 * 1024];
        while (await socket.ReceiveAsync(buffer, limit.Token) is > 0 and var count)
        {
            text.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }

        return text.ToString();
    }

    /// <summary>Reads until the text so far ends with <paramref name="ending"/>.</summary>
    public static async Task<string> ReadUntilAsync(Socket socket, string ending)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var text = new StringBuilder();
        var buffer = new byte[1];
        while (!text.ToString().EndsWith(ending, StringComparison.Ordinal) && await socket.ReceiveAsync(buffer, limit.Token) > 0)
        {
            text.Append((char)buffer[0]);
        }

        return text.ToString();
    }

    public void Request(string method, string path, int status)
    {
    }

    public void Broken(string method, string path, string message)
    {
    }

    public void Defect(string method, string path, Exception exception) => Defects.Add(exception);

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.StopAsync(TimeSpan.FromSeconds(1));
            await _server.DisposeAsync();
        }

        Directory.Delete(_directory, recursive: true);
    }
}
