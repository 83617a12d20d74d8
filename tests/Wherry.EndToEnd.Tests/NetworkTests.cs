using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Wherry.EndToEnd.Tests;

/// <summary>The four kinds of network, addresses, and the files under /etc that go with them.</summary>
public sealed class NetworkTests(EngineFixture fixture) : EngineTests(fixture)
{
    [Theory, BothClients]
    public async Task On_the_bridge_every_container_has_an_address_and_a_way_out(string client)
    {
        var id = await Client(client).DetachedAsync("busybox", "sleep", "60");
        var address = await AddressAsync(client, id);

        Assert.StartsWith(Engine.Gateway[..Engine.Gateway.LastIndexOf('.')], address, StringComparison.Ordinal);
        Assert.Contains(address, await Client(client).TextAsync("exec", id, "ip", "addr", "show", "eth0"), StringComparison.Ordinal);
        Assert.Contains("default via " + Engine.Gateway, await Client(client).TextAsync("exec", id, "ip", "route"), StringComparison.Ordinal);
        Assert.Contains("127.0.0.1", await Client(client).TextAsync("exec", id, "ip", "addr", "show", "lo"), StringComparison.Ordinal);
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Containers_reach_each_other_by_address(string client)
    {
        var server = await Client(client).DetachedAsync("busybox", "nc", "-ll", "-p", "7000", "-e", "echo", "neighbour");
        var address = await AddressAsync(client, server);

        await Eventually.HoldsAsync(async () =>
            Assert.Equal("neighbour", await Client(client).TextAsync("run", "--rm", "busybox", "nc", "-w", "2", address, "7000")));
        await Client(client).RemoveAsync(server);
    }

    [Theory, BothClients]
    public async Task The_host_reaches_a_container_by_address_and_the_other_way_round(string client)
    {
        var server = await Client(client).DetachedAsync("busybox", "nc", "-ll", "-p", "7000", "-e", "echo", "inside");
        Assert.Equal("inside", await Ports.AskUntilAnsweredAsync(IPAddress.Parse(await AddressAsync(client, server)), 7000));

        using var listener = new TcpListener(IPAddress.Any, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var accepted = listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        await Client(client).RunAsync("exec", "-d", server, "sh", "-c", $"echo hello | nc -w 2 {Engine.Gateway} {port}");
        using var connection = await accepted;
        using var reader = new StreamReader(connection.GetStream());
        Assert.Equal("hello", await reader.ReadLineAsync(TestContext.Current.CancellationToken));
        await Client(client).RemoveAsync(server);
    }

    [Theory, BothClients]
    public async Task Beyond_the_host_a_container_appears_under_the_hosts_address(string client)
    {
        // A network of our own on the far side of the host, with a server that tells who asked.
        var number = Engine.Bridge["whtest".Length..];
        var world = $"whworld{number}";
        await Command.ShellAsync($"ip netns del {world}; ip link del whw{number}");
        (await Command.ShellAsync($"""
            set -e
            ip netns add {world}
            ip link add whw{number} type veth peer name eth0 netns {world}
            ip addr add 198.19.{number}.1/30 dev whw{number}
            ip link set whw{number} up
            ip -n {world} addr add 198.19.{number}.2/30 dev eth0
            ip -n {world} link set eth0 up
            """)).Succeeded();
        try
        {
            using var server = Command.Start(
                "ip",
                ["netns", "exec", world, "/usr/bin/python3", "-c", "import socket\ns=socket.create_server(('0.0.0.0', 7777))\nprint('up', flush=True)\nwhile True:\n c,a=s.accept()\n c.sendall(a[0].encode()+b'\\n')\n c.close()"],
                environment: null);
            await server.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);

            Assert.Equal($"198.19.{number}.1", await Client(client).TextAsync("run", "--rm", "busybox", "nc", "-w", "3", $"198.19.{number}.2", "7777"));
            server.Kill(entireProcessTree: true);
            await server.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
        finally
        {
            await Command.ShellAsync($"ip netns del {world}; ip link del whw{number}");
        }
    }

    [Theory, BothClients]
    public async Task Network_none_has_the_loopback_only(string client)
    {
        var links = await Client(client).TextAsync("run", "--rm", "--network", "none", "busybox", "ls", "/sys/class/net");

        Assert.Equal("lo", links.Trim());
        Assert.Contains("127.0.0.1", await Client(client).TextAsync("run", "--rm", "--network", "none", "busybox", "ip", "addr", "show", "lo"), StringComparison.Ordinal);
        (await Client(client).RunAsync("run", "--rm", "--network", "none", "busybox", "sh", "-c", "nc -ll -p 80 -e echo self & sleep 0.2; nc -w 2 127.0.0.1 80")).Succeeded();
    }

    [Theory, BothClients]
    public async Task Network_host_is_the_hosts_own(string client)
    {
        var inside = await Client(client).TextAsync("run", "--rm", "--network", "host", "busybox", "readlink", "/proc/self/ns/net");
        var outside = (await Command.ShellAsync("readlink /proc/self/ns/net")).Text;

        Assert.Equal(outside, inside);
        Assert.Equal(Environment.MachineName, await Client(client).TextAsync("run", "--rm", "--network", "host", "busybox", "hostname"));
    }

    [Theory, BothClients]
    public async Task Network_of_another_container_is_shared(string client)
    {
        var first = await Client(client).DetachedAsync("--hostname", "shared", "busybox", "nc", "-ll", "-p", "7000", "-e", "echo", "same");

        await Eventually.HoldsAsync(async () =>
            Assert.Equal("same", await Client(client).TextAsync("run", "--rm", "--network", $"container:{first}", "busybox", "nc", "-w", "2", "127.0.0.1", "7000")));
        Assert.Equal("shared", await Client(client).TextAsync("run", "--rm", "--network", $"container:{first}", "busybox", "hostname"));
        await Client(client).RemoveAsync(first);

        (await Client(client).RunAsync("run", "--rm", "--network", "container:nobody-here", "busybox", "true")).Failed(125, "nobody-here");
    }

    [Theory, BothClients]
    public async Task An_unknown_network_is_refused(string client)
    {
        var name = Harness.Client.NewName();
        (await Client(client).RunAsync("run", "--name", name, "--network", "no-such-network", "busybox", "true")).Failed(125, "no-such-network");
        await Client(client).RunAsync("rm", name);
    }

    [Theory, BothClients]
    public async Task Hosts_and_hostname_name_the_container(string client)
    {
        var id = await Client(client).DetachedAsync("--hostname", "brig", "--add-host", "harbour:192.0.2.77", "busybox", "sleep", "60");
        var hosts = await Client(client).TextAsync("exec", id, "cat", "/etc/hosts");

        Assert.Matches(@"127\.0\.0\.1\s+localhost", hosts);
        Assert.Matches(await AddressAsync(client, id) + @"\s+brig", hosts);
        Assert.Matches(@"192\.0\.2\.77\s+harbour", hosts);
        Assert.Equal("brig", await Client(client).TextAsync("exec", id, "cat", "/etc/hostname"));
        Assert.Equal("brig", await Client(client).TextAsync("exec", id, "hostname"));
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Resolv_conf_has_servers_a_container_can_reach(string client)
    {
        var text = await Client(client).TextAsync("run", "--rm", "busybox", "cat", "/etc/resolv.conf");

        Assert.Contains("nameserver", text, StringComparison.Ordinal);
        Assert.DoesNotContain("nameserver 127.", text, StringComparison.Ordinal);
        Assert.DoesNotContain("nameserver ::1", text, StringComparison.Ordinal);
        Assert.Contains("nameserver 192.0.2.53", await Client(client).TextAsync("run", "--rm", "--dns", "192.0.2.53", "busybox", "cat", "/etc/resolv.conf"), StringComparison.Ordinal);
    }

    [Theory, BothClients]
    public async Task The_files_under_etc_can_be_written_and_are_not_the_hosts(string client)
    {
        (await Client(client).RunAsync("run", "--rm", "busybox", "sh", "-c", "echo 192.0.2.1 wherry-e2e >> /etc/hosts && echo x > /etc/hostname && : > /etc/resolv.conf")).Succeeded();

        Assert.DoesNotContain("wherry-e2e", await File.ReadAllTextAsync("/etc/hosts", TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory, BothClients]
    public async Task Addresses_are_used_again(string client)
    {
        // More containers, one after another, than the subnet has addresses would fail if any were lost.
        for (var round = 0; round < 10; round++)
        {
            await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => Client(client).TextAsync("run", "--rm", "busybox", "true")));
        }
    }

    private async Task<string> AddressAsync(string client, string id) =>
        (await Client(client).InspectAsync(id)).GetProperty("NetworkSettings").GetProperty("Networks").GetProperty("bridge").GetProperty("IPAddress").GetString()!
        .ToString(CultureInfo.InvariantCulture);
}
