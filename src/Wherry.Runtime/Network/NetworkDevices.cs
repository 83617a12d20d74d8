using System.Globalization;
using Wherry.Errors;
using Wherry.Linux.Netlink;
using Wherry.Linux.NetworkNamespaces;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Network;

/// <summary>Moves interfaces of the host's into a container (config-linux.md, "Network Devices"). When its namespace ends, the kernel gives physical ones back and removes virtual ones.</summary>
public static class NetworkDevices
{
    private const int StackSize = 256 * 1024;

    /// <summary>Moves them, keeping their addresses, and sets them up. For whoever has made the first process, before it runs the program.</summary>
    /// <param name="pid">A process of the container's network namespace.</param>
    /// <param name="devices">By name on the host.</param>
    /// <exception cref="WherryException">The host has no such interface, or the container has one of that name.</exception>
    public static void Move(int pid, IReadOnlyDictionary<string, NetDevice>? devices)
    {
        if (devices is null || devices.Count == 0)
        {
            return;
        }

        using var host = NetlinkSocket.Open(NetlinkSocket.Route);
        using var target = NetworkNamespace.Open($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/ns/net");
        var moves = new List<(Link Link, string Name, KeptAddresses Addresses)>();
        foreach (var (name, device) in devices)
        {
            var link = Links.Find(host, name) ?? throw WherryException.Invalid($"linux.netDevices: the host has no interface {name}");
            moves.Add((link, string.IsNullOrEmpty(device.Name) ? name : device.Name, KeptAddresses.Read(host, link.Index)));
        }

        foreach (var (link, name, _) in moves)
        {
            var batch = new NetlinkBatch(128);
            Links.Move(batch, link, target.Descriptor, name);
            host.Execute(batch);
        }

        Inside(target, socket =>
        {
            foreach (var (_, name, addresses) in moves)
            {
                var link = Links.Find(socket, name) ?? throw WherryException.System($"linux.netDevices: {name} has not arrived");
                addresses.Give(socket, link.Index);
                var batch = new NetlinkBatch(64);
                Links.SetUp(batch, link.Index, name);
                socket.Execute(batch);
            }
        });
    }

    // A socket belongs to the namespace of the thread that opened it, so a thread enters, opens it and ends.
    private static void Inside(NetworkNamespace target, Action<NetlinkSocket> work)
    {
        NetlinkSocket? socket = null;
        WherryException? failure = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    target.Enter();
                    socket = NetlinkSocket.Open(NetlinkSocket.Route);
                }
                catch (WherryException e)
                {
                    failure = e;
                }
            },
            StackSize);
        thread.Start();
        thread.Join();
        using (socket)
        {
            if (failure is not null)
            {
                throw failure;
            }

            work(socket!);
        }
    }
}
