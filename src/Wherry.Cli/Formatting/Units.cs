using System.Globalization;

namespace Wherry.Cli.Formatting;

/// <summary>Sizes and times in words, as Docker prints them.</summary>
internal static class Units
{
    private static readonly string[] Decimal = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];

    /// <summary>Three significant digits and a decimal unit: <c>1.23MB</c>.</summary>
    internal static string Size(long bytes)
    {
        double size = bytes;
        var unit = 0;
        while (size >= 1000 && unit < Decimal.Length - 1)
        {
            size /= 1000;
            unit++;
        }

        return Significant(size, 3) + Decimal[unit];
    }

    /// <summary>How long a time lasts, roughly: <c>About a minute</c>, <c>3 weeks</c>.</summary>
    internal static string Duration(TimeSpan time)
    {
        var seconds = (long)time.TotalSeconds;
        var hours = (long)Math.Round(time.TotalHours, MidpointRounding.AwayFromZero);
        return seconds switch
        {
            < 1 => "Less than a second",
            1 => "1 second",
            < 60 => $"{seconds} seconds",
            < 120 => "About a minute",
            < 3600 => $"{seconds / 60} minutes",
            _ => hours switch
            {
                1 => "About an hour",
                < 48 => $"{hours} hours",
                < 24 * 7 * 2 => $"{hours / 24} days",
                < 24 * 30 * 2 => $"{hours / 24 / 7} weeks",
                < 24 * 365 * 2 => $"{hours / 24 / 30} months",
                _ => $"{(long)(time.TotalHours / 24 / 365)} years",
            },
        };
    }

    /// <summary>How long ago a unix time (seconds) was.</summary>
    internal static string Ago(long seconds)
        => seconds <= 0 ? "N/A" : Duration(DateTimeOffset.UtcNow - DateTimeOffset.FromUnixTimeSeconds(seconds)) + " ago";

    /// <summary>A unix time (seconds) in local time: <c>2026-01-31 10:20:30 +0100 CET</c>.</summary>
    internal static string LocalTime(long seconds)
    {
        var time = DateTimeOffset.FromUnixTimeSeconds(seconds).ToLocalTime();
        var offset = $"{(time.Offset < TimeSpan.Zero ? '-' : '+')}{time.Offset:hhmm}";
        return time.ToString("yyyy-MM-dd HH:mm:ss ", CultureInfo.InvariantCulture) + $"{offset} {(time.Offset == TimeSpan.Zero ? "UTC" : offset)}";
    }

    private static string Significant(double value, int digits)
    {
        if (value == 0)
        {
            return "0";
        }

        var whole = (int)Math.Floor(Math.Log10(Math.Abs(value))) + 1;
        var decimals = Math.Max(0, digits - whole);
        var text = value.ToString("F" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        return decimals > 0 ? text.TrimEnd('0').TrimEnd('.') : text;
    }
}
