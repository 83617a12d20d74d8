using System.Text;
using Wherry.Errors;
using Wherry.Linux.Netlink;
using Wherry.Networking.Addressing;

namespace Wherry.Networking.Bridge;

/// <summary>The bridge device once it is up: where endpoints are plugged in.</summary>
internal sealed record BridgeInterface(string Name, int Index, Ipv4Address Gateway, Ipv4Subnet Subnet)
{
    private const int MaxNameLength = 15;

    /// <summary>
    /// Makes the bridge as it should be, from whatever state a former engine left it in. An existing bridge keeps its address
    /// unless the options name another.
    /// </summary>
    /// <param name="options">Name, address and MTU.</param>
    /// <param name="route">A route socket of the host's namespace.</param>
    /// <param name="former">The address living containers know as their gateway, used when the bridge was lost; or null.</param>
    /// <param name="cancel">Waiting for another engine's choice can be cancelled.</param>
    public static async Task<BridgeInterface> EnsureAsync(
        BridgeOptions options, NetlinkSocket route, (Ipv4Address Gateway, Ipv4Subnet Subnet)? former, CancellationToken cancel)
    {
        var wanted = options.Bip is { Length: > 0 } bip ? SubnetChoice.ParseBip(bip) : ((Ipv4Address, Ipv4Subnet)?)null;
        var link = Links.Find(route, options.BridgeName) ?? Add(options, route, (wanted ?? former)?.Item1);
        if (link.Kind != "bridge")
        {
            throw WherryException.Conflict($"interface {options.BridgeName} exists but is not a bridge; choose another name with --bridge");
        }

        var (gateway, subnet) = await EnsureAddressAsync(link, route, wanted, former, cancel);
        var batch = new NetlinkBatch(128);
        Links.SetUp(batch, link.Index, link.Name);
        route.Execute(batch);
        return new BridgeInterface(link.Name, link.Index, gateway, subnet);
    }

    private static Link Add(BridgeOptions options, NetlinkSocket route, Ipv4Address? gateway)
    {
        var name = options.BridgeName;
        if (Encoding.UTF8.GetByteCount(name) is 0 or > MaxNameLength || name.AsSpan().IndexOfAny("/: \t\n%") >= 0 || name is "." or "..")
        {
            throw WherryException.Invalid($"invalid bridge name \"{name}\": an interface has 1 to {MaxNameLength} bytes without '/', ':', '%' or blanks");
        }

        // A bridge without an address of its own takes the smallest of its ports', and changes it as they come and go,
        // which breaks what containers have in their neighbour tables.
        var hardware = new byte[6];
        (gateway ?? new Ipv4Address((uint)Random.Shared.NextInt64(1L << 32))).ToMacAddress().CopyTo(hardware);
        var batch = new NetlinkBatch(256);
        Links.AddBridge(batch, name, hardware, options.Mtu);
        Links.WithoutLinkLocalAddress(batch, name);
        try
        {
            route.Execute(batch);
        }
        catch (NetlinkException e) when (e.ErrorNumber == Linux.Errno.EEXIST)
        {
            // Made by somebody else a moment ago; it is looked at like any other.
        }

        return Links.Find(route, name) ?? throw WherryException.System($"bridge {name} vanished while it was being set up");
    }

    private static async Task<(Ipv4Address Gateway, Ipv4Subnet Subnet)> EnsureAddressAsync(
        Link link,
        NetlinkSocket route,
        (Ipv4Address Gateway, Ipv4Subnet Subnet)? wanted,
        (Ipv4Address Gateway, Ipv4Subnet Subnet)? former,
        CancellationToken cancel)
    {
        using var exclusively = await SubnetLock.AcquireAsync(cancel);
        var all = Addresses.List(route);
        var own = all.Where(address => address.Index == link.Index).ToList();
        if (own.Count > 0 && (wanted is null || own.Exists(address => Matches(address, wanted.Value))))
        {
            var kept = wanted is null ? own[0] : own.Find(address => Matches(address, wanted.Value));
            return (new Ipv4Address(kept.Address), new Ipv4Subnet(new Ipv4Address(kept.Address), kept.PrefixLength));
        }

        var batch = new NetlinkBatch(256);
        foreach (var address in own)
        {
            Addresses.Delete(batch, address);
        }

        var chosen = wanted ?? former ?? Choose(all, route);
        Addresses.Add(batch, new InterfaceAddress(link.Index, chosen.Gateway.Value, chosen.Subnet.PrefixLength));
        route.Execute(batch);
        return chosen;
    }

    private static bool Matches(InterfaceAddress address, (Ipv4Address Gateway, Ipv4Subnet Subnet) wanted) =>
        address.Address == wanted.Gateway.Value && address.PrefixLength == wanted.Subnet.PrefixLength;

    private static (Ipv4Address Gateway, Ipv4Subnet Subnet) Choose(IReadOnlyList<InterfaceAddress> addresses, NetlinkSocket route)
    {
        var taken = addresses.Select(address => new Ipv4Subnet(new Ipv4Address(address.Address), address.PrefixLength))
            .Concat(Routes.ListDestinations(route).Select(destination => new Ipv4Subnet(new Ipv4Address(destination.Address), destination.PrefixLength)))
            .ToList();
        var subnet = SubnetChoice.FirstFree(taken);
        return (new Ipv4Address(subnet.Network.Value + 1), subnet);
    }
}
