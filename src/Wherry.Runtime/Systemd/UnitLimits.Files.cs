using System.Globalization;
using Wherry.Errors;

namespace Wherry.Runtime.Systemd;

/// <summary>Limits that are asked for by cgroup v2's files (linux.resources.unified).</summary>
public sealed partial class UnitLimits
{
    // What systemd does not know of them it would write anew from what it does, so each that it has a property for is one.
    private void Files(IReadOnlyDictionary<string, string>? files)
    {
        foreach (var (file, value) in files ?? new Dictionary<string, string>())
        {
            switch (file)
            {
                case "memory.min" or "memory.low" or "memory.high" or "memory.max":
                    Add($"Memory{char.ToUpperInvariant(file[7])}{file[8..]}", Number(file, value));
                    break;
                case "memory.swap.max":
                    Add("MemorySwapMax", Number(file, value));
                    break;
                case "pids.max":
                    Add("TasksMax", Number(file, value));
                    break;
                case "cpu.weight":
                    Add("CPUWeight", Number(file, value));
                    break;
                case "cpu.max":
                    ProcessorTime(file, value);
                    break;
                case "cpuset.cpus" when value.Trim().Length > 0:
                    Add("AllowedCPUs", Mask(value.Trim(), "linux.resources.unified: " + file));
                    break;
                case "cpuset.mems" when value.Trim().Length > 0:
                    Add("AllowedMemoryNodes", Mask(value.Trim(), "linux.resources.unified: " + file));
                    break;
            }
        }
    }

    private void ProcessorTime(string file, string value)
    {
        var words = value.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (words.Length is not (1 or 2))
        {
            throw WherryException.Invalid($"linux.resources.unified: {file}: \"{value}\" is not QUOTA PERIOD");
        }

        var period = words.Length == 2 ? Number(file, words[1]) : DefaultPeriod;
        if (period is 0 or Infinity)
        {
            throw WherryException.Invalid($"linux.resources.unified: {file}: \"{value}\" has no period");
        }

        var quota = Number(file, words[0]);
        Add("CPUQuotaPeriodUSec", period);
        Quota(quota >= long.MaxValue ? -1 : (long)quota, period);
    }

    private static ulong Number(string file, string value) =>
        value.Trim() == "max" ? Infinity
        : ulong.TryParse(value.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : throw WherryException.Invalid($"linux.resources.unified: {file}: \"{value}\" is neither a number nor \"max\"");
}
