using Wherry.Linux.Netlink;
using Wherry.Linux.NetworkNamespaces;
using Wherry.Networking.Addressing;

namespace Wherry.Networking.Bridge;

/// <summary>Plugs a network namespace into the bridge.</summary>
internal static class EndpointPlug
{
    /// <summary>Tells this engine's links from others on the same bridge: <c>vethw</c> and eight hexadecimal digits.</summary>
    public const string LinkPrefix = "vethw";

    private const string InsideName = "eth0";

    public static string LinkName(string endpointId) => LinkPrefix + endpointId[..8];

    /// <summary>
    /// Makes the pair and configures its inner end: two system calls on the host's side and three inside. Runs on a thread of
    /// its own; when it fails half-way, the link is the caller's to give up.
    /// </summary>
    public static Task PlugAsync(
        NetlinkSocket route, NetworkNamespace target, BridgeInterface bridge, string hostInterface, Ipv4Address address, MacAddress hardware, int? mtu) =>
        NetworkNamespace.OnOwnThreadAsync(() =>
        {
            var batch = new NetlinkBatch(512);
            var hardwareAddress = new byte[6];
            hardware.CopyTo(hardwareAddress);
            Links.AddVeth(batch, new VethEnd(hostInterface), bridge.Index, new VethEnd(InsideName, hardwareAddress), target.Descriptor, mtu);
            Links.WithoutLinkLocalAddress(batch, hostInterface);
            Links.AllowHairpin(batch, hostInterface);
            Links.SetUp(batch, hostInterface);
            route.Execute(batch);

            target.Enter();
            using var inside = NetlinkSocket.Open(NetlinkSocket.Route);
            var inner = Links.Find(inside, InsideName)
                ?? throw new NetlinkException($"look up {InsideName} inside the container", Linux.Errno.ENODEV);
            batch.Clear();
            Links.SetUp(batch, Links.LoopbackIndex, "lo");
            Links.WithoutLinkLocalAddress(batch, InsideName);
            Addresses.Add(batch, new InterfaceAddress(inner.Index, address.Value, bridge.Subnet.PrefixLength));
            Links.SetUp(batch, inner.Index, InsideName);
            Routes.AddDefault(batch, bridge.Gateway.Value);
            inside.Execute(batch);
            return true;
        });
}
