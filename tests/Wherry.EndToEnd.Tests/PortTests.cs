using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Wherry.EndToEnd.Tests;

/// <summary>Published ports.</summary>
public sealed class PortTests(EngineFixture fixture) : EngineTests(fixture)
{
    /// <summary>Answers every connection with a word.</summary>
    private static string[] Server(string word, int port = 80) => ["busybox", "nc", "-ll", "-p", port.ToString(CultureInfo.InvariantCulture), "-e", "echo", word];

    [Theory, BothClients]
    public async Task A_port_is_reached_on_the_loopback_and_on_the_hosts_address(string client)
    {
        var port = Ports.Free();
        var id = await Client(client).DetachedAsync(["-p", $"{port}:80", .. Server("ahoy")]);

        Assert.Equal("ahoy", await Ports.AskUntilAnsweredAsync(IPAddress.Loopback, port));
        if (Ports.HostAddress() is { } address)
        {
            Assert.Equal("ahoy", await Ports.AskAsync(address, port));
        }

        if (Ports.HostHasIPv6Loopback)
        {
            Assert.Equal("ahoy", await Ports.AskAsync(IPAddress.IPv6Loopback, port));
        }

        Assert.Contains($"0.0.0.0:{port}->80/tcp", await Client(client).TextAsync("ps", "--format", "{{.Ports}}", "--filter", "id=" + id), StringComparison.Ordinal);
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task A_port_bound_to_the_loopback_is_not_reached_from_elsewhere(string client)
    {
        var port = Ports.Free();
        var id = await Client(client).DetachedAsync(["-p", $"127.0.0.1:{port}:80", .. Server("local")]);

        Assert.Equal("local", await Ports.AskUntilAnsweredAsync(IPAddress.Loopback, port));
        if (Ports.HostAddress() is { } address)
        {
            await Ports.AssertRefusedAsync(address, port);
        }

        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task The_ipv6_loopback_alone_can_be_published(string client)
    {
        Assert.SkipUnless(Ports.HostHasIPv6Loopback, "this host has no IPv6");
        var port = Ports.Free();
        var id = await Client(client).DetachedAsync(["-p", $"[::1]:{port}:80", .. Server("six")]);

        Assert.Equal("six", await Ports.AskUntilAnsweredAsync(IPAddress.IPv6Loopback, port));
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task A_free_port_is_chosen_when_none_is_named(string client)
    {
        var id = await Client(client).DetachedAsync(["-p", "80", "-p", "127.0.0.1::81", .. Server("chosen")]);
        var ports = (await Client(client).InspectAsync(id)).GetProperty("NetworkSettings").GetProperty("Ports");

        var chosen = int.Parse(ports.GetProperty("80/tcp")[0].GetProperty("HostPort").GetString()!, CultureInfo.InvariantCulture);
        Assert.Equal("chosen", await Ports.AskUntilAnsweredAsync(IPAddress.Loopback, chosen));
        Assert.Equal("127.0.0.1", ports.GetProperty("81/tcp")[0].GetProperty("HostIp").GetString());
        Assert.Contains($":{chosen}", await Client(client).TextAsync("port", id), StringComparison.Ordinal);
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task A_range_is_published_port_by_port(string client)
    {
        var start = Ports.FreeRange(10);
        var id = await Client(client).DetachedAsync(["-p", $"{start}-{start + 9}:80-89", .. Server("ranged", 85)]);

        Assert.Equal("ranged", await Ports.AskUntilAnsweredAsync(IPAddress.Loopback, start + 5));
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Datagrams_are_published_too(string client)
    {
        var port = Ports.Free();
        await BaseImages.LoadAsync(Engine, BaseImages.Debian);
        const string server = "use IO::Socket; my $s = IO::Socket::INET->new(LocalPort => 53, Proto => 'udp'); while ($s->recv(my $m, 100)) { $s->send(\"pong\"); }";
        var id = await Client(client).DetachedAsync("-p", $"{port}:53/udp", "debian:bookworm", "perl", "-e", server);

        using var socket = new UdpClient();
        socket.Connect(IPAddress.Loopback, port);
        await Eventually.HoldsAsync(async () =>
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes("ping\n"), TestContext.Current.CancellationToken);
            using var bound = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            bound.CancelAfter(500);
            Assert.Equal("pong", Encoding.ASCII.GetString((await socket.ReceiveAsync(bound.Token)).Buffer).Trim());
        });
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task A_port_another_container_has_is_refused_and_nothing_is_left(string client)
    {
        var port = Ports.Free();
        var first = await Client(client).DetachedAsync(["-p", $"{port}:80", .. Server("first")]);
        var name = Harness.Client.NewName();

        (await Client(client).RunAsync(["run", "-d", "--name", name, "-p", $"{port}:80", .. Server("second")])).Failed(125, "port is already allocated");

        Assert.NotEqual("running", await Client(client).FieldAsync(name, "{{.State.Status}}"));
        Assert.Equal("first", await Ports.AskUntilAnsweredAsync(IPAddress.Loopback, port));
        await Client(client).RemoveAsync(first);
        await Client(client).TextAsync("start", name);
        Assert.Equal("second", await Ports.AskUntilAnsweredAsync(IPAddress.Loopback, port));
        await Client(client).RemoveAsync(name);
    }

    [Theory, BothClients]
    public async Task A_port_a_host_process_has_is_refused(string client)
    {
        using var listener = new TcpListener(IPAddress.Any, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var name = Harness.Client.NewName();

        (await Client(client).RunAsync(["run", "-d", "--name", name, "-p", $"{port}:80", .. Server("never")])).Failed(125, $"{port}");
        await Client(client).RemoveAsync(name);
    }

    [Theory, BothClients]
    public async Task A_port_is_free_again_after_the_container_ends(string client)
    {
        var port = Ports.Free();
        var id = await Client(client).DetachedAsync(["-p", $"{port}:80", .. Server("once")]);
        await Ports.AskUntilAnsweredAsync(IPAddress.Loopback, port);
        await Client(client).TextAsync("stop", "-t", "0", id);

        await Ports.AssertRefusedAsync(IPAddress.Loopback, port);
        using (var listener = new TcpListener(IPAddress.Any, port))
        {
            listener.Start();
        }

        await Client(client).TextAsync("start", id);
        Assert.Equal("once", await Ports.AskUntilAnsweredAsync(IPAddress.Loopback, port));
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Another_container_reaches_a_published_port_through_the_host(string client)
    {
        var port = Ports.Free();
        var id = await Client(client).DetachedAsync(["-p", $"{port}:80", .. Server("hairpin")]);
        await Ports.AskUntilAnsweredAsync(IPAddress.Loopback, port);

        Assert.Equal("hairpin", await Client(client).TextAsync("run", "--rm", "busybox", "nc", "-w", "3", Engine.Gateway, $"{port}"));
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task A_container_reaches_its_own_published_port(string client)
    {
        var port = Ports.Free();
        var id = await Client(client).DetachedAsync(["-p", $"{port}:80", .. Server("self")]);
        await Ports.AskUntilAnsweredAsync(IPAddress.Loopback, port);

        Assert.Equal("self", await Client(client).TextAsync("exec", id, "nc", "-w", "3", Engine.Gateway, $"{port}"));
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Publishing_costs_no_process(string client)
    {
        var start = Ports.FreeRange(100);
        var before = Family();

        var id = await Client(client).DetachedAsync("-p", $"{start}-{start + 99}:1000-1099", "busybox", "sleep", "60");

        Assert.Equal(before + 2, Family()); // its supervisor and its program
        await Client(client).RemoveAsync(id);
    }

    /// <summary>How many supervisors and other children this engine has, and children these have.</summary>
    private int Family()
    {
        var supervisors = Leaks.Processes(Engine).Select(found => found.Split(':')[0]);
        var relatives = supervisors.Append(Engine.ProcessId.ToString(CultureInfo.InvariantCulture)).ToHashSet(StringComparer.Ordinal);
        var children = Directory.EnumerateDirectories("/proc")
            .Select(Path.GetFileName)
            .Where(name => char.IsAsciiDigit(name![0]) && ParentOf(name) is { } parent && relatives.Contains(parent))
            .ToArray();
        return relatives.Union(children).Count();
    }

    private static string? ParentOf(string process)
    {
        try
        {
            // The name before it may contain anything but ends with the last parenthesis: proc_pid_stat(5).
            return File.ReadAllText($"/proc/{process}/stat").Split(')')[^1].Split(' ')[2];
        }
        catch (IOException)
        {
            return null; // ended meanwhile
        }
    }
}
