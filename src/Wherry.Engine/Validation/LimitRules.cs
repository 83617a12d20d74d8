using Wherry.Api.Contracts.Containers;
using Wherry.Engine.Specs;
using Wherry.Errors;

namespace Wherry.Engine.Validation;

/// <summary>Which limits make sense, in Docker's words; what the host can't enforce is a warning.</summary>
internal static class LimitRules
{
    private const long MinimumMemory = 6 * 1024 * 1024;
    private const long NanoCpusPerCpu = 1_000_000_000;

    public static void Check(HostConfig host, HostFacts facts, List<string> warnings)
    {
        CheckMemory(host, facts, warnings);
        CheckCpu(host, facts, warnings);
        CheckRealtime(host, facts);
        CheckCpuSets(host, facts, warnings);
        CheckBlockIo(host, facts, warnings);
        CheckRest(host, facts, warnings);
        CheckUlimits(host, facts, warnings);
    }

    private static void CheckMemory(HostConfig host, HostFacts facts, List<string> warnings)
    {
        Refuse(host.Memory != 0 && host.Memory < MinimumMemory, "Minimum memory limit allowed is 6MB");
        Refuse(host.MemorySwap < -1, "Invalid value for memory-swap: -1 is unlimited, smaller values have no meaning");
        Refuse(host is { Memory: > 0, MemorySwap: > 0 } && host.MemorySwap < host.Memory, "Minimum memoryswap limit should be larger than memory limit, see usage");
        Refuse(host is { Memory: 0, MemorySwap: > 0 }, "You should always set the Memory limit when using Memoryswap limit, see usage");
        Refuse(
            host.MemorySwappiness is < -1 or > 100,
            $"Invalid value: {host.MemorySwappiness}, valid memory swappiness range is 0-100");
        Refuse(host.MemoryReservation is not 0 and < MinimumMemory, "Minimum memory reservation allowed is 6MB");
        Refuse(
            host is { Memory: > 0, MemoryReservation: > 0 } && host.Memory < host.MemoryReservation,
            "Minimum memory limit can not be less than memory reservation limit, see usage");
        if (!facts.Controllers.Contains("memory"))
        {
            Warn(warnings, host.Memory > 0, "Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.");
            Warn(warnings, host.MemoryReservation > 0, "Your kernel does not support memory soft limit capabilities or the cgroup is not mounted. Limitation discarded.");
        }

        Warn(
            warnings,
            host.Memory > 0 && host.MemorySwap != -1 && !facts.SwapLimit,
            "Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.");
        Warn(
            warnings,
            host.MemorySwappiness is >= 0 && facts.IsCgroupUnified,
            "Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.");
        Warn(
            warnings,
            host.OomKillDisable == true && facts.IsCgroupUnified,
            "Your kernel does not support OomKillDisable. OomKillDisable discarded.");
        Warn(
            warnings,
            host is { OomKillDisable: true, Memory: 0 } && !facts.IsCgroupUnified,
            "OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.");
        Warn(warnings, host.KernelMemory > 0 || host.KernelMemoryTCP > 0, "Kernel memory limits are obsolete and discarded.");
    }

