using System.Globalization;

namespace Wherry.Bench.Contestants;

/// <summary>What processes weigh, by /proc.</summary>
public static class ProcessMemory
{
    /// <summary>Processes whose command line contains a text.</summary>
    public static IReadOnlyList<int> Find(string program, string containing)
    {
        var found = new List<int>();
        foreach (var directory in Directory.EnumerateDirectories("/proc").Where(path => char.IsAsciiDigit(Path.GetFileName(path)[0])))
        {
            try
            {
                var line = File.ReadAllText(Path.Combine(directory, "cmdline"));
                var end = line.IndexOf('\0', StringComparison.Ordinal);
                if (end > 0 && Path.GetFileName(line[..end]) == program && line.Contains(containing, StringComparison.Ordinal))
                {
                    found.Add(int.Parse(Path.GetFileName(directory), CultureInfo.InvariantCulture));
                }
            }
            catch (IOException)
            {
                // It has just ended.
            }
        }

        return found;
    }

    public static long Resident(int pid) => Sum($"/proc/{pid}/status", "VmRSS:");

    /// <summary>The most since <see cref="ForgetPeak"/>.</summary>
    public static long Peak(int pid) => Sum($"/proc/{pid}/status", "VmHWM:");

    /// <summary>Sets the peak to what is resident now (proc(5), clear_refs).</summary>
    public static void ForgetPeak(int pid) => File.WriteAllText($"/proc/{pid}/clear_refs", "5");

    public static long Private(int pid) => Sum($"/proc/{pid}/smaps_rollup", "Private_");

    private static long Sum(string file, string field) =>
        File.ReadLines(file)
            .Where(line => line.StartsWith(field, StringComparison.Ordinal))
            .Sum(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture)) * 1024;
}
