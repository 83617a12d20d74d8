using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Wherry.Errors;
using Wherry.Linux.Netlink;
using Wherry.Networking.Bridge;
using Wherry.Networking.Tests.Support;

namespace Wherry.Networking.Tests.Bridge;

[Collection("private host")]
public sealed class BridgeNetworkTests
{
    [Fact]
    public async Task The_bridge_avoids_what_the_host_reaches_and_keeps_its_address()
    {
        await using var one = new Network();
        await one.Bridge.EnsureAsync();
        await using var other = new Network();
        await other.Bridge.EnsureAsync();

        Assert.False(one.Bridge.Subnet.Overlaps(other.Bridge.Subnet));
        var subnet = other.Bridge.Subnet;
        await other.RestartAsync();
        Assert.Equal(subnet, other.Bridge.Subnet);
    }

    [Fact]
    public async Task Engines_that_start_together_choose_different_subnets()
    {
        var networks = Enumerable.Range(0, 6).Select(_ => new Network()).ToList();
        await Task.WhenAll(networks.Select(network => network.Bridge.EnsureAsync()));
        Assert.Equal(networks.Count, networks.Select(network => network.Bridge.Subnet).Distinct().Count());
        foreach (var network in networks)
        {
            await network.DisposeAsync();
        }
    }

    [Fact]
    public async Task Bip_decides_the_address_also_of_an_existing_bridge()
    {
        await using var network = new Network("10.200.3.1/24");
        var (_, endpoint) = await network.AddAsync("c");
        Assert.Equal(("10.200.3.1", 24), (endpoint.Gateway, endpoint.PrefixLength));
        Assert.StartsWith("10.200.3.", endpoint.Address);

        await using var changed = new BridgeNetwork(network.Options with { Bip = "10.201.0.1/16" });
        await changed.EnsureAsync();
        Assert.Equal("10.201.0.0/16", changed.Subnet.ToString());
    }

    [Fact]
    public async Task The_hardware_address_follows_from_the_address_unless_given()
    {
        await using var network = new Network("10.200.4.1/24");
        var (_, endpoint) = await network.AddAsync("c");
        Assert.Equal("10.200.4.2", endpoint.Address);
        Assert.Equal("02:42:0a:c8:04:02", endpoint.MacAddress);

        using var inside = await Namespace.CreateAsync();
        var given = await network.Bridge.ConnectAsync(Network.Request("d", inside) with { MacAddress = "06:00:00:00:00:07", RequestedAddress = "10.200.4.77" });
        Assert.Equal(("06:00:00:00:00:07", "10.200.4.77"), (given.MacAddress, given.Address));
        await Assert.ThrowsAnyAsync<WherryException>(() => network.Bridge.ConnectAsync(Network.Request("e", inside) with { RequestedAddress = "10.200.4.77" }));
    }

    [Fact]
    public async Task An_endpoint_survives_as_json()
    {
        await using var network = new Network();
        var (_, endpoint) = await network.AddAsync("c", new PortRequest("tcp", 80, "127.0.0.1", 18100));
        var copy = JsonSerializer.Deserialize<Endpoint>(JsonSerializer.Serialize(endpoint))!;
        Assert.Equal(JsonSerializer.Serialize(endpoint), JsonSerializer.Serialize(copy));
    }

    [Fact]
    public async Task Restoring_takes_up_living_containers_and_clears_the_rest()
    {
        await using var network = new Network();
        var (web, endpoint) = await network.AddAsync("web", new PortRequest("tcp", 80, HostIp: null, 18101));
        await web.ServeTcpAsync(80, "web");
        var (_, lost) = await network.AddAsync("lost", new PortRequest("tcp", 80, HostIp: null, 18102));

        await network.RestartAsync(endpoint);

        Assert.StartsWith("web ", await Client.AskTcpAsync("127.0.0.1", 18101));
        Assert.StartsWith("web ", await Client.AskTcpAsync("::1", 18101));
        Assert.DoesNotContain(Network.HostLinks(), link => link.Name == lost.HostInterface);
        Assert.Contains(Network.HostLinks(), link => link.Name == endpoint.HostInterface);
        var error = await Assert.ThrowsAnyAsync<WherryException>(() => network.AddAsync("late", new PortRequest("tcp", 80, HostIp: null, 18101)));
        Assert.Contains("web", error.Message);
        var (_, next) = await network.AddAsync("next", new PortRequest("tcp", 80, HostIp: null, 18102));
        Assert.NotEqual(endpoint.Address, next.Address);
    }

