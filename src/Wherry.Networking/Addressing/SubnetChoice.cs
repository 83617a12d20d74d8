using Wherry.Errors;

namespace Wherry.Networking.Addressing;

/// <summary>Chooses the bridge's own subnet among those Docker uses, staying clear of what the host can already reach.</summary>
public static class SubnetChoice
{
    /// <summary>Docker's default pools in its order: 172.17.0.0/16 to 172.31.0.0/16, then 192.168.0.0/20 to 192.168.240.0/20.</summary>
    public static IEnumerable<Ipv4Subnet> Candidates
    {
        get
        {
            for (uint second = 17; second <= 31; second++)
            {
                yield return new Ipv4Subnet(new Ipv4Address((172u << 24) | (second << 16)), 16);
            }

            for (uint third = 0; third < 256; third += 16)
            {
                yield return new Ipv4Subnet(new Ipv4Address((192u << 24) | (168u << 16) | (third << 8)), 20);
            }
        }
    }

    /// <summary>The first candidate that overlaps none of <paramref name="taken"/>. A default route (prefix length 0) takes nothing.</summary>
    public static Ipv4Subnet FirstFree(IReadOnlyCollection<Ipv4Subnet> taken)
    {
        foreach (var candidate in Candidates)
        {
            if (!taken.Any(other => other.PrefixLength > 0 && other.Overlaps(candidate)))
            {
                return candidate;
            }
        }

        throw new WherryException(
            ErrorKind.Unavailable,
            "no free IPv4 subnet for the bridge: the host's routes overlap all of 172.17-31.0.0/16 and 192.168.0.0/16; choose one with --bip");
    }

    /// <summary>Reads <c>--bip</c>: the bridge's own address with its prefix length, e.g. <c>10.200.0.1/24</c>.</summary>
    public static (Ipv4Address Gateway, Ipv4Subnet Subnet) ParseBip(string bip)
    {
        if (!Ipv4Subnet.TryParseInterface(bip, out var gateway, out var subnet))
        {
            throw WherryException.Invalid($"invalid --bip \"{bip}\": expected an IPv4 address with prefix length, e.g. 172.17.0.1/16");
        }

        if (subnet.PrefixLength is < 8 or > 30)
        {
            throw WherryException.Invalid($"invalid --bip \"{bip}\": the prefix length must lie between 8 and 30");
        }

        if (gateway == subnet.Network || gateway == subnet.Broadcast)
        {
            throw WherryException.Invalid($"invalid --bip \"{bip}\": {gateway} is the subnet's network or broadcast address, not one a bridge can have");
        }

        return (gateway, subnet);
    }
}
