using System.Globalization;
using System.Numerics;

namespace Wherry.Cli.Parsing;

/// <summary>Numbers as Go's <c>strconv</c> and <c>math/big</c> read them, with their error texts.</summary>
internal static class Numbers
{
    internal static long ParseInteger(string text)
    {
        var negative = text.StartsWith('-');
        var digits = text.AsSpan(negative || text.StartsWith('+') ? 1 : 0);
        var valid = digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? long.TryParse(digits[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            : long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value);
        return valid ? (negative ? -value : value) : throw new FormatException($"strconv.ParseInt: parsing \"{text}\": invalid syntax");
    }

    /// <summary>A port number, 0 to 65535.</summary>
    internal static bool TryPort(ReadOnlySpan<char> text, out int port)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= ushort.MaxValue;

    /// <summary>A number of CPUs (<c>1.5</c>, <c>.5</c>, <c>1/2</c>) in billionths.</summary>
    internal static long ParseNanoCpus(string text)
    {
        var (numerator, denominator) = ParseRational(text);
        var nano = numerator * 1_000_000_000;
        if (!(nano % denominator).IsZero)
        {
            throw new FormatException("value is too precise");
        }

        nano /= denominator;
        return nano <= long.MaxValue && nano >= long.MinValue ? (long)nano : throw NotRational(text);
    }

    private static (BigInteger Numerator, BigInteger Denominator) ParseRational(string text)
    {
        var slash = text.IndexOf('/');
        if (slash >= 0)
        {
            return BigInteger.TryParse(text.AsSpan(0, slash), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var above)
                && BigInteger.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var below)
                && !below.IsZero
                ? (above, below)
                : throw NotRational(text);
        }

        var point = text.IndexOf('.');
        var digits = point < 0 ? text : text.Remove(point, 1);
        if (digits.Length > 64 || !BigInteger.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
        {
            throw NotRational(text);
        }

        return (value, BigInteger.Pow(10, point < 0 ? 0 : text.Length - point - 1));
    }

    private static FormatException NotRational(string text) => new($"failed to parse {text} as a rational number");
}
