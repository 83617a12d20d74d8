using System.Net.Sockets;
using Wherry.Linux.NetworkNamespaces;

namespace Wherry.Networking.Publishing;

/// <summary>Makes the sockets with which relays reach containers: a socket belongs for ever to the network it was made in. Thread-safe.</summary>
/// <param name="network">The namespace the bridge is in, owned by the bridge network; null for the engine's own.</param>
internal sealed class ContainerSockets(NetworkNamespace? network)
{
    /// <summary>The bridge is out of the host's reach: what is published on the host has to be relayed.</summary>
    public bool AreElsewhere => network is not null;

    /// <exception cref="SocketException">Descriptors or memory ran out.</exception>
    public Socket Make(SocketType type, ProtocolType protocol) => network is null
        ? new Socket(AddressFamily.InterNetwork, type, protocol)
        : NetworkNamespace.OnOwnThreadAsync(() =>
        {
            network.Enter();
            return new Socket(AddressFamily.InterNetwork, type, protocol);
        }).GetAwaiter().GetResult();
}