    [Fact]
    public async Task Restoring_brings_back_a_lost_bridge_and_a_lost_table()
    {
        await using var network = new Network();
        var (web, endpoint) = await network.AddAsync("web", new PortRequest("tcp", 80, HostIp: null, 18103));
        await web.ServeTcpAsync(80, "web");
        await network.Bridge.DisposeAsync();
        using (var route = NetlinkSocket.Open(NetlinkSocket.Route))
        using (var netfilter = NetlinkSocket.Open(NetlinkSocket.Netfilter))
        {
            var batch = new NetlinkBatch();
            Links.Delete(batch, network.Options.BridgeName);
            route.Execute(batch);
            new Linux.Nftables.NftBatch(network.Options.TableName).DeleteTable().Commit(netfilter);
        }

        await network.RestartAsync(endpoint);

        Assert.Equal(endpoint.Gateway, network.Bridge.Gateway.ToString());
        Assert.StartsWith("web ", await Client.AskTcpAsync("127.0.0.1", 18103));
    }

    [Fact]
    public async Task A_port_taken_while_the_engine_was_away_goes_on_working()
    {
        await using var network = new Network();
        var (web, endpoint) = await network.AddAsync("web", new PortRequest("tcp", 80, "127.0.0.1", 18106));
        await web.ServeTcpAsync(80, "web");
        await network.Bridge.DisposeAsync();
        using var held = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        held.Bind(new IPEndPoint(IPAddress.Loopback, 18106));
        held.Listen();

        await network.RestartAsync(endpoint);

        Assert.StartsWith("web ", await Client.AskTcpAsync("127.0.0.1", 18106));
        Assert.Contains(network.Log, line => line.Contains("18106") && line.Contains("web"));
    }

