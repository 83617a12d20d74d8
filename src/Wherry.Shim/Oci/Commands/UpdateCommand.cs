using System.Globalization;
using Wherry.Errors;
using Wherry.Linux.Files;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Bundles;
using Wherry.Runtime.Cgroups;
using Wherry.Runtime.Checks;
using Wherry.Runtime.Systemd;
using Wherry.Shim.Oci.CommandLine;
using Wherry.Shim.Oci.Containers;

namespace Wherry.Shim.Oci.Commands;

/// <summary><c>update</c>: changes limits of a container while it runs. What isn't named stays.</summary>
public sealed class UpdateCommand : ICommand
{
    private const int LargestFile = 1024 * 1024;

    public OptionTable Options => new(
        "update [options] ID",
        "resources,r= File with the limits (runtime-spec's resources); - is standard input",
        "blkio-weight= Share of block I/O, 10 to 1000",
        "cpu-period= Microseconds",
        "cpu-quota= Microseconds of run time in each period",
        "cpu-burst= Microseconds the quota may be exceeded by",
        "cpu-share= Share of processor time",
        "cpu-rt-period= Microseconds",
        "cpu-rt-runtime= Microseconds",
        "cpuset-cpus= Processors, such as 0-3,7",
        "cpuset-mems= Memory nodes",
        "cpu-idle= 1 for SCHED_IDLE",
        "kernel-memory= Ignored: kernels of today don't limit it apart",
        "kernel-memory-tcp= Ignored likewise",
        "memory= Bytes, or with a unit (64m); -1 is unlimited",
        "memory-reservation= Likewise",
        "memory-swap= Likewise, memory and swap together",
        "pids-limit= Processes; -1 is unlimited",
        "l3-cache-schema= Refused: Intel RDT is not supported",
        "mem-bw-schema= Refused likewise");

    public int Run(GlobalOptions global, ParsedOptions parsed)
    {
        using var container = Container.OpenLocked(global.Root, parsed.RequireId("update"));
        var resources = parsed.Text("resources") is { Length: > 0 } file ? Read(file) : FromOptions(parsed);
        if (parsed.Has("l3-cache-schema"))
        {
            throw WherryException.Unsupported("Intel RDT/CAT: l3 cache schema is not enabled");
        }

        if (parsed.Has("mem-bw-schema"))
        {
            throw WherryException.Unsupported("Intel RDT/MBA: memory bandwidth schema is not enabled");
        }

        if (container.Status() is ContainerStatus.Stopped or ContainerStatus.Creating)
        {
            throw WherryException.Conflict("container not running");
        }

        var cgroup = container.RequireCgroup("changing limits");
        if (GlobalOptions.IsOrdinaryUser)
        {
            UnlimitedCheck.Require(resources, cgroup);
        }

        // Before systemd, which writes the files too, and a quota in its own steps.
        resources = LiveLimits.Complete(cgroup, resources);
        if (container.State.Unit.Length > 0)
        {
            using var systemd = ResponsibleManager.Connect();
            systemd.Set(container.State.Unit, new UnitLimits(cgroup.IsUnified).Of(resources));
        }

        var warnings = new List<string>();
        LiveLimits.Apply(cgroup, resources, warnings);
        warnings.ForEach(global.Log.Warning);
        return 0;
    }

    private static Resources Read(string path)
    {
        using var file = path == "-" ? FileSyscalls.Duplicate(0) : FileSyscalls.Open(path, OpenFlags.ReadOnly);
        return Bundle.ParseResources(FileSyscalls.ReadToEnd(file, LargestFile), path == "-" ? "standard input" : path);
    }

    private static Resources FromOptions(ParsedOptions parsed) => new()
    {
        Memory = new MemoryLimits
        {
            Limit = Size(parsed, "memory"),
            Reservation = Size(parsed, "memory-reservation"),
            Swap = Size(parsed, "memory-swap"),
        },
        Cpu = new CpuLimits
        {
            Period = Unsigned(parsed, "cpu-period"),
            Quota = parsed.Number("cpu-quota"),
            Burst = Unsigned(parsed, "cpu-burst"),
            Shares = Unsigned(parsed, "cpu-share"),
            RealtimePeriod = Unsigned(parsed, "cpu-rt-period"),
            RealtimeRuntime = parsed.Number("cpu-rt-runtime"),
            Cpus = parsed.Text("cpuset-cpus"),
            Mems = parsed.Text("cpuset-mems"),
            Idle = parsed.Number("cpu-idle"),
        },
        BlockIo = Unsigned(parsed, "blkio-weight") switch
        {
            null => null,
            >= 10 and <= 1000 and var weight => new BlockIoLimits { Weight = (ushort)weight },
            var weight => throw WherryException.Invalid($"--blkio-weight {weight}: must be between 10 and 1000"),
        },
        Pids = parsed.Number("pids-limit") is { } limit ? new PidsLimit(limit) : null,
    };

    private static ulong? Unsigned(ParsedOptions parsed, string name) => parsed.Number(name) switch
    {
        null => null,
        >= 0 and var number => (ulong)number,
        var number => throw WherryException.Invalid($"invalid value \"{number}\" for flag -{name}: must not be negative"),
    };

    // As in docker's: 64m, 1.5g, 512kb, plain bytes.
    private static long? Size(ParsedOptions parsed, string name)
    {
        if (parsed.Text(name) is not { Length: > 0 } text)
        {
            return null;
        }

        if (text == "-1")
        {
            return -1;
        }

        var digits = text.AsSpan().TrimEnd("bBiIkKmMgGtTpP ");
        var unit = text[digits.Length..].Trim().ToLowerInvariant().TrimEnd('b').TrimEnd('i');
        var power = unit.Length == 0 ? 0 : "kmgtp".IndexOf(unit, StringComparison.Ordinal) + 1;
        return unit.Length <= 1 && (unit.Length == 0 || power > 0)
            && decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number * (1L << (10 * power)) <= long.MaxValue
                ? (long)(number * (1L << (10 * power)))
                : throw WherryException.Invalid($"invalid value for {name}: invalid size: '{text}'");
    }
}
