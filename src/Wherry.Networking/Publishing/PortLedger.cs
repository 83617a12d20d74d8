using System.Net;
using Wherry.Linux.Sockets;

namespace Wherry.Networking.Publishing;

/// <summary>Which container of this engine holds which host port. Thread-safe; every question takes constant time.</summary>
internal sealed class PortLedger
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(TransportProtocol Protocol, ushort Port), List<(IPAddress Address, PortLease Lease)>> _entries = [];

    /// <summary>The lease that holds the port on this address or on one that includes it, or null.</summary>
    public PortLease? HolderOf(TransportProtocol protocol, IPAddress address, ushort port)
    {
        lock (_gate)
        {
            return _entries.TryGetValue((protocol, port), out var entries)
                ? entries.Find(entry => Overlap(entry.Address, address)).Lease
                : null;
        }
    }

    public void Enter(PortLease lease)
    {
        lock (_gate)
        {
            foreach (var port in lease.Ports)
            {
                var key = (PortBinding.ParseProtocol(port.Protocol), port.HostPort);
                if (!_entries.TryGetValue(key, out var entries))
                {
                    _entries[key] = entries = [];
                }

                entries.Add((IPAddress.Parse(port.HostIp), lease));
            }
        }

        lease.Entered(this);
    }

    public void Strike(PortLease lease)
    {
        lock (_gate)
        {
            foreach (var port in lease.Ports)
            {
                var key = (PortBinding.ParseProtocol(port.Protocol), port.HostPort);
                if (_entries.TryGetValue(key, out var entries) && entries.RemoveAll(entry => entry.Lease == lease) > 0 && entries.Count == 0)
                {
                    _entries.Remove(key);
                }
            }
        }
    }

    private static bool Overlap(IPAddress one, IPAddress other) =>
        one.AddressFamily == other.AddressFamily
        && (one.Equals(other) || one.Equals(IPAddress.Any) || other.Equals(IPAddress.Any) || one.Equals(IPAddress.IPv6Any) || other.Equals(IPAddress.IPv6Any));
}
