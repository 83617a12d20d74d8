using System.Globalization;
using Wherry.Errors;

namespace Wherry.Engine.Specs;

/// <summary>Signals as users write them: <c>KILL</c>, <c>SIGKILL</c>, <c>9</c>, <c>RTMIN+3</c> (signal(7); the numbers of x86-64 and arm64).</summary>
public static class Signals
{
    public const int Kill = 9;
    public const int Terminate = 15;
    private const int RealTimeFirst = 34;
    private const int RealTimeLast = 64;

    private static readonly string[] Names =
    [
        "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
        "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
        "WINCH", "IO", "PWR", "SYS",
    ];

    /// <exception cref="WherryException">InvalidParameter: there is no such signal.</exception>
    public static int Parse(string text)
    {
        if (TryParse(text, out var signal))
        {
            return signal;
        }

        throw WherryException.Invalid($"invalid signal: {text}");
    }

    public static bool TryParse(string text, out int signal)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out signal))
        {
            return signal is > 0 and <= RealTimeLast;
        }

        var name = text.ToUpperInvariant();
        if (name.StartsWith("SIG", StringComparison.Ordinal))
        {
            name = name[3..];
        }

        signal = name switch
        {
            "" => -1,
            "IOT" => 6,
            "CLD" => 17,
            "POLL" => 29,
            _ => Array.IndexOf(Names, name),
        };
        return signal > 0 || TryParseRealTime(name, out signal);
    }

    private static bool TryParseRealTime(string name, out int signal)
    {
        signal = 0;
        if (name.StartsWith("RTMIN", StringComparison.Ordinal))
        {
            return TryOffset(name.AsSpan(5), '+', RealTimeFirst, sign: 1, out signal);
        }

        return name.StartsWith("RTMAX", StringComparison.Ordinal)
            && TryOffset(name.AsSpan(5), '-', RealTimeLast, sign: -1, out signal);
    }

    private static bool TryOffset(ReadOnlySpan<char> rest, char expected, int origin, int sign, out int signal)
    {
        signal = origin;
        if (rest.IsEmpty)
        {
            return true;
        }

        if (rest[0] != expected || !int.TryParse(rest[1..], NumberStyles.None, CultureInfo.InvariantCulture, out var offset) || offset > RealTimeLast)
        {
            return false;
        }

        signal = origin + (sign * offset);
        return signal is >= RealTimeFirst and <= RealTimeLast;
    }
}
