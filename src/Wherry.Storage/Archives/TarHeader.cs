using System.Buffers.Binary;

namespace Wherry.Storage.Archives;

/// <summary>The fields of a 512-byte header block (POSIX ustar and GNU tar), by place.</summary>
internal static class TarHeader
{
    internal const int BlockSize = 512;

    internal static readonly Range Name = ..100;
    internal static readonly Range Mode = 100..108;
    internal static readonly Range Uid = 108..116;
    internal static readonly Range Gid = 116..124;
    internal static readonly Range Size = 124..136;
    internal static readonly Range Modified = 136..148;
    internal static readonly Range Checksum = 148..156;
    internal static readonly int Type = 156;
    internal static readonly Range LinkName = 157..257;
    internal static readonly Range Magic = 257..263;
    internal static readonly Range MagicAndVersion = 257..265;
    internal static readonly Range DeviceMajor = 329..337;
    internal static readonly Range DeviceMinor = 337..345;
    internal static readonly Range Prefix = 345..500;

    // Old GNU sparse header: four pairs, "more follow", then the file's real size.
    internal static readonly Range GnuSparsePairs = 386..482;
    internal static readonly int GnuSparseMore = 482;
    internal static readonly Range GnuRealSize = 483..495;

    // A block of further pairs: 21 of them, then "more follow".
    internal static readonly Range GnuExtensionPairs = ..504;
    internal static readonly int GnuExtensionMore = 504;
    internal const int GnuPairSize = 24;

    internal static bool IsUstar(ReadOnlySpan<byte> block) => block[Magic].SequenceEqual("ustar\0"u8);

    internal static bool IsGnu(ReadOnlySpan<byte> block) => block[MagicAndVersion].SequenceEqual("ustar  \0"u8);

    /// <summary>Whether the block's checksum is right; some old writers summed signed bytes.</summary>
    internal static bool HasValidChecksum(ReadOnlySpan<byte> block)
    {
        var stored = TryParseNumber(block[Checksum]);
        if (stored is null)
            return false;
        long unsigned = 0, signed = 0;
        for (var i = 0; i < BlockSize; i++)
        {
            var value = i is >= 148 and < 156 ? (byte)' ' : block[i];
            unsigned += value;
            signed += (sbyte)value;
        }
        return stored == unsigned || stored == signed;
    }

    /// <summary>The bytes before the first NUL.</summary>
    internal static ReadOnlySpan<byte> Text(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        return end < 0 ? field : field[..end];
    }

    /// <summary>A number: octal digits, or GNU's base-256 when the top bit is set. Null when it is neither or too large.</summary>
    internal static long? TryParseNumber(ReadOnlySpan<byte> field)
    {
        if ((field[0] & 0x80) != 0)
            return ParseBase256(field);
        var digits = Text(field).Trim((byte)' ');
        long value = 0;
        foreach (var digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'7' || value > long.MaxValue >> 3)
                return null;
            value = (value << 3) | (long)(digit - (byte)'0');
        }
        return value;
    }

    private static long? ParseBase256(ReadOnlySpan<byte> field)
    {
        // Two's complement, big-endian; the top bit is only the mark, the next one the sign.
        var negative = (field[0] & 0x40) != 0;
        Span<byte> wide = stackalloc byte[12];
        wide.Fill(negative ? (byte)0xFF : (byte)0);
        var target = wide[(12 - field.Length)..];
        field.CopyTo(target);
        target[0] = negative ? (byte)(target[0] | 0x80) : (byte)(target[0] & 0x7F);
        var high = BinaryPrimitives.ReadInt32BigEndian(wide);
        var low = BinaryPrimitives.ReadInt64BigEndian(wide[4..]);
        return (high == 0 && low >= 0) || (high == -1 && low < 0) ? low : null;
    }
}
