using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;

namespace Wherry.EndToEnd.Tests.Harness;

/// <summary>The host's side of network tests.</summary>
public static class Ports
{
    private static readonly HashSet<int> Given = [];

    /// <summary>A TCP port that nobody uses at the moment.</summary>
    public static int Free()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Any, 0));
        return ((IPEndPoint)listener.LocalEndPoint!).Port;
    }

    /// <summary>The first of so many TCP ports in a row that nobody uses, and that the kernel gives to no client in the meantime; given once.</summary>
    public static int FreeRange(int count)
    {
        var firstOfClients = int.Parse(File.ReadAllText("/proc/sys/net/ipv4/ip_local_port_range").Split('\t')[0], CultureInfo.InvariantCulture);
        lock (Given)
        {
            while (true)
            {
                var start = Random.Shared.Next(10_000, firstOfClients - count);
                var range = Enumerable.Range(start, count).ToArray();
                if (!range.Any(Given.Contains) && range.All(IsFree))
                {
                    Given.UnionWith(range);
                    return start;
                }
            }
        }
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Any, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>One of the host's addresses that is neither loopback nor a bridge of ours; null where it has none.</summary>
    public static IPAddress? HostAddress() =>
        NetworkInterface.GetAllNetworkInterfaces()
            .Where(link => link.OperationalStatus == OperationalStatus.Up && !link.Name.StartsWith("whtest", StringComparison.Ordinal) && link.NetworkInterfaceType != NetworkInterfaceType.Loopback)
            .SelectMany(link => link.GetIPProperties().UnicastAddresses)
            .Select(address => address.Address)
            .FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork);

    public static bool HostHasIPv6Loopback => File.Exists("/proc/net/if_inet6") && File.ReadAllText("/proc/net/if_inet6").Contains("00000000000000000000000000000001", StringComparison.Ordinal);

    /// <summary>Connects, sends a line if there is one, and returns all that comes.</summary>
    public static async Task<string> AskAsync(IPAddress address, int port, string? line = null, double seconds = 5)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        bound.CancelAfter(TimeSpan.FromSeconds(seconds));
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address, port, bound.Token);
        if (line is not null)
        {
            await socket.SendAsync(Encoding.UTF8.GetBytes(line + "\n"), bound.Token);
        }

        var answer = new StringBuilder();
        var buffer = new byte[65536];
        while (await socket.ReceiveAsync(buffer, bound.Token) is > 0 and var length)
        {
            answer.Append(Encoding.UTF8.GetString(buffer, 0, length));
        }

        return answer.ToString().Trim();
    }

    /// <summary>The same, tried until a server answers.</summary>
    public static async Task<string> AskUntilAnsweredAsync(IPAddress address, int port, string? line = null)
    {
        var answer = "";
        await Eventually.HoldsAsync(async () =>
        {
            answer = await AskAsync(address, port, line, seconds: 2);
            Assert.NotEqual("", answer);
        });
        return answer;
    }

    /// <summary>Connects, and that is all: for servers that wait for the client's first word.</summary>
    public static Task AskUntilConnectedAsync(IPAddress address, int port) => Eventually.HoldsAsync(async () =>
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address, port, TestContext.Current.CancellationToken);
    });

    public static async Task AssertRefusedAsync(IPAddress address, int port)
    {
        try
        {
            var answer = await AskAsync(address, port, seconds: 2);
            Assert.Equal("", answer); // a relay that still listens accepts, but has nobody to give it to
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // Nobody there, as it should be.
        }
    }
}
