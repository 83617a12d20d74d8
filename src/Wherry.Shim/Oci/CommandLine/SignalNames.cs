using System.Globalization;
using Wherry.Errors;
using Wherry.Linux.Signals;

namespace Wherry.Shim.Oci.CommandLine;

/// <summary>Signals by number or by name, with or without <c>SIG</c> (signal(7); the numbers are those of x86-64 and arm64).</summary>
public static class SignalNames
{
    private const string Names =
        " HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS";

    private const int FirstRealTime = 34;

    /// <exception cref="WherryException">There is no such signal.</exception>
    public static int Parse(string text)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return number <= SignalNumber.Last ? number : throw Unknown(text);
        }

        var name = text.ToUpperInvariant();
        name = name.StartsWith("SIG", StringComparison.Ordinal) ? name[3..] : name;
        var found = name.Length == 0 ? -1 : Array.IndexOf(Names.Split(' '), Synonym(name));
        return found > 0 ? found : RealTime(name) ?? throw Unknown(text);
    }

    private static string Synonym(string name) => name switch
    {
        "IOT" => "ABRT",
        "CLD" => "CHLD",
        "POLL" => "IO",
        _ => name,
    };

    // RTMIN, RTMIN+n, RTMAX, RTMAX-n.
    private static int? RealTime(string name)
    {
        var fromEnd = name.StartsWith("RTMAX", StringComparison.Ordinal);
        if (!fromEnd && !name.StartsWith("RTMIN", StringComparison.Ordinal))
        {
            return null;
        }

        var distance = 0;
        if (name.Length > 5 && (name[5] != (fromEnd ? '-' : '+') || !int.TryParse(name.AsSpan(6), NumberStyles.None, CultureInfo.InvariantCulture, out distance)))
        {
            return null;
        }

        var number = fromEnd ? SignalNumber.Last - distance : FirstRealTime + distance;
        return number is >= FirstRealTime and <= SignalNumber.Last ? number : null;
    }

    private static WherryException Unknown(string text) => WherryException.Invalid($"unknown signal \"{text}\"");
}
