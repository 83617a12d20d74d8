using System.Buffers.Binary;

namespace Wherry.Linux.Netlink;

/// <summary>An IPv4 route's destination; the address is a number in host byte order, a default route has prefix length 0.</summary>
public readonly record struct RouteDestination(uint Address, int PrefixLength);

/// <summary>IPv4 route messages of rtnetlink(7).</summary>
public static class Routes
{
    private const ushort RTM_NEWROUTE = 24;
    private const ushort RTM_GETROUTE = 26;
    private const ushort RTA_DST = 1;
    private const ushort RTA_GATEWAY = 5;
    private const byte AF_INET = 2;
    private const byte RT_TABLE_MAIN = 254;
    private const byte RTPROT_BOOT = 3;
    private const byte RT_SCOPE_UNIVERSE = 0;
    private const byte RTN_UNICAST = 1;
    private const int HeaderSize = 12;

    /// <param name="batch">The batch to append to.</param>
    /// <param name="gateway">The next hop in host byte order; the kernel finds the interface by it.</param>
    public static void AddDefault(NetlinkBatch batch, uint gateway)
    {
        // struct rtmsg: family, lengths of destination and source, tos, table, protocol, scope, type, flags.
        batch.Begin(
                RTM_NEWROUTE,
                NetlinkFlags.Create | NetlinkFlags.Exclusive | NetlinkFlags.Acknowledge,
                "add the default route",
                [AF_INET, 0, 0, 0, RT_TABLE_MAIN, RTPROT_BOOT, RT_SCOPE_UNIVERSE, RTN_UNICAST, 0, 0, 0, 0])
            .PutUInt32BigEndian(RTA_GATEWAY, gateway)
            .End();
    }

    /// <summary>The destinations of all IPv4 unicast routes of the socket's namespace, whatever their table.</summary>
    public static IReadOnlyList<RouteDestination> ListDestinations(NetlinkSocket socket)
    {
        var batch = new NetlinkBatch(64);
        batch.Begin(RTM_GETROUTE, NetlinkFlags.Dump, "list routes", [AF_INET, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).End();
        var routes = new List<RouteDestination>();
        socket.Query(batch, (_, payload) =>
        {
            if (payload[7] != RTN_UNICAST)
            {
                return;
            }

            var address = 0u;
            var attributes = new NetlinkAttributes(payload[HeaderSize..]);
            while (attributes.Next())
            {
                if (attributes.Type == RTA_DST && attributes.Value.Length == 4)
                {
                    address = BinaryPrimitives.ReadUInt32BigEndian(attributes.Value);
                }
            }

            routes.Add(new RouteDestination(address, payload[1]));
        });
        return routes;
    }
}
