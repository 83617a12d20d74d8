using System.Net;
using System.Net.Sockets;
using System.Text;
using Wherry.Linux.NetworkNamespaces;

namespace Wherry.Networking.Tests.Support;

/// <summary>A network namespace that stands for a container, or for a machine outside. It ends with this object and the sockets opened in it.</summary>
internal sealed class Namespace : IDisposable
{
    private const int CLONE_NEWNET = 0x40000000;
    private readonly NetworkNamespace _handle;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Socket> _sockets = [];

    private Namespace(NetworkNamespace handle) => _handle = handle;

    public string Path => $"/proc/{Environment.ProcessId}/fd/{_handle.Descriptor.Number}";

    public NetworkNamespace Handle => _handle;

    public static async Task<Namespace> CreateAsync() => new(await NetworkNamespace.OnOwnThreadAsync(() =>
    {
        Assert.Equal(0, PrivateHost.Unshare(CLONE_NEWNET));
        return NetworkNamespace.Open("/proc/thread-self/ns/net");
    }));

    public Task<T> InsideAsync<T>(Func<T> work) => NetworkNamespace.OnOwnThreadAsync(() =>
    {
        _handle.Enter();
        return work();
    });

    /// <summary>Answers every TCP connection with the name, the peer's address as seen here, and then everything it receives until the client's half-close.</summary>
    public async Task ServeTcpAsync(int port, string name)
    {
        var listener = await InsideAsync(() =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Any, port));
            socket.Listen(128);
            return socket;
        });
        _sockets.Add(listener);
        _ = AcceptAsync(listener, name);
    }

    /// <summary>Answers every datagram with the name in front.</summary>
    public async Task ServeUdpAsync(int port, string name)
    {
        var socket = await InsideAsync(() =>
        {
            var bound = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            bound.Bind(new IPEndPoint(IPAddress.Any, port));
            return bound;
        });
        _sockets.Add(socket);
        _ = Task.Run(async () =>
        {
            var buffer = new byte[2048];
            while (!_stop.IsCancellationRequested)
            {
                var received = await socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), _stop.Token);
                await socket.SendToAsync(Encoding.UTF8.GetBytes($"{name}:{Encoding.UTF8.GetString(buffer, 0, received.ReceivedBytes)}"), received.RemoteEndPoint);
            }
        });
    }

    public async Task<string> AskTcpAsync(IPAddress address, int port, string text = "hello", int patience = 3000) =>
        await Client.AskTcpAsync(await InsideAsync(() => new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp)), address, port, text, patience);

    public void Dispose()
    {
        _stop.Cancel();
        foreach (var socket in _sockets)
        {
            socket.Dispose();
        }

        _handle.Dispose();
    }

    private async Task AcceptAsync(Socket listener, string name)
    {
        while (!_stop.IsCancellationRequested)
        {
            var client = await listener.AcceptAsync(_stop.Token);
            _ = Task.Run(async () =>
            {
                using (client)
                {
                    var buffer = new byte[64 * 1024];
                    await client.SendAsync(Encoding.UTF8.GetBytes($"{name} {((IPEndPoint)client.RemoteEndPoint!).Address} "));
                    int length;
                    while ((length = await client.ReceiveAsync(buffer, SocketFlags.None)) > 0)
                    {
                        for (var rest = buffer.AsMemory(0, length); rest.Length > 0;)
                        {
                            rest = rest[await client.SendAsync(rest, SocketFlags.None)..];
                        }
                    }
                }
            });
        }
    }
}
