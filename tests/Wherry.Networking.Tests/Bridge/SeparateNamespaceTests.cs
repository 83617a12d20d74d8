using Wherry.Errors;
using Wherry.Networking.Bridge;
using Wherry.Networking.Tests.Support;

namespace Wherry.Networking.Tests.Bridge;

/// <summary>The bridge in a network namespace that the host has no way to, as an engine without root has it.</summary>
[Collection("private host")]
public sealed class SeparateNamespaceTests
{
    [Fact]
    public async Task Published_ports_are_relayed_to_it_on_every_address_of_the_host()
    {
        PrivateHost.Require();
        using var apart = await Namespace.CreateAsync();
        await using var network = new BridgeNetwork(Options(apart));
        using var inside = await Namespace.CreateAsync();
        var endpoint = await network.ConnectAsync(Network.Request("web", inside, new PortRequest("tcp", 80, null, 18180), new PortRequest("udp", 53, null, 18181)));
        await inside.ServeTcpAsync(80, "web");
        await inside.ServeUdpAsync(53, "dns");

        foreach (var address in new[] { "127.0.0.1", "::1" })
        {
            Assert.Equal($"web {endpoint.Gateway} hello", await Client.AskTcpAsync(address, 18180));
            Assert.Equal("dns:hello", await Client.AskUdpAsync(address, 18181));
            Assert.Equal("dns:again", await Client.AskUdpAsync(address, 18181, "again"));
        }

        await network.DisconnectAsync(endpoint);
        await Assert.ThrowsAsync<System.Net.Sockets.SocketException>(() => Client.AskTcpAsync("127.0.0.1", 18180));
    }

    [Fact]
    public async Task Nothing_is_made_in_the_hosts_own()
    {
        PrivateHost.Require();
        using var apart = await Namespace.CreateAsync();
        await using var network = new BridgeNetwork(Options(apart));
        await network.EnsureAsync();

        Assert.DoesNotContain(Network.HostLinks(), link => link.Name == Options(apart).BridgeName);
        Assert.Contains(await apart.InsideAsync(Network.HostLinks), link => link.Name == Options(apart).BridgeName && link.Kind == "bridge");
        Assert.Equal("1", await apart.InsideAsync(() => File.ReadAllText("/proc/sys/net/ipv4/ip_forward").Trim()));
    }

    [Fact]
    public async Task A_new_engine_relays_again_to_a_container_that_lived_on()
    {
        PrivateHost.Require();
        using var apart = await Namespace.CreateAsync();
        using var inside = await Namespace.CreateAsync();
        await inside.ServeTcpAsync(80, "web");
        Endpoint endpoint;
        await using (var former = new BridgeNetwork(Options(apart)))
        {
            endpoint = await former.ConnectAsync(Network.Request("web", inside, new PortRequest("tcp", 80, "127.0.0.1", 18182)));
        }

        await Assert.ThrowsAsync<System.Net.Sockets.SocketException>(() => Client.AskTcpAsync("127.0.0.1", 18182));
        await using var network = new BridgeNetwork(Options(apart));
        await network.RestoreAsync([endpoint]);
        Assert.StartsWith("web ", await Client.AskTcpAsync("127.0.0.1", 18182), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_that_is_taken_on_the_host_is_refused()
    {
        PrivateHost.Require();
        using var apart = await Namespace.CreateAsync();
        await using var network = new BridgeNetwork(Options(apart));
        using var inside = await Namespace.CreateAsync();
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 18183);
        taken.Start();

        var refused = await Assert.ThrowsAnyAsync<WherryException>(() => network.ConnectAsync(Network.Request("web", inside, new PortRequest("tcp", 80, "127.0.0.1", 18183))));
        Assert.Contains("address already in use", refused.Message, StringComparison.Ordinal);
        refused = await Assert.ThrowsAnyAsync<WherryException>(() => network.ConnectAsync(Network.Request("web", inside, new PortRequest("sctp", 80, "127.0.0.1", 18184))));
        Assert.Contains("SCTP", refused.Message, StringComparison.Ordinal);
    }

    private static BridgeOptions Options(Namespace apart) => new() { BridgeName = "wtapart", NamespacePath = apart.Path };
}
