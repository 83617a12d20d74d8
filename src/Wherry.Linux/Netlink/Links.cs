using System.Runtime.InteropServices;

namespace Wherry.Linux.Netlink;

/// <summary>A network interface as the kernel lists it.</summary>
/// <param name="Index">The interface index; unique in its namespace.</param>
/// <param name="Name">Its name.</param>
/// <param name="Kind">The virtual device's kind (<c>bridge</c>, <c>veth</c>), or null for a physical one and the loopback.</param>
/// <param name="Master">The index of the bridge it is a port of, or 0.</param>
/// <param name="IsUp">Whether it was set up (IFF_UP).</param>
public readonly record struct Link(int Index, string Name, string? Kind, int Master, bool IsUp);

/// <summary>One end of a veth pair.</summary>
/// <param name="Name">At most 15 bytes.</param>
/// <param name="HardwareAddress">Six bytes, or empty to let the kernel choose.</param>
public readonly record struct VethEnd(string Name, ReadOnlyMemory<byte> HardwareAddress = default);

/// <summary>Link messages of rtnetlink(7).</summary>
public static class Links
{
    /// <summary>The loopback's index in every network namespace (LOOPBACK_IFINDEX).</summary>
    public const int LoopbackIndex = 1;

    private const ushort RTM_NEWLINK = 16;
    private const ushort RTM_DELLINK = 17;
    private const ushort RTM_GETLINK = 18;

    private const ushort IFLA_ADDRESS = 1;
    private const ushort IFLA_IFNAME = 3;
    private const ushort IFLA_MTU = 4;
    private const ushort IFLA_MASTER = 10;
    private const ushort IFLA_LINKINFO = 18;
    private const ushort IFLA_AF_SPEC = 26;
    private const ushort IFLA_GROUP = 27;
    private const ushort IFLA_NET_NS_FD = 28;
    private const ushort IFLA_EXT_MASK = 29;
    private const ushort IFLA_INFO_KIND = 1;
    private const ushort IFLA_INFO_DATA = 2;
    private const ushort IFLA_INFO_SLAVE_KIND = 4;
    private const ushort IFLA_INFO_SLAVE_DATA = 5;
    private const ushort IFLA_BRPORT_MODE = 4;
    private const ushort VETH_INFO_PEER = 1;
    private const ushort IFLA_INET6_ADDR_GEN_MODE = 8;
    private const uint RTEXT_FILTER_SKIP_STATS = 8;
    private const byte IN6_ADDR_GEN_MODE_NONE = 1;
    private const ushort AF_INET6 = 10;
    private const uint IFF_UP = 1;
    private const int InterfaceHeaderSize = 16;

    public static void AddBridge(NetlinkBatch batch, string name, ReadOnlySpan<byte> hardwareAddress, int? mtu)
    {
        Begin(batch, RTM_NEWLINK, NetlinkFlags.Create | NetlinkFlags.Exclusive | NetlinkFlags.Acknowledge, $"add bridge {name}");
        batch.PutString(IFLA_IFNAME, name).Put(IFLA_ADDRESS, hardwareAddress);
        PutMtu(batch, mtu);
        var info = batch.BeginNest(IFLA_LINKINFO);
        batch.PutString(IFLA_INFO_KIND, "bridge").EndNest(info).End();
    }

