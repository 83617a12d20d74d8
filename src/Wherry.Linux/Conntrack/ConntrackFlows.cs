using System.Buffers.Binary;
using Wherry.Linux.Netlink;

namespace Wherry.Linux.Conntrack;

/// <summary>
/// Forgets tracked connections (ctnetlink). A connection keeps the address translation it began with for as long as packets
/// come, whatever the rules say since; for UDP, which has no end, that can be for ever. The kernel searches its whole table
/// for each message, so this belongs in the background. Kernels that can't filter a deletion answer with an error and
/// delete nothing.
/// </summary>
public static class ConntrackFlows
{
    private const ushort IPCTNL_MSG_CT_DELETE = (1 << 8) | 2;
    private const ushort CTA_TUPLE_ORIG = 1;
    private const ushort CTA_TUPLE_REPLY = 2;
    private const ushort CTA_FILTER = 25;
    private const ushort CTA_TUPLE_IP = 1;
    private const ushort CTA_TUPLE_PROTO = 2;
    private const ushort CTA_IP_V4_SRC = 1;
    private const ushort CTA_PROTO_NUM = 1;
    private const ushort CTA_PROTO_DST_PORT = 3;
    private const ushort CTA_FILTER_ORIG_FLAGS = 1;
    private const ushort CTA_FILTER_REPLY_FLAGS = 2;
    private const uint MatchSourceAddress = 1 << 0;
    private const uint MatchProtocol = 1 << 3;
    private const uint MatchDestinationPort = 1 << 5;
    private const byte Udp = 17;
    private const byte Ipv4Family = 2;

    /// <summary>All connections whose answers come from this address, i.e. that were translated or sent to it.</summary>
    /// <param name="batch">The batch to append to.</param>
    /// <param name="address">In host byte order.</param>
    public static void DeleteTo(NetlinkBatch batch, uint address)
    {
        Begin(batch, "forget the connections of a container that is gone");
        var tuple = batch.BeginNest(CTA_TUPLE_REPLY);
        var ip = batch.BeginNest(CTA_TUPLE_IP);
        batch.PutUInt32BigEndian(CTA_IP_V4_SRC, address).EndNest(ip).EndNest(tuple);
        Filter(batch, original: 0, reply: MatchSourceAddress);
        batch.End();
    }

    /// <summary>All UDP flows that were begun towards this port, on whatever address.</summary>
    public static void DeleteUdpTo(NetlinkBatch batch, ushort port)
    {
        Begin(batch, $"forget the flows to UDP port {port}");
        var tuple = batch.BeginNest(CTA_TUPLE_ORIG);
        var protocol = batch.BeginNest(CTA_TUPLE_PROTO);
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, port);
        batch.PutByte(CTA_PROTO_NUM, Udp).Put(CTA_PROTO_DST_PORT, bytes).EndNest(protocol).EndNest(tuple);
        Filter(batch, original: MatchProtocol | MatchDestinationPort, reply: 0);
        batch.End();
    }

    private static void Begin(NetlinkBatch batch, string doing) =>
        // struct nfgenmsg: family, version 0, resource 0.
        batch.Begin(IPCTNL_MSG_CT_DELETE, NetlinkFlags.Acknowledge, doing, [Ipv4Family, 0, 0, 0]);

    private static void Filter(NetlinkBatch batch, uint original, uint reply)
    {
        var filter = batch.BeginNest(CTA_FILTER);
        batch.PutUInt32(CTA_FILTER_ORIG_FLAGS, original).PutUInt32(CTA_FILTER_REPLY_FLAGS, reply).EndNest(filter);
    }
}
