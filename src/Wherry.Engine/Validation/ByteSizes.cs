using System.Globalization;
using Wherry.Errors;

namespace Wherry.Engine.Validation;

/// <summary>Sizes as options of log drivers and mounts write them: a number and a unit.</summary>
public static class ByteSizes
{
    /// <summary><c>10m</c>, <c>1.5GB</c>, <c>4096</c>: powers of 1000, as Docker reads them for logs; <c>KiB</c> and so on are powers of 1024.</summary>
    /// <returns>Bytes.</returns>
    /// <exception cref="WherryException">InvalidParameter: not a size.</exception>
    public static long Parse(string text) => Parse(text, 1000);

    /// <summary>The same with powers of 1024 for <c>10m</c> and <c>1.5GB</c> too, as Docker reads them for memory and disks.</summary>
    /// <returns>Bytes.</returns>
    /// <exception cref="WherryException">InvalidParameter: not a size.</exception>
    public static long ParseBinary(string text) => Parse(text, 1024);

    private static long Parse(string text, decimal usual)
    {
        var trimmed = text.Trim();
        var digits = trimmed.AsSpan().IndexOfAnyExcept("0123456789.");
        var number = digits < 0 ? trimmed : trimmed[..digits];
        var unit = digits < 0 ? "" : trimmed[digits..].Trim().ToLowerInvariant();
        if (!decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) || FactorOf(unit, usual) is not { } factor)
        {
            throw WherryException.Invalid($"invalid size: '{text}'");
        }

        if (value > long.MaxValue / factor)
        {
            throw WherryException.Invalid($"invalid size: '{text}' is too large");
        }

        return (long)(value * factor);
    }

    private static decimal? FactorOf(string unit, decimal usual)
    {
        if (unit is "" or "b")
        {
            return 1;
        }

        var power = "kmgtp".IndexOf(unit[0]) + 1;
        decimal? root = (power, unit[1..]) switch
        {
            (0, _) => null,
            (_, "" or "b") => usual,
            (_, "ib") => 1024,
            _ => null,
        };
        if (root is not { } factor)
        {
            return null;
        }

        var result = 1m;
        for (var i = 0; i < power; i++)
        {
            result *= factor;
        }

        return result;
    }
}
