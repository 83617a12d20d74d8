using System.Globalization;
using System.Text.RegularExpressions;
using Wherry.Errors;

namespace Wherry.Engine.Logs;

/// <summary>
/// A moment as the API's <c>since</c> and <c>until</c> give it, kept to the nanosecond because log lines are
/// that close together.
/// </summary>
/// <param name="UnixNanoseconds">Nanoseconds since 1970-01-01T00:00:00Z.</param>
public readonly partial record struct TimeArgument(long UnixNanoseconds)
{
    private const long NanosecondsPerSecond = 1_000_000_000;
    private const long NanosecondsPerTick = 100;

    public DateTimeOffset ToDateTimeOffset() => DateTimeOffset.UnixEpoch.AddTicks(UnixNanoseconds / NanosecondsPerTick);

    public static TimeArgument From(DateTimeOffset moment) => new((moment - DateTimeOffset.UnixEpoch).Ticks * NanosecondsPerTick);

    /// <summary>
    /// Reads Unix seconds with an optional fraction (<c>1136073845.000000001</c>), RFC 3339 (zone and smaller
    /// units may be missing; without a zone it is UTC), or a Go duration that counts back from now (<c>1h30m</c>).
    /// </summary>
    /// <returns>Null where nothing was asked: an empty value or 0.</returns>
    /// <exception cref="WherryException">InvalidParameter: it is none of these.</exception>
    public static TimeArgument? Parse(string? text, DateTimeOffset now)
    {
        if (string.IsNullOrEmpty(text) || text == "0")
        {
            return null;
        }

        if (TryParseUnix(text, out var moment) || TryParseDate(text, out moment) || TryParseDuration(text, now, out moment))
        {
            return moment;
        }

        throw WherryException.Invalid(
            $"invalid value for a time: \"{text}\" (give Unix seconds, a date like 2026-01-02T15:04:05Z, or a duration like 10m)");
    }

    /// <summary>Go's duration syntax: decimal numbers with units, <c>300ms</c>, <c>-1.5h</c>, <c>2h45m</c>.</summary>
    public static bool TryParseGoDuration(string text, out long nanoseconds)
    {
        nanoseconds = 0;
        var match = Duration().Match(text);
        if (!match.Success)
        {
            return false;
        }

        decimal sum = 0;
        var numbers = match.Groups["number"].Captures;
        var units = match.Groups["unit"].Captures;
        for (var i = 0; i < numbers.Count; i++)
        {
            if (!decimal.TryParse(numbers[i].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
                || number > long.MaxValue)
            {
                return false;
            }

            sum += number * NanosecondsOf(units[i].Value);
            if (sum > long.MaxValue)
            {
                return false;
            }
        }

        nanoseconds = (long)(match.Groups["sign"].Value == "-" ? -sum : sum);
        return true;
    }

    private static decimal NanosecondsOf(string unit) => unit switch
    {
        "ns" => 1,
        "us" or "µs" or "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => NanosecondsPerSecond,
        "m" => 60 * NanosecondsPerSecond,
        _ => 3600 * NanosecondsPerSecond,
    };

    private static bool TryParseUnix(string text, out TimeArgument moment)
    {
        moment = default;
        var match = Unix().Match(text);
        if (!match.Success || !long.TryParse(match.Groups["seconds"].Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds)
            || seconds is > long.MaxValue / NanosecondsPerSecond - 1 or < long.MinValue / NanosecondsPerSecond + 1)
        {
            return false;
        }

        var fraction = match.Groups["fraction"].Value.PadRight(9, '0')[..9];
        moment = new TimeArgument((seconds * NanosecondsPerSecond) + int.Parse(fraction, NumberStyles.None, CultureInfo.InvariantCulture));
        return true;
    }

    private static bool TryParseDate(string text, out TimeArgument moment)
    {
        moment = default;
        var match = Date().Match(text);
        if (!match.Success)
        {
            return false;
        }

        int Number(string group) => match.Groups[group] is { Success: true } found
            ? int.Parse(found.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture)
            : 0;

        try
        {
            var offset = match.Groups["zone"].Value is "" or "Z" or "z"
                ? TimeSpan.Zero
                : new TimeSpan(Number("zoneHours"), Number("zoneMinutes"), 0) * (match.Groups["zone"].Value[0] == '-' ? -1 : 1);
            var whole = new DateTimeOffset(Number("year"), Number("month"), Number("day"), Number("hour"), Number("minute"), Number("second"), offset);
            var fraction = match.Groups["fraction"].Value.PadRight(9, '0')[..9];
            moment = new TimeArgument(checked(whole.ToUnixTimeSeconds() * NanosecondsPerSecond) + int.Parse(fraction, NumberStyles.None, CultureInfo.InvariantCulture));
            return true;
        }
        catch (Exception failure) when (failure is ArgumentException or OverflowException)
        {
            return false;
        }
    }

    private static bool TryParseDuration(string text, DateTimeOffset now, out TimeArgument moment)
    {
        moment = default;
        if (!TryParseGoDuration(text, out var nanoseconds))
        {
            return false;
        }

        moment = new TimeArgument(From(now).UnixNanoseconds - nanoseconds);
        return true;
    }

    [GeneratedRegex("^(?<seconds>-?[0-9]+)(\\.(?<fraction>[0-9]*))?$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Unix();

    [GeneratedRegex(
        "^(?<year>[0-9]{4})-(?<month>[0-9]{2})-(?<day>[0-9]{2})([Tt](?<hour>[0-9]{2})(:(?<minute>[0-9]{2})(:(?<second>[0-9]{2})(\\.(?<fraction>[0-9]+))?)?)?)?(?<zone>[Zz]|[+-](?<zoneHours>[0-9]{2}):(?<zoneMinutes>[0-9]{2}))?$",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Date();

    [GeneratedRegex("^(?<sign>[+-]?)((?<number>[0-9]+(\\.[0-9]*)?|\\.[0-9]+)(?<unit>ns|us|µs|μs|ms|s|m|h))+$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Duration();
}
