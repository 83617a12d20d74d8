using System.Net;
using Wherry.Errors;
using Wherry.Linux.Sockets;
using Wherry.Networking.Bridge;
using Wherry.Networking.Publishing;

namespace Wherry.Networking.Tests.Publishing;

public sealed class PortTests
{
    [Fact]
    public void Chosen_ports_go_round_the_range()
    {
        var ports = new EphemeralPorts((40000, 40002));
        Assert.Equal([40000, 40001, 40002, 40000], Enumerable.Range(0, 4).Select(_ => (int)ports.Propose()));
    }

    [Fact]
    public void A_request_without_address_means_both_families()
    {
        var binding = PortBinding.Parse(new PortRequest("TCP", 80, "", 8080));
        Assert.Equal((IPAddress.Any, IPAddress.IPv6Any, true), (binding.V4, binding.V6, binding.V6Optional));
        Assert.Null(PortBinding.Parse(new PortRequest("tcp", 80, "0.0.0.0", 8080)).V6);
        Assert.Null(PortBinding.Parse(new PortRequest("tcp", 80, "[::1]", 8080)).V4);
        Assert.Null(PortBinding.Parse(new PortRequest("sctp", 80, null, 8080)).V6);
    }

    [Theory]
    [InlineData("icmp", 80, null)]
    [InlineData("tcp", 0, null)]
    [InlineData("tcp", 80, "localhost")]
    [InlineData("tcp", 80, "10.1")]
    public void Bad_requests_are_refused(string protocol, ushort port, string? address) =>
        Assert.Equal(ErrorKind.InvalidParameter, Assert.Throws<WherryException>(() => PortBinding.Parse(new PortRequest(protocol, port, address, 8080))).Kind);

    [Fact]
    public void The_ledger_knows_overlapping_holders_until_they_leave()
    {
        var ledger = new PortLedger();
        var one = Lease("one", new PublishedPort("tcp", 80, "127.0.0.1", 8080));
        var two = Lease("two", new PublishedPort("tcp", 80, "192.0.2.1", 8080));
        ledger.Enter(one);
        ledger.Enter(two);

        Assert.Same(one, ledger.HolderOf(TransportProtocol.Tcp, IPAddress.Loopback, 8080));
        Assert.Same(one, ledger.HolderOf(TransportProtocol.Tcp, IPAddress.Any, 8080));
        Assert.Null(ledger.HolderOf(TransportProtocol.Tcp, IPAddress.IPv6Any, 8080));
        Assert.Null(ledger.HolderOf(TransportProtocol.Udp, IPAddress.Loopback, 8080));
        one.Dispose();
        Assert.Same(two, ledger.HolderOf(TransportProtocol.Tcp, IPAddress.Any, 8080));
        two.Dispose();
        Assert.Null(ledger.HolderOf(TransportProtocol.Tcp, IPAddress.Any, 8080));
    }

    private static PortLease Lease(string name, PublishedPort port)
    {
        var lease = new PortLease(name, name);
        lease.Add(port, claim: null);
        return lease;
    }
}
