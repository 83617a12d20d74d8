using System.Runtime.InteropServices;

namespace Wherry.Linux.Netlink;

/// <summary>
/// The addresses of an interface, IPv4 and IPv6, as the kernel tells them, to be given again after a move into
/// another namespace has lost them.
/// </summary>
public sealed class KeptAddresses
{
    private const ushort RTM_NEWADDR = 20;
    private const ushort RTM_GETADDR = 22;
    private const ushort IFA_ADDRESS = 1;
    private const ushort IFA_LOCAL = 2;
    private const int HeaderSize = 8;
    private const byte ScopeUniverse = 0;

    private readonly List<(byte Family, byte PrefixLength, byte[]? Address, byte[]? Local)> _addresses = [];

    public static KeptAddresses Read(NetlinkSocket socket, int index)
    {
        var kept = new KeptAddresses();
        var batch = new NetlinkBatch(64);
        batch.Begin(RTM_GETADDR, NetlinkFlags.Dump, "list addresses", new byte[HeaderSize]).End();
        socket.Query(batch, (_, payload) =>
        {
            // struct ifaddrmsg: family, prefix length, flags, scope, interface index.
            if (MemoryMarshal.Read<int>(payload[4..]) != index || payload[3] != ScopeUniverse)
            {
                return;
            }

            byte[]? address = null;
            byte[]? local = null;
            var attributes = new NetlinkAttributes(payload[HeaderSize..]);
            while (attributes.Next())
            {
                address = attributes.Type == IFA_ADDRESS ? attributes.Value.ToArray() : address;
                local = attributes.Type == IFA_LOCAL ? attributes.Value.ToArray() : local;
            }

            kept._addresses.Add((payload[0], payload[1], address, local));
        });
        return kept;
    }

    /// <summary>Gives them to an interface of the socket's namespace.</summary>
    public void Give(NetlinkSocket socket, int index)
    {
        foreach (var (family, prefix, address, local) in _addresses)
        {
            var header = new byte[HeaderSize];
            header[0] = family;
            header[1] = prefix;
            MemoryMarshal.Write(header.AsSpan(4), index);
            var batch = new NetlinkBatch(128);
            batch.Begin(RTM_NEWADDR, NetlinkFlags.Create | NetlinkFlags.Acknowledge, "give a moved interface its address again", header);
            if (local is not null)
            {
                batch.Put(IFA_LOCAL, local);
            }

            if (address is not null)
            {
                batch.Put(IFA_ADDRESS, address);
            }

            batch.End();
            socket.Execute(batch);
        }
    }
}
