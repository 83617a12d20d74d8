using System.Globalization;

namespace Wherry.Networking.Addressing;

/// <summary>An Ethernet address in the low 48 bits, first byte on the wire highest.</summary>
public readonly record struct MacAddress(ulong Value)
{
    /// <summary>Parses six hexadecimal pairs separated by colons; refuses multicast and all-zero addresses, which no interface may own.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out MacAddress address)
    {
        address = default;
        ulong value = 0;
        if (text.Length != 17)
        {
            return false;
        }

        for (var i = 0; i < 17; i += 3)
        {
            if ((i > 0 && text[i - 1] != ':')
                || !byte.TryParse(text.Slice(i, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var octet))
            {
                return false;
            }

            value = (value << 8) | octet;
        }

        address = new MacAddress(value);
        return value != 0 && ((value >> 40) & 1) == 0;
    }

    public void CopyTo(Span<byte> destination)
    {
        for (var i = 0; i < 6; i++)
        {
            destination[i] = (byte)(Value >> (40 - (8 * i)));
        }
    }

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[6];
        CopyTo(bytes);
        return $"{bytes[0]:x2}:{bytes[1]:x2}:{bytes[2]:x2}:{bytes[3]:x2}:{bytes[4]:x2}:{bytes[5]:x2}";
    }
}
