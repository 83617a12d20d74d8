using System.Net;
using System.Net.Sockets;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Sockets;
using Wherry.Networking.Addressing;
using Wherry.Networking.Bridge;

namespace Wherry.Networking.Publishing;

/// <summary>
/// Reserves host ports for endpoints. The kernel is the judge, by binding a socket: that settles conflicts with every process
/// of the host, other engines included. The ledger only adds the name of a container of our own. Thread-safe.
/// </summary>
/// <param name="log">Told what could not be served.</param>
/// <param name="sockets">How relays reach containers.</param>
internal sealed class PortReservations(Action<string> log, ContainerSockets sockets)
{
    // A busy host may use many ports of its ephemeral range; trying all of a large one would be endless.
    private const int MaxProposals = 4096;

    private readonly PortLedger _ledger = new();
    private readonly EphemeralPorts _ephemeral = new();

    /// <summary>Reserves all ports or none.</summary>
    /// <exception cref="WherryException">A port is taken or its address is not the host's; the message names the holder where it can.</exception>
    public PortLease Reserve(IReadOnlyList<PortRequest> requests, string endpointId, string containerName)
    {
        var lease = new PortLease(endpointId, containerName);
        try
        {
            foreach (var request in requests)
            {
                var binding = PortBinding.Parse(request);
                if (binding.HostPort != 0)
                {
                    Bind(lease, binding, isProposal: false);
                }
                else
                {
                    BindAnywhere(lease, binding);
                }
            }

            _ledger.Enter(lease);
            return lease;
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Takes up the ports of a container that lived through the engine's absence. A port that somebody took meanwhile is
    /// reported and left to the redirection rule, which catches its packets before any socket sees them.
    /// </summary>
    public PortLease Restore(IReadOnlyList<PublishedPort> ports, string endpointId, string containerName)
    {
        var lease = new PortLease(endpointId, containerName);
        foreach (var port in ports)
        {
            try
            {
                Bind(lease, port, PortBinding.ParseProtocol(port.Protocol), IPAddress.Parse(port.HostIp), isProposal: false);
            }
            catch (Exception e) when (e is WherryException or SocketException)
            {
                log($"port {port.HostIp}:{port.HostPort}/{port.Protocol} of container {containerName} could not be reserved again: {e.Message}");
                lease.Add(port, claim: null);
            }
        }

        _ledger.Enter(lease);
        return lease;
    }

    /// <summary>Whether any of these ports is held by an endpoint of this engine.</summary>
    public bool HasHolder(IReadOnlyList<PublishedPort> ports) =>
        ports.Any(port => _ledger.HolderOf(PortBinding.ParseProtocol(port.Protocol), IPAddress.Parse(port.HostIp), port.HostPort) is not null);

    private void BindAnywhere(PortLease lease, PortBinding binding)
    {
        var proposals = Math.Min(_ephemeral.Count, MaxProposals);
        for (var i = 0; i < proposals; i++)
        {
            // A failed try may have bound the IPv4 side already; it goes into a lease of its own that can be dropped.
            using var attempt = new PortLease(lease.EndpointId, lease.ContainerName);
            try
            {
                Bind(attempt, binding with { HostPort = _ephemeral.Propose() }, isProposal: true);
                attempt.MoveTo(lease);
                return;
            }
            catch (PortTakenException)
            {
                // The next proposal may be free.
            }
        }

        throw new WherryException(ErrorKind.Unavailable, $"all ports are allocated: {proposals} ports of the host's ephemeral range are in use");
    }

    private void Bind(PortLease lease, PortBinding binding, bool isProposal)
    {
        var protocol = PortBinding.NameOf(binding.Protocol);
        if (binding.V4 is { } v4)
        {
            Bind(lease, new PublishedPort(protocol, binding.ContainerPort, v4.ToString(), binding.HostPort), binding.Protocol, v4, isProposal);
        }

        if (binding.V6 is { } v6)
        {
            try
            {
                Bind(lease, new PublishedPort(protocol, binding.ContainerPort, v6.ToString(), binding.HostPort), binding.Protocol, v6, isProposal);
            }
            catch (SocketException e) when (binding.V6Optional && IsWithoutIpv6(e))
            {
                // Nothing to serve: the host has no IPv6.
            }
            catch (SocketException e)
            {
                throw WherryException.System($"Bind for [{v6}]:{binding.HostPort} failed: {e.Message}", e);
            }
        }
    }

    private void Bind(PortLease lease, PublishedPort port, TransportProtocol protocol, IPAddress address, bool isProposal)
    {
        var text = address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{port.HostIp}]" : port.HostIp;
        if (_ledger.HolderOf(protocol, address, port.HostPort) is { } holder)
        {
            throw new PortTakenException($"Bind for {text}:{port.HostPort} failed: port is already allocated (by container {holder.ContainerName})");
        }

        if (address.AddressFamily == AddressFamily.InterNetworkV6 || sockets.AreElsewhere)
        {
            try
            {
                lease.Add(port, Relay(protocol, new IPEndPoint(address, port.HostPort), port.ContainerPort));
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                throw TakenByHost(protocol, port, text, isProposal);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AccessDenied)
            {
                throw WherryException.System(
                    $"Bind for {text}:{port.HostPort} failed: the host lets only root serve ports below net.ipv4.ip_unprivileged_port_start; publish on a higher port, or have root run 'sysctl net.ipv4.ip_unprivileged_port_start={port.HostPort}'", e);
            }
            catch (SocketException e) when (address.AddressFamily == AddressFamily.InterNetwork)
            {
                throw WherryException.System($"Bind for {text}:{port.HostPort} failed: {e.Message}", e);
            }

            return;
        }

        var claim = PortClaim.TryMake(protocol, Ipv4Address.Parse(port.HostIp).Value, port.HostPort, out var errno);
        if (errno == Errno.EADDRINUSE)
        {
            throw TakenByHost(protocol, port, text, isProposal);
        }

        if (errno != 0)
        {
            throw WherryException.System($"Bind for {text}:{port.HostPort} failed: {Errno.Describe(errno)}");
        }

        lease.Add(port, claim);
    }

    private IRelay Relay(TransportProtocol protocol, IPEndPoint listen, ushort containerPort) => protocol switch
    {
        TransportProtocol.Udp => new UdpRelay(listen, containerPort, sockets, log),
        TransportProtocol.Tcp => new TcpRelay(listen, containerPort, sockets, log),
        _ => throw WherryException.Unsupported("publishing SCTP ports is not supported by an engine without root: there is no relay for them"),
    };

    private static PortTakenException TakenByHost(TransportProtocol protocol, PublishedPort port, string address, bool isProposal)
    {
        // Nobody sees the message of a proposal that was not the user's.
        var holder = (isProposal ? null : PortHolder.Describe(protocol, port.HostPort)) ?? "another process of the host";
        return new PortTakenException(
            $"failed to bind host port {address}:{port.HostPort}/{port.Protocol}: address already in use: port is already allocated (by {holder}); stop it or publish on another port");
    }

    private static bool IsWithoutIpv6(SocketException e) =>
        e.SocketErrorCode is SocketError.AddressFamilyNotSupported or SocketError.AddressNotAvailable or SocketError.ProtocolNotSupported or SocketError.ProtocolFamilyNotSupported;
}
