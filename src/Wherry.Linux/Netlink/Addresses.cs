using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Wherry.Linux.Netlink;

/// <summary>An IPv4 address of an interface; the address is a number in host byte order.</summary>
public readonly record struct InterfaceAddress(int Index, uint Address, int PrefixLength);

/// <summary>IPv4 address messages of rtnetlink(7). Addresses are numbers in host byte order.</summary>
public static class Addresses
{
    private const ushort RTM_NEWADDR = 20;
    private const ushort RTM_DELADDR = 21;
    private const ushort RTM_GETADDR = 22;
    private const ushort IFA_ADDRESS = 1;
    private const ushort IFA_LOCAL = 2;
    private const ushort IFA_BROADCAST = 4;
    private const byte AF_INET = 2;
    private const int HeaderSize = 8;

    public static void Add(NetlinkBatch batch, InterfaceAddress address)
    {
        Begin(batch, RTM_NEWADDR, NetlinkFlags.Create | NetlinkFlags.Exclusive, address, "add");
        var hostBits = address.PrefixLength == 0 ? uint.MaxValue : (uint)((1UL << (32 - address.PrefixLength)) - 1);
        batch.PutUInt32BigEndian(IFA_BROADCAST, address.Address | hostBits).End();
    }

    public static void Delete(NetlinkBatch batch, InterfaceAddress address)
    {
        Begin(batch, RTM_DELADDR, NetlinkFlags.None, address, "delete");
        batch.End();
    }

    /// <summary>All IPv4 addresses of the socket's namespace.</summary>
    public static IReadOnlyList<InterfaceAddress> List(NetlinkSocket socket)
    {
        var batch = new NetlinkBatch(64);
        batch.Begin(RTM_GETADDR, NetlinkFlags.Dump, "list addresses", [AF_INET, 0, 0, 0, 0, 0, 0, 0]).End();
        var addresses = new List<InterfaceAddress>();
        socket.Query(batch, (_, payload) =>
        {
            var attributes = new NetlinkAttributes(payload[HeaderSize..]);
            while (attributes.Next())
            {
                if (attributes.Type == IFA_LOCAL && attributes.Value.Length == 4)
                {
                    addresses.Add(new InterfaceAddress(
                        MemoryMarshal.Read<int>(payload[4..]), BinaryPrimitives.ReadUInt32BigEndian(attributes.Value), payload[1]));
                }
            }
        });
        return addresses;
    }

    private static void Begin(NetlinkBatch batch, ushort type, NetlinkFlags flags, InterfaceAddress address, string verb)
    {
        // struct ifaddrmsg: family, prefix length, flags, scope, interface index.
        Span<byte> header = stackalloc byte[HeaderSize];
        header.Clear();
        header[0] = AF_INET;
        header[1] = (byte)address.PrefixLength;
        MemoryMarshal.Write(header[4..], address.Index);
        var value = address.Address;
        var doing = $"{verb} address {value >> 24}.{(value >> 16) & 255}.{(value >> 8) & 255}.{value & 255}/{address.PrefixLength}";
        batch.Begin(type, flags | NetlinkFlags.Acknowledge, doing, header)
            .PutUInt32BigEndian(IFA_LOCAL, value)
            .PutUInt32BigEndian(IFA_ADDRESS, value);
    }
}
