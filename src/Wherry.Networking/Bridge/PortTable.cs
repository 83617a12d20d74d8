using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Wherry.Linux;
using Wherry.Linux.Netlink;
using Wherry.Linux.Nftables;
using Wherry.Networking.Addressing;
using Wherry.Networking.Publishing;

namespace Wherry.Networking.Bridge;

/// <summary>
/// The bridge's nftables table. The rules are fixed; a published port is one map element, so that neither connecting nor a
/// packet's way grows with the number of ports.
/// <para>
/// Only this table is ever touched. A verdict of accept ends the packet's way through this table alone: where another
/// program's forward chain drops by policy (Docker sets iptables' FORWARD policy to DROP), no rule here can overrule it;
/// the host's administrator has to accept the bridge there too (<c>iptables -I DOCKER-USER -i wherry0 -j ACCEPT</c> and
/// the same with <c>-o</c>).
/// </para>
/// </summary>
internal sealed class PortTable(string table, NetlinkSocket netfilter)
{
    private const string Ports = "ports";
    private const string AddressedPorts = "addressed_ports";
    private const string Publish = "publish";
    private const string Guard = "guard";
    private const string Prerouting = "prerouting";
    private const string Output = "output";
    private const string Postrouting = "postrouting";
    private const string Forward = "forward";
    private const uint LoopbackNetwork = 127u << 24;
    private const uint LoopbackMask = 255u << 24;

    /// <summary>Makes table, maps, chains and rules as they should be and leaves the elements that are there.</summary>
    public void Ensure(BridgeInterface bridge)
    {
        try
        {
            Write(new NftBatch(table), bridge).Commit(netfilter);
        }
        catch (NetlinkException e) when (e.ErrorNumber is Errno.EEXIST or Errno.EINVAL or Errno.EBUSY or Errno.EOPNOTSUPP)
        {
            // An older version's table of another shape can't be adapted; elements come back with the restoration.
            Replace(bridge, []);
        }
    }

    /// <summary>Replaces the whole table in one transaction: there is no moment without the living containers' ports, and strangers' leftovers go.</summary>
    public void Replace(BridgeInterface bridge, IReadOnlyList<Endpoint> live)
    {
        var batch = Write(new NftBatch(table).AddTable().DeleteTable(), bridge);
        var (everywhere, addressed) = Elements(live);
        batch.AddElements(Ports, everywhere).AddElements(AddressedPorts, addressed).Commit(netfilter);
    }

    public void Add(Endpoint endpoint)
    {
        var (everywhere, addressed) = Elements([endpoint]);
        if (everywhere.Count + addressed.Count > 0)
        {
            new NftBatch(table).AddElements(Ports, everywhere).AddElements(AddressedPorts, addressed).Commit(netfilter);
        }
    }

    public void Remove(Endpoint endpoint)
    {
        var (everywhere, addressed) = Elements([endpoint]);
        if (everywhere.Count + addressed.Count == 0)
        {
            return;
        }

        try
        {
            new NftBatch(table).DeleteElements(Ports, everywhere).DeleteElements(AddressedPorts, addressed).Commit(netfilter);
        }
        catch (NetlinkException e) when (e.ErrorNumber == Errno.ENOENT)
        {
            // Somebody emptied the table or a part of it; the rest must go all the same.
            RemoveOneByOne(Ports, everywhere);
            RemoveOneByOne(AddressedPorts, addressed);
        }
    }

    public void Delete() => new NftBatch(table).AddTable().DeleteTable().Commit(netfilter);

    private void RemoveOneByOne(string map, List<NftElement> elements)
    {
        foreach (var element in elements)
        {
            try
            {
                new NftBatch(table).DeleteElements(map, [element]).Commit(netfilter);
            }
            catch (NetlinkException e) when (e.ErrorNumber == Errno.ENOENT)
            {
                // Already gone.
            }
        }
    }

