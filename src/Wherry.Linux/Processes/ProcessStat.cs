using System.Globalization;
using Wherry.Linux.Files;

namespace Wherry.Linux.Processes;

/// <summary>What tells one process from another that had its id before (proc(5), stat).</summary>
/// <param name="State">One letter: R, S, D, T, Z (ended, not yet collected) …</param>
/// <param name="Parent">Its parent's id.</param>
/// <param name="StartTime">Clock ticks since the host was booted.</param>
public readonly record struct ProcessStat(char State, int Parent, ulong StartTime)
{
    // The split begins at field 3, behind the name, which may hold anything.
    private const int FirstField = 3;
    private const int StartTimeField = 22;

    public bool HasEnded => State is 'Z' or 'X' or 'x';

    /// <summary>Null when there is no such process.</summary>
    public static ProcessStat? TryRead(int pid)
    {
        try
        {
            return TryParse(FileSyscalls.TryReadText($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/stat"));
        }
        catch (LinuxException e) when (e.ErrorNumber == Errno.ESRCH)
        {
            // It went between open and read.
            return null;
        }
    }

    private static ProcessStat? TryParse(string? text)
    {
        var name = text?.LastIndexOf(')') ?? -1;
        if (name < 0)
        {
            return null;
        }

        var fields = text![(name + 2)..].Split(' ');
        return fields.Length > StartTimeField - FirstField && ulong.TryParse(fields[StartTimeField - FirstField], CultureInfo.InvariantCulture, out var start)
            ? new ProcessStat(fields[0][0], int.Parse(fields[1], CultureInfo.InvariantCulture), start)
            : null;
    }
}
