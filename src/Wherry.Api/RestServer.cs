using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Wherry.Api.Hijacking;
using Wherry.Api.Http;
using Wherry.Transport;

namespace Wherry.Api;

/// <summary>Serves a route table on sockets that the caller has bound.</summary>
public sealed class RestServer : IAsyncDisposable
{
    /// <summary>Bytes that may wait per connection.</summary>
    private const int ReadBufferSize = 256 * 1024;

    private readonly KestrelServer _server;
    private readonly RestApplication _application;

    /// <param name="routes">What to serve.</param>
    /// <param name="sockets">Bound, not yet listening; the server owns them from here on.</param>
    /// <param name="log">Of requests.</param>
    /// <param name="loggers">Kestrel's own; null for silence.</param>
    public RestServer(RouteTable routes, IReadOnlyList<Socket> sockets, IRequestLog log, ILoggerFactory? loggers = null)
    {
        loggers ??= NullLoggerFactory.Instance;
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Limits.MaxRequestBodySize = null;      // archives have no bound; JSON bodies have their own
        options.Limits.MinRequestBodyDataRate = null;  // a client may feed an import from a slow source
        options.Limits.MinResponseDataRate = null;     // and read a log as slowly as it likes
        var bound = new Dictionary<EndPoint, Socket>();
        foreach (var socket in sockets)
        {
            var address = socket.LocalEndPoint!;
            bound.Add(address, socket);
            options.Listen(address, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                listen.Use(HijackableConnection.Middleware);
            });
        }

        _server = new KestrelServer(Options.Create(options), SocketTransport.Create(bound, (ReadBufferSize, null), loggers), loggers);
        _application = new RestApplication(routes, log);
    }

    public Task StartAsync(CancellationToken cancel) => _server.StartAsync<HttpContext>(_application, cancel);

    /// <summary>Takes no more requests, lets those under way finish for <paramref name="grace"/>, then drops them.</summary>
    public async Task StopAsync(TimeSpan grace)
    {
        using var limit = new CancellationTokenSource(grace);
        await _server.StopAsync(limit.Token).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync()
    {
        _server.Dispose();
        return ValueTask.CompletedTask;
    }
}
