using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Wherry.Errors;
using Wherry.Registry.Authentication;
using Wherry.Registry.Collection;
using Wherry.Registry.Http;
using Wherry.Registry.Metrics;
using Wherry.Registry.Pages;
using Wherry.Registry.Storage;
using Wherry.Transport;

namespace Wherry.Registry;

/// <summary>What one registry serves, and how.</summary>
public sealed record RegistryServerOptions
{
    public required IRegistryContent Content { get; init; }

    /// <summary>Where pushes go, and what is collected; null where there is nothing of its own.</summary>
    public LocalStore? Store { get; init; }

    /// <summary>Why clients can't change anything; null where they can.</summary>
    public string? ReadOnly { get; init; }

    public required IReadOnlyList<IPEndPoint> Listen { get; init; }

    /// <summary>Another address for health and metrics alone, without TLS; null serves metrics on the main ones.</summary>
    public IPEndPoint? MetricsListen { get; init; }

    public TlsIdentity? Tls { get; init; }

    public GatekeeperOptions Authentication { get; init; } = new();

    /// <summary>Null where the store's content is not this registry's to remove.</summary>
    public CollectionSchedule? Collection { get; init; }

    public bool KeepUntagged { get; init; }

    public RegistryMetrics Metrics { get; init; } = new();
}

/// <summary>One registry, listening.</summary>
public sealed class RegistryServer : IAsyncDisposable
{
    /// <summary>Bytes that may wait per connection in each direction.</summary>
    private const int BufferSize = 512 * 1024;

    private const int MostConnections = 10_000;

    private readonly List<KestrelServer> _servers = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _collecting;

    private RegistryServer(RegistryServerOptions options, IRegistryLog log, Collector? collector)
    {
        _collecting = collector is null ? Task.CompletedTask : options.Collection!.RunAsync(options.Store!, collector, log, _stop.Token);
    }

    /// <summary>Where it listens, with the ports the kernel chose.</summary>
    public IReadOnlyList<IPEndPoint> Addresses { get; private set; } = [];

    /// <summary>Where health and metrics are served apart; null for nowhere.</summary>
    public IPEndPoint? MetricsAddress { get; private set; }

    /// <exception cref="WherryException">An address can't be listened on.</exception>
    public static async Task<RegistryServer> StartAsync(RegistryServerOptions options, IRegistryLog log, ILoggerFactory? loggers, CancellationToken cancel)
    {
        var collector = options is { Store: { } store, Collection: not null } ? new Collector(store, options.KeepUntagged) : null;
        var gatekeeper = new Gatekeeper(options.Authentication);
        var metrics = options.Metrics;
        if (options.Store is { } counted)
        {
            metrics.Gauge("wherry_registry_uploads_open", "Uploads that have begun and not ended.", () => counted.OpenUploads);
        }

        var service = new ServiceEndpoints(gatekeeper, collector, options.Collection?.Grace ?? TimeSpan.Zero, metrics, () => Health(options), log);
        var writable = options.ReadOnly is null ? options.Store : null;
        var parts = new RegistryEndpoints.Parts(
            new BlobEndpoints(options.Content, writable, metrics, log),
            new ManifestEndpoints(options.Content, writable, log),
            new DiscoveryEndpoints(options.Content),
            writable is null ? null : new UploadEndpoints(writable, metrics, log),
            service,
            new PageEndpoints(options.Store ?? options.Content, options.Store));
        var endpoints = RegistryEndpoints.For(parts, options.ReadOnly, withMetrics: options.MetricsListen is null);
        var server = new RegistryServer(options, log, collector);
        try
        {
            server.Addresses = await server.ListenAsync(new RegistryApplication(endpoints, gatekeeper, metrics, log), options.Listen, options.Tls, loggers, cancel).ConfigureAwait(false);
            if (options.MetricsListen is { } apart)
            {
                var monitoring = new RegistryApplication(RegistryEndpoints.ForMonitoring(service), new Gatekeeper(new GatekeeperOptions()), metrics, log);
                server.MetricsAddress = (await server.ListenAsync(monitoring, [apart], null, loggers, cancel).ConfigureAwait(false))[0];
            }

            return server;
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Takes no more requests, lets those under way finish for <paramref name="grace"/>, then drops them.</summary>
    public async Task StopAsync(TimeSpan grace)
    {
        using var limit = new CancellationTokenSource(grace);
        await _stop.CancelAsync().ConfigureAwait(false);
        foreach (var server in _servers)
        {
            await server.StopAsync(limit.Token).ConfigureAwait(false);
        }

        await _collecting.ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _collecting.ConfigureAwait(false);
        _servers.ForEach(server => server.Dispose());
        _stop.Dispose();
    }

    private async Task<IReadOnlyList<IPEndPoint>> ListenAsync(
        RegistryApplication application,
        IReadOnlyList<IPEndPoint> addresses,
        TlsIdentity? tls,
        ILoggerFactory? loggers,
        CancellationToken cancel)
    {
        loggers ??= NullLoggerFactory.Instance;
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Limits.MaxRequestBodySize = null; // a layer has no bound but the store's, and documents have their own
        options.Limits.MaxConcurrentConnections = MostConnections;
        options.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        // Clients unpack while they fetch and pack while they send, and stand still for it now and then.
        options.Limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 100, gracePeriod: TimeSpan.FromMinutes(2));
        options.Limits.MinResponseDataRate = new MinDataRate(bytesPerSecond: 100, gracePeriod: TimeSpan.FromMinutes(5));
        options.Limits.MaxResponseBufferSize = BufferSize;
        var bound = new Dictionary<EndPoint, Socket>();
        try
        {
            foreach (var address in addresses)
            {
                var socket = Bind(address);
                bound.Add(socket.LocalEndPoint!, socket);
                options.Listen(socket.LocalEndPoint!, listen =>
                {
                    listen.Protocols = HttpProtocols.Http1;
                    if (tls is not null)
                    {
                        listen.Use(new TlsConnection(tls).Middleware);
                    }
                });
            }

            var server = new KestrelServer(Options.Create(options), SocketTransport.Create(bound, (BufferSize, BufferSize), loggers), loggers);
            _servers.Add(server);
            await server.StartAsync<HttpContext>(application, cancel).ConfigureAwait(false);
            return [.. bound.Keys.Cast<IPEndPoint>()];
        }
        catch
        {
            foreach (var socket in bound.Values)
            {
                socket.Dispose();
            }

            throw;
        }
    }

    private static Socket Bind(IPEndPoint address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(address);
            return socket;
        }
        catch (SocketException failure)
        {
            socket.Dispose();
            throw WherryException.System($"listen on {address}: {failure.Message}", failure);
        }
    }

    /// <summary>What is wrong; null when nothing is.</summary>
    private static string? Health(RegistryServerOptions options)
    {
        if (options.Store is not { } store || options.ReadOnly is not null)
        {
            return null;
        }

        var probe = Path.Combine(store.Layout.Uploads, ".health");
        try
        {
            File.WriteAllBytes(probe, "ok"u8.ToArray());
            File.Delete(probe);
            return null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return $"the registry's root can't be written: {failure.Message}";
        }
    }
}
