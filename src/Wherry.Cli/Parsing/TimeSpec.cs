using System.Globalization;

namespace Wherry.Cli.Parsing;

/// <summary>Points in time for <c>--since</c> and <c>--until</c>.</summary>
internal static class TimeSpec
{
    private static readonly string[] Formats =
    [
        "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH", "yyyy-MM-dd",
        "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HHK", "yyyy-MM-ddK",
    ];

    /// <summary>
    /// Unix seconds with nanoseconds (<c>1577934245.000000000</c>) for a date and time (local unless it says
    /// otherwise), a duration before now (<c>42m</c>) or unix seconds; null for anything else.
    /// </summary>
    internal static string? ToUnix(string text, DateTimeOffset now)
    {
        if (GoDuration.TryParse(text, out var nanoseconds))
        {
            return (now - TimeSpan.FromTicks(nanoseconds / 100)).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        }

        if (text.Length > 0 && text.All(static c => char.IsAsciiDigit(c) || c == '.') && text.Count(static c => c == '.') <= 1)
        {
            return text;
        }

        // .NET reads seven digits of a fraction, Go nine: the fraction is taken out and put back.
        var point = text.IndexOf('.');
        var end = point < 0 ? 0 : point + 1;
        while (point >= 0 && end < text.Length && char.IsAsciiDigit(text[end]))
        {
            end++;
        }

        var fraction = point < 0 ? "" : text[(point + 1)..end];
        var whole = point < 0 ? text : text[..point] + text[end..];
        return fraction.Length <= 9
            && DateTimeOffset.TryParseExact(whole, Formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out var time)
            ? $"{time.ToUnixTimeSeconds()}.{fraction.PadRight(9, '0')}"
            : null;
    }
}
