using Wherry.Linux.Netlink;
using Wherry.Linux.Nftables;
using Wherry.Networking.Tests.Support;

namespace Wherry.Networking.Tests.Netlink;

[Collection("private host")]
public sealed class NetlinkTests
{
    [Fact]
    public void Messages_are_padded_nested_and_sized()
    {
        var batch = new NetlinkBatch(capacity: 1);
        batch.Begin(16, NetlinkFlags.Create | NetlinkFlags.Acknowledge, "test", [7, 0, 0, 0]).PutString(3, "eth0");
        var nest = batch.BeginNest(18);
        batch.PutByte(1, 0xAB).EndNest(nest).PutUInt32BigEndian(2, 0x01020304).End();
        Assert.Equal(
            "34000000100005040000000000000000" // length 52, type 16, flags, sequence, port
            + "07000000"
            + "09000300" + "6574683000000000" // "eth0" with its zero byte, padded
            + "0C001280" + "05000100" + "AB000000" // nested flag
            + "08000200" + "01020304",
            Convert.ToHexString(batch.Written));
    }

    [Fact]
    public void Attributes_of_a_truncated_message_end_the_walk()
    {
        var attributes = new NetlinkAttributes([5, 0, 1, 0, 0xAB, 0, 0, 0, 200, 0, 2, 0, 1]);
        Assert.True(attributes.Next());
        Assert.Equal((1, 1), (attributes.Type, attributes.Value.Length));
        Assert.False(attributes.Next());
        Assert.False(new NetlinkAttributes([1, 0, 1]).Next());
    }

    [Fact]
    public void An_error_says_what_was_done_and_what_the_kernel_said()
    {
        PrivateHost.Require();
        using var route = NetlinkSocket.Open(NetlinkSocket.Route);
        var batch = new NetlinkBatch();
        Links.SetUp(batch, "lo");
        Links.SetUp(batch, "nosuchlink");
        Addresses.Add(batch, new InterfaceAddress(1, 0x7F000001, 40));
        var error = Assert.Throws<NetlinkException>(() => route.Execute(batch));
        Assert.StartsWith("set nosuchlink up: ENODEV", error.Message);

        batch.Clear();
        Addresses.Add(batch, new InterfaceAddress(1, 0x7F000001, 40));
        error = Assert.Throws<NetlinkException>(() => route.Execute(batch));
        Assert.StartsWith("add address 127.0.0.1/40: EINVAL", error.Message);
        Assert.NotNull(error.Explanation);
        Assert.NotNull(Links.Find(route, "lo"));
        Assert.Null(Links.Find(route, "nosuchlink"));
    }

    [Fact]
    public void A_transaction_larger_than_the_socket_buffer_is_one_transaction()
    {
        PrivateHost.Require();
        using var netfilter = NetlinkSocket.Open(NetlinkSocket.Netfilter);
        var elements = Enumerable.Range(0, 10_000).Select(i => new NftElement(
            (byte[])[6, 0, 0, 0, (byte)(i >> 8), (byte)i, 0, 0], (byte[])[10, 0, 0, 1, 0, 80, 0, 0], "one of many elements")).ToList();
        new NftBatch("large").AddTable()
            .AddMap("ports", [NftType.TransportProtocol, NftType.Port], [NftType.Ipv4Address, NftType.Port])
            .AddElements("ports", elements)
            .Commit(netfilter);
        new NftBatch("large").DeleteElements("ports", elements).DeleteTable().Commit(netfilter);
    }

    [Fact]
    public void A_failed_transaction_changes_nothing()
    {
        PrivateHost.Require();
        using var netfilter = NetlinkSocket.Open(NetlinkSocket.Netfilter);
        var error = Assert.Throws<NetlinkException>(() => new NftBatch("undone").AddTable()
            .AddRule("nochain", "test", rule => rule.Verdict(NftVerdict.Accept))
            .Commit(netfilter));
        Assert.StartsWith("add rule \"test\" to chain nochain of table undone: ENOENT", error.Message);
        Assert.Equal(Linux.Errno.ENOENT, Assert.Throws<NetlinkException>(() => new NftBatch("undone").DeleteTable().Commit(netfilter)).ErrorNumber);
    }
}