    private static void CheckCpu(HostConfig host, HostFacts facts, List<string> warnings)
    {
        Refuse(host is { NanoCpus: not 0, CpuPeriod: not 0 }, "Conflicting options: Nano CPUs and CPU Period cannot both be set");
        Refuse(host is { NanoCpus: not 0, CpuQuota: not 0 }, "Conflicting options: Nano CPUs and CPU Quota cannot both be set");
        Refuse(
            host.NanoCpus < 0 || host.NanoCpus > facts.CpuCount * NanoCpusPerCpu || host.NanoCpus is > 0 and < NanoCpusPerCpu / 100,
            $"range of CPUs is from 0.01 to {facts.CpuCount}.00, as there are only {facts.CpuCount} CPUs available");
        Refuse(host.CpuShares < 0, $"invalid CPU shares ({host.CpuShares}): value must be a positive integer");
        Refuse(
            host.CpuPeriod != 0 && host.CpuPeriod is < 1000 or > 1_000_000,
            "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
        Refuse(host.CpuQuota is > 0 and < 1000 or < -1, "CPU cfs quota can not be less than 1ms (i.e. 1000)");
        if (!facts.Controllers.Contains("cpu"))
        {
            Refuse(host.NanoCpus > 0, "NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted");
            Warn(warnings, host.CpuShares > 0, "Your kernel does not support CPU shares or the cgroup is not mounted. Shares discarded.");
            Warn(warnings, host.CpuPeriod > 0 || host.CpuQuota > 0, "Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.");
        }
    }

    private static void CheckRealtime(HostConfig host, HostFacts facts)
    {
        if (host is { CpuRealtimePeriod: 0, CpuRealtimeRuntime: 0 })
        {
            return;
        }

        if (!facts.CpuRealtime)
        {
            throw WherryException.Unsupported(
                $"{(host.CpuRealtimeRuntime != 0 ? "--cpu-rt-runtime" : "--cpu-rt-period")}: your kernel does not support CPU real-time scheduling in cgroups, or the hierarchy is v2, which has no share of it");
        }

        Refuse(host.CpuRealtimePeriod < 0 || host.CpuRealtimeRuntime < 0, "CPU real-time period and runtime can not be less than 0");
        Refuse(
            host.CpuRealtimePeriod != 0 && host.CpuRealtimeRuntime > host.CpuRealtimePeriod,
            "cpu real-time runtime cannot be higher than cpu real-time period");
    }

    private static void CheckBlockIo(HostConfig host, HostFacts facts, List<string> warnings)
    {
        Refuse(host.BlkioWeight is not 0 and (< 10 or > 1000), "Range of blkio weight is from 10 to 1000");
        foreach (var device in host.BlkioWeightDevice ?? [])
        {
            Refuse(!device.Path.StartsWith('/'), $"bad format for device path: {device.Path}");
            Refuse(device.Weight is not 0 and (< 10 or > 1000), $"Range of blkio weight is from 10 to 1000, not {device.Weight} for {device.Path}");
        }

        ThrottleDevice[] throttled =
            [.. host.BlkioDeviceReadBps ?? [], .. host.BlkioDeviceWriteBps ?? [], .. host.BlkioDeviceReadIOps ?? [], .. host.BlkioDeviceWriteIOps ?? []];
        foreach (var device in throttled)
        {
            Refuse(!device.Path.StartsWith('/'), $"bad format for device path: {device.Path}");
            Refuse(device.Rate < 0, $"invalid rate for device {device.Path}: {device.Rate} is less than 0");
        }

        if (!facts.Controllers.Contains("blkio"))
        {
            Warn(warnings, host.BlkioWeight > 0, "Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.");
            Warn(warnings, host.BlkioWeightDevice is { Count: > 0 }, "Your kernel does not support Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.");
            Warn(warnings, throttled.Length > 0, "Your kernel does not support Block I/O limits or the cgroup is not mounted. Block I/O limits discarded.");
        }
    }

    private static void CheckCpuSets(HostConfig host, HostFacts facts, List<string> warnings)
    {
        CheckSet(host.CpusetCpus, facts.CpuList, "cpuset cpus", "CPUs");
        CheckSet(host.CpusetMems, facts.MemoryNodeList, "cpuset mems", "memory nodes");
        Warn(
            warnings,
            host.CpusetCpus.Length + host.CpusetMems.Length > 0 && !facts.Controllers.Contains("cpuset"),
            "Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded.");
    }

    private static void CheckSet(string asked, string available, string option, string things)
    {
        if (asked.Length == 0)
        {
            return;
        }

        if (!CpuSets.TryParse(asked, out var wanted))
        {
            throw WherryException.Invalid($"Invalid value {asked} for {option}");
        }

        if (CpuSets.TryParse(available, out var present) && !wanted.IsSubsetOf(present))
        {
            throw WherryException.Invalid($"Requested {things} are not available - requested {asked}, available: {available}");
        }
    }

    private static void CheckRest(HostConfig host, HostFacts facts, List<string> warnings)
    {
        Refuse(host.ShmSize < 0, "SHM size can not be less than 0");
        Refuse(host.OomScoreAdj is < -1000 or > 1000, $"Invalid value {host.OomScoreAdj}, range for oom score adj is [-1000, 1000]");
        Refuse(host.PidsLimit < -1, $"Invalid value {host.PidsLimit} for pids limit: -1 or 0 is unlimited");
        Warn(
            warnings,
            host.PidsLimit > 0 && !facts.Controllers.Contains("pids"),
            "Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.");
        Warn(
            warnings,
            !facts.CanExceedLimits && host.OomScoreAdj != 0 && host.OomScoreAdj < facts.OomScoreAdjustment,
            $"This host does not let the engine lower OOM scores: {facts.OomScoreAdjustment} is used instead of {host.OomScoreAdj}.");
    }

    private static void CheckUlimits(HostConfig host, HostFacts facts, List<string> warnings)
    {
        foreach (var ulimit in host.Ulimits ?? [])
        {
            var name = UlimitNames.Find(ulimit.Name) ?? throw WherryException.Invalid($"invalid ulimit type: {ulimit.Name}");
            Refuse(
                ulimit.Hard >= 0 && (ulimit.Soft < 0 || ulimit.Soft > ulimit.Hard),
                $"ulimit soft limit must be less than or equal to hard limit: {Text(ulimit.Soft)} > {Text(ulimit.Hard)}");
            if (!facts.CanExceedLimits
                && facts.HardLimits.TryGetValue(name, out var highest)
                && (ulimit.Hard < 0 ? ulong.MaxValue : (ulong)ulimit.Hard) > highest)
            {
                warnings.Add($"This host does not let the engine raise the {ulimit.Name} limit: {highest} is used instead of {Text(ulimit.Hard)}.");
            }
        }
    }

    private static string Text(long limit) => limit < 0 ? "unlimited" : limit.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static void Refuse(bool isWrong, string message)
    {
        if (isWrong)
        {
            throw WherryException.Invalid(message);
        }
    }

    private static void Warn(List<string> warnings, bool applies, string message)
    {
        if (applies)
        {
            warnings.Add(message);
        }
    }
}
