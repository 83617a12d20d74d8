using Wherry.Api.Contracts.Containers;
using Wherry.Errors;

namespace Wherry.Engine.Containers;

/// <summary>The table that <c>top</c> shows, read from proc(5) in the columns of <c>ps -ef</c>.</summary>
internal static class ProcessTable
{
    private const int TicksPerSecond = 100;

    public static ContainerTopResponse Read(IReadOnlyList<int> pids)
    {
        var rows = new List<IReadOnlyList<string>>();
        var boot = BootTime();
        foreach (var pid in pids.Order())
        {
            if (TryReadRow(pid, boot) is { } row)
            {
                rows.Add(row);
            }
        }

        return new ContainerTopResponse
        {
            Titles = ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"],
            Processes = rows,
        };
    }

    /// <exception cref="WherryException">Unsupported: other columns than those of <c>-ef</c>.</exception>
    public static void RequireDefaultColumns(string? psArguments)
    {
        if (psArguments is not (null or "" or "-ef" or "ef"))
        {
            throw WherryException.Unsupported($"top with ps options \"{psArguments}\" is not supported: leave them out to get the columns of ps -ef");
        }
    }

    private static IReadOnlyList<string>? TryReadRow(int pid, DateTimeOffset boot)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            var nameEnd = stat.LastIndexOf(')');
            var name = stat[(stat.IndexOf('(') + 1)..nameEnd];
            var fields = stat[(nameEnd + 2)..].Split(' ');
            var command = File.ReadAllText($"/proc/{pid}/cmdline").TrimEnd('\0').Replace('\0', ' ');
            var cpu = TimeSpan.FromSeconds((long.Parse(fields[11]) + long.Parse(fields[12])) / TicksPerSecond);
            var started = boot.AddSeconds((double)long.Parse(fields[19]) / TicksPerSecond);
            return
            [
                UserOf(pid), $"{pid}", fields[1], Utilization(cpu, started), StartOf(started), TerminalOf(int.Parse(fields[4])),
                cpu.ToString(@"hh\:mm\:ss"), command.Length > 0 ? command : $"[{name}]",
            ];
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string Utilization(TimeSpan cpu, DateTimeOffset started)
    {
        var alive = (DateTimeOffset.UtcNow - started).TotalSeconds;
        return alive <= 0 ? "0" : $"{Math.Min(99, (int)(100 * cpu.TotalSeconds / alive))}";
    }

    private static string StartOf(DateTimeOffset started) =>
        DateTimeOffset.UtcNow - started < TimeSpan.FromDays(1) ? started.ToLocalTime().ToString("HH:mm") : started.ToLocalTime().ToString("MMMdd");

    /// <summary>proc(5): the minor number is in bits 31–20 and 7–0, the major in bits 15–8; 136–143 are pseudo-terminals.</summary>
    private static string TerminalOf(int device)
    {
        var major = (device >> 8) & 0xff;
        var minor = (device & 0xff) | ((device >> 12) & 0xfff00);
        return major is >= 136 and <= 143 ? $"pts/{minor}" : "?";
    }

    private static string UserOf(int pid)
    {
        var line = File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith("Uid:", StringComparison.Ordinal));
        var uid = line.Split('\t')[1];
        return uid == "0" ? "root" : uid;
    }

    private static DateTimeOffset BootTime()
    {
        var line = File.ReadLines("/proc/stat").First(line => line.StartsWith("btime ", StringComparison.Ordinal));
        return DateTimeOffset.FromUnixTimeSeconds(long.Parse(line.AsSpan(6)));
    }
}
