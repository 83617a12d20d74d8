using System.Net;
using System.Net.Sockets;
using Wherry.Errors;
using Wherry.Linux.Netlink;
using Wherry.Networking.Bridge;
using Wherry.Networking.Tests.Support;

namespace Wherry.Networking.Tests.Bridge;

[Collection("private host")]
public sealed class PublishingTests
{
    [Fact]
    public async Task A_published_port_is_reached_on_every_address_of_the_host()
    {
        await using var network = new Network();
        var (inside, endpoint) = await network.AddAsync("web", new PortRequest("tcp", 80, HostIp: null, 18080));
        await inside.ServeTcpAsync(80, "web");

        Assert.Equal($"web {endpoint.Gateway} hello", await Client.AskTcpAsync("127.0.0.1", 18080));
        Assert.Equal($"web {endpoint.Gateway} hello", await Client.AskTcpAsync(endpoint.Gateway, 18080));
        Assert.Equal($"web {endpoint.Gateway} hello", await Client.AskTcpAsync("::1", 18080));
        Assert.Equal(
            [new PublishedPort("tcp", 80, "0.0.0.0", 18080), new PublishedPort("tcp", 80, "::", 18080)],
            endpoint.Ports);
    }

    [Fact]
    public async Task Datagrams_find_their_way_there_and_back()
    {
        await using var network = new Network();
        var (inside, _) = await network.AddAsync("dns", new PortRequest("udp", 53, HostIp: null, 15353));
        await inside.ServeUdpAsync(53, "dns");

        Assert.Equal("dns:hello", await Client.AskUdpAsync("127.0.0.1", 15353));
        Assert.Equal("dns:hello", await Client.AskUdpAsync("::1", 15353));
        Assert.Equal("dns:again", await Client.AskUdpAsync("::1", 15353, "again"));
    }

    [Fact]
    public async Task A_client_that_sent_before_the_port_was_published_is_served_after()
    {
        await using var network = new Network();
        await network.Bridge.EnsureAsync();
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        client.Connect(new IPEndPoint(IPAddress.Loopback, 15354));
        client.Send("early"u8);
        var (inside, _) = await network.AddAsync("dns", new PortRequest("udp", 53, "127.0.0.1", 15354));
        await inside.ServeUdpAsync(53, "dns");

        var buffer = new byte[64];
        using var limit = new CancellationTokenSource(3000);
        int? length = null;
        while (length is null)
        {
            try
            {
                await client.SendAsync("late"u8.ToArray(), limit.Token);
                using var soon = CancellationTokenSource.CreateLinkedTokenSource(limit.Token);
                soon.CancelAfter(100);
                length = await client.ReceiveAsync(buffer, soon.Token);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
            {
                // The answer to the early one.
            }
            catch (OperationCanceledException) when (!limit.IsCancellationRequested)
            {
                // The kernel still held on to the early flow.
            }
        }

        Assert.Equal("dns:late", System.Text.Encoding.UTF8.GetString(buffer, 0, length.Value));
        Assert.Empty(network.Log);
    }

    [Fact]
    public async Task A_port_published_on_one_address_is_not_served_on_another()
    {
        await using var network = new Network();
        var (inside, endpoint) = await network.AddAsync("web", new PortRequest("tcp", 80, "127.0.0.1", 18081), new PortRequest("tcp", 80, "::1", 18082));
        await inside.ServeTcpAsync(80, "web");

        Assert.StartsWith("web ", await Client.AskTcpAsync("127.0.0.1", 18081));
        await Assert.ThrowsAsync<SocketException>(() => Client.AskTcpAsync(endpoint.Gateway, 18081));
        await Assert.ThrowsAsync<SocketException>(() => Client.AskTcpAsync("::1", 18081));
        Assert.StartsWith("web ", await Client.AskTcpAsync("::1", 18082));
        await Assert.ThrowsAsync<SocketException>(() => Client.AskTcpAsync("127.0.0.1", 18082));
    }

    [Fact]
    public async Task The_relay_carries_large_data_and_half_closes()
    {
        await using var network = new Network();
        var (inside, endpoint) = await network.AddAsync("web", new PortRequest("tcp", 80, HostIp: null, 18083));
        await inside.ServeTcpAsync(80, "web");

        var text = string.Create(8_000_000, 0, (span, _) =>
        {
            for (var i = 0; i < span.Length; i++)
            {
                span[i] = (char)('a' + (i % 26));
            }
        });
        Assert.Equal($"web {endpoint.Gateway} {text}", await Client.AskTcpAsync("::1", 18083, text, patience: 20_000));
    }

    [Fact]
    public async Task Containers_reach_each_other_by_address_and_by_published_port()
    {
        await using var network = new Network();
        var (web, webEndpoint) = await network.AddAsync("web", new PortRequest("tcp", 80, HostIp: null, 18084));
        var (other, otherEndpoint) = await network.AddAsync("other");
        await web.ServeTcpAsync(80, "web");

        Assert.Equal($"web {otherEndpoint.Address} hello", await other.AskTcpAsync(IPAddress.Parse(webEndpoint.Address), 80));
        Assert.Equal($"web {webEndpoint.Gateway} hello", await other.AskTcpAsync(IPAddress.Parse(webEndpoint.Gateway), 18084));
        Assert.Equal($"web {webEndpoint.Gateway} hello", await web.AskTcpAsync(IPAddress.Parse(webEndpoint.Gateway), 18084));
    }

    [Fact]
    public async Task The_outside_reaches_published_ports_only_and_sees_the_hosts_address()
    {
        await using var network = new Network();
        using var outside = await OutsideAsync();
        var (web, endpoint) = await network.AddAsync("web", new PortRequest("tcp", 80, HostIp: null, 18085), new PortRequest("tcp", 80, "127.0.0.1", 18086));
        await web.ServeTcpAsync(80, "web");
        await outside.ServeTcpAsync(7, "outside");

        Assert.Equal("web 10.99.0.2 hello", await outside.AskTcpAsync(IPAddress.Parse("10.99.0.1"), 18085));
        Assert.Equal("outside 10.99.0.1 hello", await web.AskTcpAsync(IPAddress.Parse("10.99.0.2"), 7));
        await Assert.ThrowsAnyAsync<Exception>(() => outside.AskTcpAsync(IPAddress.Parse("10.99.0.1"), 18086, patience: 500));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => outside.AskTcpAsync(IPAddress.Parse(endpoint.Address), 80, patience: 500));
    }