    /// <summary>
    /// Adds a veth pair in one message: the host's end here as a port of <paramref name="master"/>, its peer born inside
    /// the namespace, so there is no moment in which it could be seen or lost on the host. Both are down.
    /// </summary>
    /// <param name="batch">The batch to append to.</param>
    /// <param name="host">The end that stays in this namespace.</param>
    /// <param name="master">The bridge's index.</param>
    /// <param name="peer">The end inside the other namespace.</param>
    /// <param name="namespaceDescriptor">An open network namespace; it must stay open until the batch was sent.</param>
    /// <param name="mtu">Bytes, or null for the kernel's default.</param>
    public static void AddVeth(NetlinkBatch batch, VethEnd host, int master, VethEnd peer, FileDescriptor namespaceDescriptor, int? mtu)
    {
        Begin(batch, RTM_NEWLINK, NetlinkFlags.Create | NetlinkFlags.Exclusive | NetlinkFlags.Acknowledge, $"add veth pair {host.Name}");
        batch.PutString(IFLA_IFNAME, host.Name).PutUInt32(IFLA_MASTER, (uint)master);
        PutAddress(batch, host);
        PutMtu(batch, mtu);
        var info = batch.BeginNest(IFLA_LINKINFO);
        batch.PutString(IFLA_INFO_KIND, "veth");
        var data = batch.BeginNest(IFLA_INFO_DATA);
        var other = batch.BeginNest(VETH_INFO_PEER);
        batch.PutRaw(InterfaceHeader(0, 0, 0)).PutString(IFLA_IFNAME, peer.Name).PutUInt32(IFLA_NET_NS_FD, (uint)namespaceDescriptor.Number);
        PutAddress(batch, peer);
        PutMtu(batch, mtu);
        batch.EndNest(other).EndNest(data).EndNest(info).End();
    }

    public static void SetUp(NetlinkBatch batch, string name)
    {
        Begin(batch, RTM_NEWLINK, NetlinkFlags.Acknowledge, $"set {name} up", 0, IFF_UP, IFF_UP);
        batch.PutString(IFLA_IFNAME, name).End();
    }

    public static void SetUp(NetlinkBatch batch, int index, string name)
    {
        Begin(batch, RTM_NEWLINK, NetlinkFlags.Acknowledge, $"set {name} up", index, IFF_UP, IFF_UP);
        batch.End();
    }

    /// <summary>Moves a link into another network namespace under a name it may keep.</summary>
    /// <param name="batch">The batch to append to.</param>
    /// <param name="link">In this namespace.</param>
    /// <param name="namespaceDescriptor">An open network namespace; it must stay open until the batch was sent.</param>
    /// <param name="name">Its name there.</param>
    public static void Move(NetlinkBatch batch, Link link, FileDescriptor namespaceDescriptor, string name)
    {
        Begin(batch, RTM_NEWLINK, NetlinkFlags.Acknowledge, $"move {link.Name} into another network namespace as {name}", link.Index);
        batch.PutUInt32(IFLA_NET_NS_FD, (uint)namespaceDescriptor.Number).PutString(IFLA_IFNAME, name).End();
    }

    public static void SetMaster(NetlinkBatch batch, Link link, int master)
    {
        Begin(batch, RTM_NEWLINK, NetlinkFlags.Acknowledge, $"attach {link.Name} to its bridge", link.Index);
        batch.PutUInt32(IFLA_MASTER, (uint)master).End();
    }

    /// <summary>No IPv6 link-local address when the link comes up: a bridge port needs none, and duplicate detection would cost a second of multicast. A kernel without IPv6 has nothing to switch off.</summary>
    public static void WithoutLinkLocalAddress(NetlinkBatch batch, string name)
    {
        Begin(batch, RTM_NEWLINK, NetlinkFlags.Acknowledge, doing: null);
        batch.PutString(IFLA_IFNAME, name);
        var families = batch.BeginNest(IFLA_AF_SPEC);
        var inet6 = batch.BeginNest(AF_INET6);
        batch.PutByte(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE).EndNest(inet6).EndNest(families).End();
    }

    /// <summary>
    /// Lets a bridge port send a frame back out where it came in. Where br_netfilter hands bridged packets to the IP rules,
    /// a container's connection to its own published port is turned round inside the bridge and would be dropped without it.
    /// </summary>
    public static void AllowHairpin(NetlinkBatch batch, string port)
    {
        Begin(batch, RTM_NEWLINK, NetlinkFlags.Acknowledge, $"set hairpin mode of {port}");
        batch.PutString(IFLA_IFNAME, port);
        var info = batch.BeginNest(IFLA_LINKINFO);
        batch.PutString(IFLA_INFO_SLAVE_KIND, "bridge");
        var data = batch.BeginNest(IFLA_INFO_SLAVE_DATA);
        batch.PutByte(IFLA_BRPORT_MODE, 1).EndNest(data).EndNest(info).End();
    }