    private static NftBatch Write(NftBatch batch, BridgeInterface bridge)
    {
        var (network, mask) = (bridge.Subnet.Network.Value, bridge.Subnet.Mask);
        batch.AddTable()
            .AddMap(Ports, [NftType.TransportProtocol, NftType.Port], [NftType.Ipv4Address, NftType.Port])
            .AddMap(AddressedPorts, [NftType.Ipv4Address, NftType.TransportProtocol, NftType.Port], [NftType.Ipv4Address, NftType.Port])
            .AddChain(Publish)
            .AddBaseChain(Guard, "filter", NftHook.Prerouting, NftPriority.Raw)
            .AddBaseChain(Prerouting, "nat", NftHook.Prerouting, NftPriority.DestinationNat)
            .AddBaseChain(Output, "nat", NftHook.Output, NftPriority.DestinationNat)
            .AddBaseChain(Postrouting, "nat", NftHook.Postrouting, NftPriority.SourceNat)
            .AddBaseChain(Forward, "filter", NftHook.Forward, NftPriority.Filter);
        foreach (var chain in (ReadOnlySpan<string>)[Publish, Guard, Prerouting, Output, Postrouting, Forward])
        {
            batch.FlushChain(chain);
        }

        return batch
            .AddRule(Publish, "port published on one address", rule => rule
                .LoadDestinationAddress(NftRegister.R0).Load(NftMeta.TransportProtocol, NftRegister.R1).LoadDestinationPort(NftRegister.R2)
                .Lookup(AddressedPorts, NftRegister.R0, NftRegister.R0).RedirectTo(NftRegister.R0, NftRegister.R1))
            .AddRule(Publish, "port published on all addresses", rule => rule
                .Load(NftMeta.TransportProtocol, NftRegister.R0).LoadDestinationPort(NftRegister.R1)
                .Lookup(Ports, NftRegister.R0, NftRegister.R0).RedirectTo(NftRegister.R0, NftRegister.R1))

            // route_localnet makes the host take packets for 127.0.0.0/8 from the bridge; only answers may come that way.
            .AddRule(Guard, "no container reaches the host's loopback", rule => rule
                .FromInterface(bridge.Name).ToSubnet(LoopbackNetwork, LoopbackMask).Counter().Verdict(NftVerdict.Drop))

            // A neighbour on the wire that sends to 127.0.0.1 must not be let in to a port published there.
            .AddRule(Prerouting, "published on loopback means from this host", rule => rule
                .ToSubnet(LoopbackNetwork, LoopbackMask).Verdict(NftVerdict.Return))
            .AddRule(Prerouting, "published ports", rule => rule.ToThisHost().Verdict(NftVerdict.Jump, Publish))
            .AddRule(Output, "published ports, from this host", rule => rule.ToThisHost().Verdict(NftVerdict.Jump, Publish))
            .AddRule(Postrouting, "loopback to container", rule => rule
                .ToInterface(bridge.Name).FromSubnet(LoopbackNetwork, LoopbackMask).Masquerade())
            .AddRule(Postrouting, "container to a published port of its own bridge", rule => rule
                .ToInterface(bridge.Name).FromSubnet(network, mask).OfRedirectedConnection().Masquerade())
            .AddRule(Postrouting, "container to outside", rule => rule
                .NotToInterface(bridge.Name).FromSubnet(network, mask).Masquerade())
            .AddRule(Forward, "answers to containers", rule => rule
                .ToInterface(bridge.Name).OfKnownConnection().Verdict(NftVerdict.Accept))
            .AddRule(Forward, "container to container", rule => rule
                .ToInterface(bridge.Name).FromInterface(bridge.Name).Verdict(NftVerdict.Accept))
            .AddRule(Forward, "published ports, from outside", rule => rule
                .ToInterface(bridge.Name).OfRedirectedConnection().Verdict(NftVerdict.Accept))
            .AddRule(Forward, "containers to outside", rule => rule
                .FromInterface(bridge.Name).NotToInterface(bridge.Name).Verdict(NftVerdict.Accept))
            .AddRule(Forward, "nothing else reaches containers", rule => rule
                .ToInterface(bridge.Name).Counter().Verdict(NftVerdict.Drop));
    }

    private static (List<NftElement> Everywhere, List<NftElement> Addressed) Elements(IReadOnlyList<Endpoint> endpoints)
    {
        List<NftElement> everywhere = [];
        List<NftElement> addressed = [];
        foreach (var endpoint in endpoints)
        {
            var container = Ipv4Address.Parse(endpoint.Address).Value;
            foreach (var port in endpoint.Ports)
            {
                // The IPv6 side is served by a relay.
                if (IPAddress.Parse(port.HostIp).AddressFamily != AddressFamily.InterNetwork)
                {
                    continue;
                }

                var host = Ipv4Address.Parse(port.HostIp);
                var value = new byte[8];
                BinaryPrimitives.WriteUInt32BigEndian(value, container);
                BinaryPrimitives.WriteUInt16BigEndian(value.AsSpan(4), port.ContainerPort);
                var key = new byte[host == Ipv4Address.Any ? 8 : 12];
                var rest = key.AsSpan();
                if (host != Ipv4Address.Any)
                {
                    BinaryPrimitives.WriteUInt32BigEndian(rest, host.Value);
                    rest = rest[4..];
                }

                rest[0] = (byte)PortBinding.ParseProtocol(port.Protocol);
                BinaryPrimitives.WriteUInt16BigEndian(rest[4..], port.HostPort);
                (host == Ipv4Address.Any ? everywhere : addressed).Add(new NftElement(key, value, endpoint.ContainerName));
            }
        }

        return (everywhere, addressed);
    }
}