    [Fact]
    public async Task Connections_outlive_the_engine()
    {
        await using var network = new Network();
        var (web, endpoint) = await network.AddAsync("web", new PortRequest("tcp", 80, "127.0.0.1", 18107));
        await web.ServeTcpAsync(80, "web");
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, 18107));

        await network.Bridge.DisposeAsync();
        Assert.StartsWith("web ", await Client.AskTcpAsync("127.0.0.1", 18107));
        await network.RestartAsync(endpoint);

        Assert.StartsWith("web ", await Client.AskTcpAsync(socket, text: "still here"));
    }

    [Fact]
    public async Task A_container_that_restarts_keeps_its_address()
    {
        await using var network = new Network();
        var first = await Namespace.CreateAsync();
        var before = await network.Bridge.ConnectAsync(Network.Request("db", first));
        await network.AddAsync("other");
        first.Dispose();
        await network.Bridge.DisconnectAsync(before);

        var (_, after) = await network.AddAsync("db");

        Assert.Equal(before.Address, after.Address);
        Assert.NotEqual(before.HostInterface, after.HostInterface);
    }

    [Fact]
    public async Task A_deleted_bridge_is_named_as_the_cause()
    {
        await using var network = new Network();
        await network.Bridge.EnsureAsync();
        using (var route = NetlinkSocket.Open(NetlinkSocket.Route))
        {
            var batch = new NetlinkBatch();
            Links.Delete(batch, network.Options.BridgeName);
            route.Execute(batch);
        }

        var error = await Assert.ThrowsAnyAsync<WherryException>(() => network.AddAsync("c"));
        Assert.Contains($"bridge {network.Options.BridgeName} was deleted", error.Message);
    }

    [Fact]
    public async Task A_failure_half_way_leaves_nothing()
    {
        await using var network = new Network("10.200.5.1/29");
        using var inside = await Namespace.CreateAsync();
        await network.Bridge.ConnectAsync(Network.Request("a", inside));
        var links = Network.HostLinks().Count;

        // The namespace has an eth0 already, so the link can't be made.
        var error = await Assert.ThrowsAnyAsync<WherryException>(
            () => network.Bridge.ConnectAsync(Network.Request("b", inside, new PortRequest("tcp", 80, HostIp: null, 18104))));

        Assert.Contains("EEXIST", error.Message);
        Assert.Equal(links, Network.HostLinks().Count);
        var (web, endpoint) = await network.AddAsync("c", new PortRequest("tcp", 80, HostIp: null, 18104));
        await web.ServeTcpAsync(80, "c");
        Assert.StartsWith("c ", await Client.AskTcpAsync("127.0.0.1", 18104));
        Assert.NotNull(endpoint);
    }

    [Fact]
    public async Task A_small_subnet_gives_addresses_back_once_links_are_gone()
    {
        await using var network = new Network("10.200.6.1/29");
        for (var round = 0; round < 4; round++)
        {
            var made = new List<(Namespace Inside, Endpoint Endpoint)>();
            for (var i = 0; i < 5; i++)
            {
                var inside = await Namespace.CreateAsync();
                made.Add((inside, await network.Bridge.ConnectAsync(Network.Request($"r{round}c{i}", inside))));
            }

            using (var sixth = await Namespace.CreateAsync())
            {
                var error = await Assert.ThrowsAnyAsync<WherryException>(() => network.Bridge.ConnectAsync(Network.Request("sixth", sixth)));
                Assert.Contains("no available IPv4 addresses", error.Message);
            }

            foreach (var (inside, endpoint) in made)
            {
                inside.Dispose();
                await network.Bridge.DisconnectAsync(endpoint);
            }
        }
    }

    [Fact]
    public async Task A_link_whose_namespace_lives_on_is_deleted_in_the_background()
    {
        await using var network = new Network();
        var (_, endpoint) = await network.AddAsync("shared");
        await network.Bridge.DisconnectAsync(endpoint);
        var since = Stopwatch.StartNew();
        while (Network.HostLinks().Any(link => link.Name == endpoint.HostInterface))
        {
            Assert.True(since.Elapsed < TimeSpan.FromSeconds(10), "the link is still there");
            await Task.Delay(50);
        }
    }

    [Fact]
    public async Task Fifty_containers_connect_at_once()
    {
        await using var network = new Network();
        var made = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => network.AddAsync($"c{i}", new PortRequest("tcp", 80, HostIp: null, 0))));

        Assert.Equal(50, made.Select(one => one.Endpoint.Address).Distinct().Count());
        Assert.Equal(50, made.Select(one => one.Endpoint.Ports[0].HostPort).Distinct().Count());
        await Task.WhenAll(made.Select((one, i) => one.Inside.ServeTcpAsync(80, $"c{i}")));
        for (var i = 0; i < 50; i++)
        {
            Assert.StartsWith($"c{i} ", await Client.AskTcpAsync("127.0.0.1", made[i].Endpoint.Ports[0].HostPort));
        }

        await Task.WhenAll(made.Select(one => network.Bridge.DisconnectAsync(one.Endpoint)));
        Assert.Empty(network.Log);
    }

    [Fact]
    public async Task Removing_all_leaves_neither_bridge_nor_links_nor_table()
    {
        var network = new Network();
        var (inside, endpoint) = await network.AddAsync("c", new PortRequest("tcp", 80, HostIp: null, 18105));
        await network.DisposeAsync();

        Assert.DoesNotContain(Network.HostLinks(), link => link.Name == network.Options.BridgeName || link.Name == endpoint.HostInterface);
        using var netfilter = NetlinkSocket.Open(NetlinkSocket.Netfilter);
        var error = Assert.Throws<NetlinkException>(() => new Linux.Nftables.NftBatch(network.Options.TableName).DeleteTable().Commit(netfilter));
        Assert.Equal(Linux.Errno.ENOENT, error.ErrorNumber);
        inside.Dispose();
    }

    [Fact]
    public async Task Loopback_comes_up_in_a_namespace_without_a_network()
    {
        PrivateHost.Require();
        using var inside = await Namespace.CreateAsync();
        await Loopback.BringUpAsync(inside.Path);
        Assert.True(await inside.InsideAsync(() =>
        {
            using var route = NetlinkSocket.Open(NetlinkSocket.Route);
            return Links.Find(route, "lo")!.Value.IsUp;
        }));
    }
}
