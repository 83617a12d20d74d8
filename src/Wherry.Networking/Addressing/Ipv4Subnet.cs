using System.Globalization;

namespace Wherry.Networking.Addressing;

/// <summary>A block of IPv4 addresses: its first address and the length of the common prefix in bits.</summary>
public readonly record struct Ipv4Subnet
{
    /// <summary>The subnet that <paramref name="address"/> lies in; the bits behind the prefix are cleared.</summary>
    public Ipv4Subnet(Ipv4Address address, int prefixLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(prefixLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(prefixLength, 32);
        PrefixLength = prefixLength;
        Network = new Ipv4Address(address.Value & Mask);
    }

    public Ipv4Address Network { get; }

    public int PrefixLength { get; }

    public Ipv4Address Broadcast => new(Network.Value | ~Mask);

    /// <summary>The network mask as a number in host byte order.</summary>
    public uint Mask => PrefixLength == 0 ? 0 : uint.MaxValue << (32 - PrefixLength);

    public bool Contains(Ipv4Address address) => (address.Value & Mask) == Network.Value;

    public bool Overlaps(Ipv4Subnet other) => PrefixLength <= other.PrefixLength ? Contains(other.Network) : other.Contains(Network);

    /// <summary>Parses <c>172.17.0.1/16</c> into the address and the subnet it lies in.</summary>
    public static bool TryParseInterface(ReadOnlySpan<char> text, out Ipv4Address address, out Ipv4Subnet subnet)
    {
        subnet = default;
        address = default;
        var slash = text.IndexOf('/');
        if (slash < 0 || !Ipv4Address.TryParse(text[..slash], out address)
            || !int.TryParse(text[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var length) || length > 32)
        {
            return false;
        }

        subnet = new Ipv4Subnet(address, length);
        return true;
    }

    public override string ToString() => $"{Network}/{PrefixLength}";
}
