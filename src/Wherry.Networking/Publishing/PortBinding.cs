using System.Net;
using System.Net.Sockets;
using Wherry.Errors;
using Wherry.Linux.Sockets;
using Wherry.Networking.Addressing;
using Wherry.Networking.Bridge;

namespace Wherry.Networking.Publishing;

/// <summary>One port request, parsed: which host addresses it asks for and whether it insists on them.</summary>
internal readonly record struct PortBinding(TransportProtocol Protocol, ushort ContainerPort, IPAddress? V4, IPAddress? V6, bool V6Optional, ushort HostPort)
{
    public static PortBinding Parse(PortRequest request)
    {
        var protocol = ParseProtocol(request.Protocol);
        if (request.ContainerPort == 0)
        {
            throw WherryException.Invalid("invalid containerPort: 0: a container's port lies between 1 and 65535");
        }

        if (string.IsNullOrEmpty(request.HostIp))
        {
            // As in Docker "everywhere" includes IPv6 where the host has it. There is no relay for SCTP.
            return new PortBinding(
                protocol, request.ContainerPort, IPAddress.Any, protocol == TransportProtocol.Sctp ? null : IPAddress.IPv6Any, V6Optional: true, request.HostPort);
        }

        if (!IPAddress.TryParse(request.HostIp.Trim('[', ']'), out var address)
            || (address.AddressFamily == AddressFamily.InterNetwork && !Ipv4Address.TryParse(request.HostIp, out _)))
        {
            throw WherryException.Invalid($"invalid IP address to publish a port on: {request.HostIp}");
        }

        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            return new PortBinding(protocol, request.ContainerPort, address, V6: null, V6Optional: false, request.HostPort);
        }

        return protocol == TransportProtocol.Sctp
            ? throw WherryException.Unsupported($"publishing an SCTP port on an IPv6 address ({address}) is not supported: the bridge is IPv4")
            : new PortBinding(protocol, request.ContainerPort, V4: null, address, V6Optional: false, request.HostPort);
    }

    public static TransportProtocol ParseProtocol(string protocol) => protocol.ToLowerInvariant() switch
    {
        "tcp" => TransportProtocol.Tcp,
        "udp" => TransportProtocol.Udp,
        "sctp" => TransportProtocol.Sctp,
        _ => throw WherryException.Invalid($"invalid proto: {protocol}: expected tcp, udp or sctp"),
    };

    public static string NameOf(TransportProtocol protocol) => protocol switch
    {
        TransportProtocol.Tcp => "tcp",
        TransportProtocol.Udp => "udp",
        _ => "sctp",
    };
}
