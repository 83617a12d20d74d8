using System.Net;
using System.Net.Sockets;

namespace Wherry.Networking.Publishing;

/// <summary>Accepts TCP connections and relays each to the container; at most <see cref="MaxConnections"/> at a time, further ones wait in the kernel's queue.</summary>
internal sealed class TcpRelay : IRelay
{
    internal const int MaxConnections = 1024;
    private const int Backlog = 512;

    private readonly CancellationTokenSource _stop = new();
    private readonly Socket _listener;
    private readonly ushort _containerPort;
    private readonly ContainerSockets _sockets;
    private readonly Action<string> _log;

    public TcpRelay(IPEndPoint listen, ushort containerPort, ContainerSockets sockets, Action<string> log)
    {
        _containerPort = containerPort;
        _sockets = sockets;
        _log = log;
        _listener = new Socket(listen.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (listen.AddressFamily == AddressFamily.InterNetworkV6)
            {
                // The IPv4 side of the same port belongs to the redirection rule, or to a relay of its own.
                _listener.DualMode = false;
            }

            _listener.Bind(listen);
            _listener.Listen(Backlog);
        }
        catch
        {
            _listener.Dispose();
            throw;
        }
    }

    public void Start(IPAddress container) => _ = AcceptAsync(new IPEndPoint(container, _containerPort));

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
    }

    private async Task AcceptAsync(IPEndPoint target)
    {
        using var slots = new SemaphoreSlim(MaxConnections);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await slots.WaitAsync(_stop.Token);
                var client = await _listener.AcceptAsync(_stop.Token);
                _ = ServeAsync(client, target, slots);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e)
            {
                slots.Release();
                if (_stop.IsCancellationRequested)
                {
                    return;
                }

                // The client gave up, or descriptors ran out: the former needs no wait, the latter would spin without.
                if (e.SocketErrorCode != SocketError.ConnectionAborted)
                {
                    _log($"accepting on {_listener.LocalEndPoint} failed, trying on: {e.Message}");
                    await Task.Delay(TimeSpan.FromMilliseconds(200));
                }
            }
        }
    }

    private async Task ServeAsync(Socket client, IPEndPoint target, SemaphoreSlim slots)
    {
        try
        {
            using var connection = new RelayedConnection(client, _sockets);
            await connection.RunAsync(target, _stop.Token);
        }
        finally
        {
            try
            {
                slots.Release();
            }
            catch (ObjectDisposedException)
            {
                // The relay has ended; nobody waits for the slot.
            }
        }
    }
}
