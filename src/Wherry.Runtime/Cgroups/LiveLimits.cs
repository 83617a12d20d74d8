using System.Globalization;
using Wherry.Linux.Cgroups;
using Wherry.Linux.Files;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Cgroups;

/// <summary>
/// Changes the limits of a cgroup that has some already. Unlike in a new one, zero means "leave it", and the
/// order of writes depends on what is there: v1 wants memory below memory and swap at every moment.
/// </summary>
public static class LiveLimits
{
    /// <param name="cgroup">A container's.</param>
    /// <param name="resources">What is to change; rules on devices are not looked at.</param>
    /// <param name="warnings">Told what the host can't do.</param>
    public static void Apply(CgroupDirectories cgroup, Resources resources, List<string> warnings)
    {
        resources = Complete(cgroup, resources);
        var memory = Memory(cgroup, resources.Memory);
        if (memory?.Swap is { } swap && cgroup.V1("memory") is { } v1)
        {
            MakeRoom(v1 + "/memory.memsw.limit_in_bytes", swap);
        }

        new CgroupLimits(cgroup, [], warnings).Apply(resources with { Memory = memory, Cpu = Cpu(resources.Cpu), Devices = [] });
    }

    /// <summary>
    /// Adds to a processor quota the period that there is, or the other way round: v2's file and systemd's property hold
    /// both at once, and what is not to change must not.
    /// </summary>
    public static Resources Complete(CgroupDirectories cgroup, Resources resources)
    {
        if (Cpu(resources.Cpu) is not { } cpu || cpu.Quota is null == cpu.Period is null)
        {
            return resources;
        }

        var (quota, period) = CurrentCpu(cgroup);
        return resources with { Cpu = cpu with { Quota = cpu.Quota ?? quota, Period = cpu.Period ?? period } };
    }

    // Null where there is none.
    private static (long? Quota, ulong? Period) CurrentCpu(CgroupDirectories cgroup)
    {
        var words = cgroup.V1("cpu") is { } v1
            ? [FileSyscalls.TryReadText(v1 + "/cpu.cfs_quota_us")?.Trim() ?? "", FileSyscalls.TryReadText(v1 + "/cpu.cfs_period_us")?.Trim() ?? ""]
            : cgroup.V2("cpu") is { } v2 ? (FileSyscalls.TryReadText(v2 + "/cpu.max") ?? "").Trim().Split(' ') : [];
        return words is [var quota, var period]
            ? (long.TryParse(quota, CultureInfo.InvariantCulture, out var micro) && micro > 0 ? micro : null, ulong.TryParse(period, CultureInfo.InvariantCulture, out var length) ? length : null)
            : (null, null);
    }

    private static MemoryLimits? Memory(CgroupDirectories cgroup, MemoryLimits? asked)
    {
        if (asked is null)
        {
            return null;
        }

        var limits = asked with { Limit = Given(asked.Limit), Swap = Given(asked.Swap), Reservation = Given(asked.Reservation) };
        if (limits is { Limit: -1, Swap: null })
        {
            // As runc: memory without a limit means swap without one.
            limits = limits with { Swap = -1 };
        }

        // v2 limits swap alone: what of the sum is memory has to be known.
        return limits is { Limit: null, Swap: > 0 } && cgroup.V2("memory") is { } v2 && Read(v2 + "/memory.max") is { } current
            ? limits with { Limit = current }
            : limits;
    }

    private static CpuLimits? Cpu(CpuLimits? asked) => asked is null ? null : asked with
    {
        Shares = Given(asked.Shares),
        Quota = Given(asked.Quota),
        Period = Given(asked.Period),
        RealtimePeriod = Given(asked.RealtimePeriod),
        RealtimeRuntime = Given(asked.RealtimeRuntime),
    };

    private static void MakeRoom(string file, long swap)
    {
        if (Read(file) is { } current && (swap < 0 || swap > current))
        {
            FileSyscalls.WriteKernelFile(file, swap.ToString(CultureInfo.InvariantCulture));
        }
    }

    private static long? Read(string file) =>
        long.TryParse(FileSyscalls.TryReadText(file), CultureInfo.InvariantCulture, out var value) ? value : null;

    private static long? Given(long? value) => value == 0 ? null : value;

    private static ulong? Given(ulong? value) => value == 0 ? null : value;
}