    /// <summary>Puts a link into a group, so that <see cref="DeleteGroup"/> can delete many at the price of one.</summary>
    public static void SetGroup(NetlinkBatch batch, Link link, uint group)
    {
        Begin(batch, RTM_NEWLINK, NetlinkFlags.Acknowledge, $"put {link.Name} into group {group}", link.Index);
        batch.PutUInt32(IFLA_GROUP, group).End();
    }

    /// <summary>Deletes every link of a group. The grace period that makes one deletion slow (20 ms) is paid once for all.</summary>
    public static void DeleteGroup(NetlinkBatch batch, uint group)
    {
        Begin(batch, RTM_DELLINK, NetlinkFlags.Acknowledge, $"delete the links of group {group}");
        batch.PutUInt32(IFLA_GROUP, group).End();
    }

    /// <summary>Deletes one link; blocks the caller for some 20 ms (an RCU grace period).</summary>
    public static void Delete(NetlinkBatch batch, string name)
    {
        Begin(batch, RTM_DELLINK, NetlinkFlags.Acknowledge, $"delete link {name}");
        batch.PutString(IFLA_IFNAME, name).End();
    }

    /// <summary>The link of that name in the socket's namespace, or null.</summary>
    public static Link? Find(NetlinkSocket socket, string name)
    {
        var batch = new NetlinkBatch(128);
        Begin(batch, RTM_GETLINK, NetlinkFlags.None, $"look up link {name}");
        batch.PutString(IFLA_IFNAME, name).PutUInt32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS).End();
        Link? found = null;
        try
        {
            socket.Query(batch, (_, payload) => found = Parse(payload));
        }
        catch (NetlinkException e) when (e.ErrorNumber == Errno.ENODEV)
        {
            return null;
        }

        return found;
    }

    /// <summary>All links of the socket's namespace.</summary>
    public static IReadOnlyList<Link> List(NetlinkSocket socket)
    {
        var batch = new NetlinkBatch(64);
        Begin(batch, RTM_GETLINK, NetlinkFlags.Dump, "list links");
        batch.PutUInt32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS).End();
        var links = new List<Link>();
        socket.Query(batch, (_, payload) => links.Add(Parse(payload)));
        return links;
    }

    private static Link Parse(ReadOnlySpan<byte> payload)
    {
        var index = MemoryMarshal.Read<int>(payload[4..]);
        var flags = MemoryMarshal.Read<uint>(payload[8..]);
        var name = "";
        string? kind = null;
        var master = 0;
        var attributes = new NetlinkAttributes(payload[InterfaceHeaderSize..]);
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case IFLA_IFNAME:
                    name = attributes.Text;
                    break;
                case IFLA_MASTER:
                    master = (int)attributes.UInt32;
                    break;
                case IFLA_LINKINFO:
                    var info = attributes.Nested;
                    while (info.Next())
                    {
                        kind = info.Type == IFLA_INFO_KIND ? info.Text : kind;
                    }

                    break;
            }
        }

        return new Link(index, name, kind, master, (flags & IFF_UP) != 0);
    }

    private static void Begin(
        NetlinkBatch batch, ushort type, NetlinkFlags flags, string? doing, int index = 0, uint interfaceFlags = 0, uint change = 0) =>
        batch.Begin(type, flags, doing, InterfaceHeader(index, interfaceFlags, change));

    /// <summary>struct ifinfomsg: family, type, index, flags, and which flags to change.</summary>
    private static byte[] InterfaceHeader(int index, uint flags, uint change)
    {
        var header = new byte[InterfaceHeaderSize];
        MemoryMarshal.Write(header.AsSpan(4), index);
        MemoryMarshal.Write(header.AsSpan(8), flags);
        MemoryMarshal.Write(header.AsSpan(12), change);
        return header;
    }

    private static void PutAddress(NetlinkBatch batch, VethEnd end)
    {
        if (!end.HardwareAddress.IsEmpty)
        {
            batch.Put(IFLA_ADDRESS, end.HardwareAddress.Span);
        }
    }

    private static void PutMtu(NetlinkBatch batch, int? mtu)
    {
        if (mtu is { } bytes)
        {
            batch.PutUInt32(IFLA_MTU, (uint)bytes);
        }
    }
}
