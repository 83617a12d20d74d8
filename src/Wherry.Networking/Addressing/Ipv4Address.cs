using System.Globalization;
using System.Net;

namespace Wherry.Networking.Addressing;

/// <summary>An IPv4 address as a number in host byte order, so that ranges are plain arithmetic.</summary>
public readonly record struct Ipv4Address(uint Value) : IComparable<Ipv4Address>
{
    public static readonly Ipv4Address Any = new(0);

    public bool IsLoopback => Value >> 24 == 127;

    /// <summary>Parses dotted-quad notation only: four decimal numbers, no leading zeros, no shorthand such as <c>10.1</c>.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Ipv4Address address)
    {
        address = default;
        uint value = 0;
        var parts = 0;
        foreach (var range in text.Split('.'))
        {
            var part = text[range];
            if (parts == 4 || part.Length is 0 or > 3 || (part.Length > 1 && part[0] == '0')
                || !byte.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var octet))
            {
                return false;
            }

            value = (value << 8) | octet;
            parts++;
        }

        address = new Ipv4Address(value);
        return parts == 4;
    }

    public static Ipv4Address Parse(ReadOnlySpan<char> text) =>
        TryParse(text, out var address) ? address : throw new FormatException($"{text} is not an IPv4 address");

    public IPAddress ToIPAddress() => new((ReadOnlySpan<byte>)[(byte)(Value >> 24), (byte)(Value >> 16), (byte)(Value >> 8), (byte)Value]);

    /// <summary>
    /// The link-layer address Docker gives the owner of this address: locally administered <c>02:42</c> followed by the
    /// four bytes. Being a function of the address it is unique on the bridge without any bookkeeping.
    /// </summary>
    public MacAddress ToMacAddress() => new(0x0242_0000_0000UL | Value);

    public int CompareTo(Ipv4Address other) => Value.CompareTo(other.Value);

    public override string ToString() => $"{Value >> 24}.{(Value >> 16) & 255}.{(Value >> 8) & 255}.{Value & 255}";

    public static bool operator <(Ipv4Address left, Ipv4Address right) => left.Value < right.Value;

    public static bool operator >(Ipv4Address left, Ipv4Address right) => left.Value > right.Value;

    public static bool operator <=(Ipv4Address left, Ipv4Address right) => left.Value <= right.Value;

    public static bool operator >=(Ipv4Address left, Ipv4Address right) => left.Value >= right.Value;
}
