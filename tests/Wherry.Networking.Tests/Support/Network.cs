using Wherry.Linux.Netlink;
using Wherry.Networking.Bridge;

namespace Wherry.Networking.Tests.Support;

/// <summary>A bridge of its own for one test, removed at its end.</summary>
internal sealed class Network : IAsyncDisposable
{
    private static int Number;
    private readonly List<Namespace> _containers = [];

    public Network(string? bip = null)
    {
        PrivateHost.Require();
        Options = new BridgeOptions { BridgeName = $"wt{Interlocked.Increment(ref Number)}", Bip = bip };
        Bridge = new BridgeNetwork(Options, Log.Add);
    }

    public BridgeOptions Options { get; }

    public BridgeNetwork Bridge { get; private set; }

    public List<string> Log { get; } = [];

    public async Task<(Namespace Inside, Endpoint Endpoint)> AddAsync(string name, params PortRequest[] ports)
    {
        var inside = await Namespace.CreateAsync();
        lock (_containers)
        {
            _containers.Add(inside);
        }

        return (inside, await Bridge.ConnectAsync(Request(name, inside, ports)));
    }

    public static EndpointRequest Request(string name, Namespace inside, params PortRequest[] ports) => new()
    {
        ContainerId = name.PadLeft(64, '0'),
        ContainerName = name,
        NetworkNamespacePath = inside.Path,
        Ports = ports,
    };

    /// <summary>As after kill -9 of the engine: sockets are gone, links and rules stay, a new engine starts with what was persisted.</summary>
    public async Task RestartAsync(params Endpoint[] live)
    {
        await Bridge.DisposeAsync();
        Bridge = new BridgeNetwork(Options, Log.Add);
        await Bridge.RestoreAsync(live);
    }

    public static IReadOnlyList<Link> HostLinks()
    {
        using var route = NetlinkSocket.Open(NetlinkSocket.Route);
        return Links.List(route);
    }

    public async ValueTask DisposeAsync()
    {
        await Bridge.RemoveAllAsync();
        await Bridge.DisposeAsync();
        foreach (var container in _containers)
        {
            container.Dispose();
        }
    }
}
