using System.Globalization;

namespace Wherry.Cli.Parsing;

/// <summary>Sizes of memory: <c>100</c>, <c>512m</c>, <c>1.5g</c>, <c>64KiB</c>; every unit is a power of 1024.</summary>
internal static class ByteSize
{
    internal static long Parse(string text)
    {
        var last = text.AsSpan().LastIndexOfAny("0123456789. ");
        if (last < 0)
        {
            throw Invalid(text);
        }

        var number = text[last] == ' ' ? text.AsSpan(0, last) : text.AsSpan(0, last + 1);
        var suffix = text[(last + 1)..];
        if (!double.TryParse(number, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var size))
        {
            throw new FormatException($"strconv.ParseFloat: parsing \"{number}\": invalid syntax");
        }

        if (size < 0)
        {
            throw Invalid(text);
        }

        if (suffix.Length == 0)
        {
            return ToBytes(size, text);
        }

        var unit = suffix.ToLowerInvariant();
        var power = unit.Length > 3 ? -1 : "bkmgtp".IndexOf(unit[0], StringComparison.Ordinal);
        var valid = power switch
        {
            < 0 => false,
            0 => unit.Length == 1,
            _ => unit.Length == 1 || unit.AsSpan(1) is "b" or "ib",
        };
        return valid ? ToBytes(size * Math.Pow(1024, power), text) : throw new FormatException($"invalid suffix: '{suffix}'");
    }

    /// <summary>The same, with <c>-1</c> for no limit.</summary>
    internal static long ParseOrUnlimited(string text) => text == "-1" ? -1 : Parse(text);

    private static long ToBytes(double size, string text) => size < long.MaxValue ? (long)size : throw Invalid(text);

    private static FormatException Invalid(string text) => new($"invalid size: '{text}'");
}