    [Fact]
    public async Task A_port_of_another_container_is_refused_by_name_and_leaves_nothing()
    {
        await using var network = new Network();
        await network.AddAsync("first", new PortRequest("tcp", 80, HostIp: null, 18087));
        var before = Network.HostLinks().Count;

        var error = await Assert.ThrowsAnyAsync<WherryException>(() => network.AddAsync("second", new PortRequest("tcp", 80, "127.0.0.1", 18087)));

        Assert.StartsWith("driver failed programming external connectivity on endpoint second (", error.Message);
        Assert.Contains("Bind for 127.0.0.1:18087 failed: port is already allocated", error.Message);
        Assert.Contains("first", error.Message);
        Assert.Equal(ErrorKind.System, error.Kind);
        Assert.Equal(before, Network.HostLinks().Count);
    }

    [Theory]
    [InlineData("0.0.0.0", "tcp")]
    [InlineData("127.0.0.1", "tcp")]
    [InlineData("::", "tcp")]
    [InlineData("127.0.0.1", "udp")]
    public async Task A_port_of_a_host_process_is_refused_with_its_name(string address, string protocol)
    {
        await using var network = new Network();
        var ip = IPAddress.Parse(address);
        using var held = protocol == "tcp"
            ? new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
            : new Socket(ip.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        held.Bind(new IPEndPoint(ip, 18088));
        if (protocol == "tcp")
        {
            held.Listen();
        }

        var error = await Assert.ThrowsAnyAsync<WherryException>(() => network.AddAsync("web", new PortRequest(protocol, 80, HostIp: null, 18088)));

        Assert.Contains("port is already allocated", error.Message);
        Assert.Contains($"process {Environment.ProcessId} ", error.Message);
    }

    [Fact]
    public async Task A_host_process_cannot_take_a_published_port()
    {
        await using var network = new Network();
        await network.AddAsync("web", new PortRequest("tcp", 80, HostIp: null, 18089), new PortRequest("udp", 80, HostIp: null, 18089));

        foreach (var (type, protocol) in new[] { (SocketType.Stream, ProtocolType.Tcp), (SocketType.Dgram, ProtocolType.Udp) })
        {
            using var socket = new Socket(AddressFamily.InterNetwork, type, protocol);
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            Assert.Equal(SocketError.AddressAlreadyInUse, Assert.Throws<SocketException>(() => socket.Bind(new IPEndPoint(IPAddress.Loopback, 18089))).SocketErrorCode);
        }
    }

    [Fact]
    public async Task A_port_left_open_is_chosen_and_works()
    {
        await using var network = new Network();
        var (inside, endpoint) = await network.AddAsync("web", new PortRequest("tcp", 80, HostIp: null, 0), new PortRequest("tcp", 81, HostIp: null, 0));
        await inside.ServeTcpAsync(80, "web");

        Assert.Equal(4, endpoint.Ports.Count);
        Assert.Equal(endpoint.Ports[0].HostPort, endpoint.Ports[1].HostPort);
        Assert.NotEqual(endpoint.Ports[0].HostPort, endpoint.Ports[2].HostPort);
        Assert.StartsWith("web ", await Client.AskTcpAsync("127.0.0.1", endpoint.Ports[0].HostPort));
        Assert.StartsWith("web ", await Client.AskTcpAsync("::1", endpoint.Ports[1].HostPort));
    }

    [Fact]
    public async Task After_disconnecting_the_port_is_refused_and_free()
    {
        await using var network = new Network();
        var (inside, endpoint) = await network.AddAsync("web", new PortRequest("tcp", 80, HostIp: null, 18090));
        await inside.ServeTcpAsync(80, "web");
        Assert.StartsWith("web ", await Client.AskTcpAsync("127.0.0.1", 18090));

        await network.Bridge.DisconnectAsync(endpoint);
        await network.Bridge.DisconnectAsync(endpoint);

        await Assert.ThrowsAsync<SocketException>(() => Client.AskTcpAsync("127.0.0.1", 18090));
        await Assert.ThrowsAsync<SocketException>(() => Client.AskTcpAsync("::1", 18090));
        var (next, _) = await network.AddAsync("next", new PortRequest("tcp", 80, HostIp: null, 18090));
        await next.ServeTcpAsync(80, "next");
        Assert.StartsWith("next ", await Client.AskTcpAsync("127.0.0.1", 18090));
    }

    [Fact]
    public async Task Two_engines_side_by_side_do_not_touch_each_other()
    {
        await using var one = new Network();
        await using var other = new Network();
        var (web, _) = await one.AddAsync("web", new PortRequest("tcp", 80, HostIp: null, 18091));
        await web.ServeTcpAsync(80, "web");
        var (client, _) = await other.AddAsync("client");

        Assert.False(one.Bridge.Subnet.Overlaps(other.Bridge.Subnet));
        var error = await Assert.ThrowsAnyAsync<WherryException>(() => other.AddAsync("second", new PortRequest("tcp", 80, HostIp: null, 18091)));
        Assert.Contains("port is already allocated", error.Message);
        Assert.StartsWith("web ", await client.AskTcpAsync(one.Bridge.Gateway.ToIPAddress(), 18091));
        await other.RestartAsync();
        Assert.StartsWith("web ", await Client.AskTcpAsync("127.0.0.1", 18091));
    }

    /// <summary>A machine 10.99.0.2 on a wire to the host, which is 10.99.0.1 there and its way to everywhere.</summary>
    private static async Task<Namespace> OutsideAsync()
    {
        var outside = await Namespace.CreateAsync();
        using var route = NetlinkSocket.Open(NetlinkSocket.Route);
        var batch = new NetlinkBatch();
        Links.AddBridge(batch, "lan", [2, 0, 0, 0, 0, 1], mtu: null);
        Links.SetUp(batch, "lan");
        route.Execute(batch);
        var lan = Links.Find(route, "lan")!.Value.Index;
        batch.Clear();
        Addresses.Add(batch, new InterfaceAddress(lan, 0x0A630001, 24));
        Links.AddVeth(batch, new VethEnd("wire"), lan, new VethEnd("eth0"), outside.Handle.Descriptor, mtu: null);
        Links.SetUp(batch, "wire");
        route.Execute(batch);
        await outside.InsideAsync(() =>
        {
            using var inner = NetlinkSocket.Open(NetlinkSocket.Route);
            var eth0 = Links.Find(inner, "eth0")!.Value.Index;
            var inside = new NetlinkBatch();
            Addresses.Add(inside, new InterfaceAddress(eth0, 0x0A630002, 24));
            Links.SetUp(inside, eth0, "eth0");
            Routes.AddDefault(inside, 0x0A630001);
            inner.Execute(inside);
            return true;
        });
        return outside;
    }
}
