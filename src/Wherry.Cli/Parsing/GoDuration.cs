using System.Globalization;

namespace Wherry.Cli.Parsing;

/// <summary>Durations as Go writes them: <c>1h30m</c>, <c>500ms</c>, <c>1.5s</c>.</summary>
internal static class GoDuration
{
    /// <summary>The duration in nanoseconds.</summary>
    internal static long Parse(string text)
    {
        var rest = text.AsSpan();
        var negative = false;
        if (rest is ['-' or '+', ..])
        {
            negative = rest[0] == '-';
            rest = rest[1..];
        }

        if (rest is "0")
        {
            return 0;
        }

        var total = 0m;
        var any = false;
        while (!rest.IsEmpty)
        {
            var digits = 0;
            while (digits < rest.Length && (char.IsAsciiDigit(rest[digits]) || rest[digits] == '.'))
            {
                digits++;
            }

            var unitEnd = digits;
            while (unitEnd < rest.Length && !char.IsAsciiDigit(rest[unitEnd]) && rest[unitEnd] != '.')
            {
                unitEnd++;
            }

            if (digits == 0
                || digits > 20
                || !decimal.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            {
                throw Invalid(text);
            }

            if (unitEnd == digits)
            {
                throw new FormatException($"time: missing unit in duration \"{text}\"");
            }

            total += number * Unit(rest[digits..unitEnd], text);
            any = true;
            rest = rest[unitEnd..];
        }

        if (!any || total > long.MaxValue)
        {
            throw Invalid(text);
        }

        return negative ? -(long)total : (long)total;
    }

    internal static bool TryParse(string text, out long nanoseconds)
    {
        try
        {
            nanoseconds = Parse(text);
            return true;
        }
        catch (FormatException)
        {
            nanoseconds = 0;
            return false;
        }
    }

    private static long Unit(ReadOnlySpan<char> unit, string text) => unit switch
    {
        "ns" => 1,
        "us" or "µs" or "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => throw new FormatException($"time: unknown unit \"{unit}\" in duration \"{text}\""),
    };

    private static FormatException Invalid(string text) => new($"time: invalid duration \"{text}\"");
}
