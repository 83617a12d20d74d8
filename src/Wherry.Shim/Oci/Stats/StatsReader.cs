using Wherry.Linux.Cgroups;

namespace Wherry.Shim.Oci.Stats;

/// <summary>Reads what a cgroup uses, each controller from the tree it lives in.</summary>
public static class StatsReader
{
    private const ulong NanosecondsPerTick = 10_000_000;
    private const ulong NanosecondsPerMicrosecond = 1000;

    private static readonly (string File, string Name)[] V1BlockIo =
    [
        ("blkio.throttle.io_service_bytes_recursive", "ioServiceBytesRecursive"),
        ("blkio.throttle.io_serviced_recursive", "ioServicedRecursive"),
        ("blkio.io_queued_recursive", "ioQueueRecursive"),
        ("blkio.io_service_time_recursive", "ioServiceTimeRecursive"),
        ("blkio.io_wait_time_recursive", "ioWaitTimeRecursive"),
        ("blkio.io_merged_recursive", "ioMergedRecursive"),
        ("blkio.time_recursive", "ioTimeRecursive"),
        ("blkio.sectors_recursive", "sectorsRecursive"),
    ];

    private static readonly (string File, string Name)[] V1CpusetSwitches =
    [
        ("cpuset.cpu_exclusive", "cpu_exclusive"),
        ("cpuset.mem_hardwall", "mem_hardwall"),
        ("cpuset.mem_exclusive", "mem_exclusive"),
        ("cpuset.memory_migrate", "memory_migrate"),
        ("cpuset.memory_spread_page", "memory_spread_page"),
        ("cpuset.memory_spread_slab", "memory_spread_slab"),
        ("cpuset.memory_pressure", "memory_pressure"),
        ("cpuset.sched_load_balance", "sched_load_balance"),
        ("cpuset.sched_relax_domain_level", "sched_relax_domain_level"),
    ];

    public static CgroupStats Read(CgroupDirectories cgroup)
    {
        var pids = cgroup.V1("pids") ?? cgroup.V2("pids");
        var limit = CgroupText.Number(pids, "pids.max");
        return new CgroupStats
        {
            Cpu = cgroup.V1("cpuacct") is { } accounting ? CpuV1(accounting, cgroup.V1("cpu")) : CpuV2(cgroup.Unified),
            Cpuset = Cpuset(cgroup),
            Memory = cgroup.V1("memory") is { } memory ? MemoryV1(memory) : MemoryV2(cgroup.V2("memory")),
            PidsCurrent = CgroupText.Number(pids, "pids.current"),
            PidsLimit = limit == ulong.MaxValue ? 0 : limit,
            BlockIo = cgroup.V1("blkio") is { } blkio ? BlockIoV1(blkio) : BlockIoV2(cgroup.V2("io")),
            Hugepages = Hugepages(cgroup),
        };
    }

    private static CpuStats CpuV1(string accounting, string? cpu)
    {
        var times = CgroupText.Pairs(accounting, "cpuacct.stat");
        var throttling = CgroupText.Pairs(cpu, "cpu.stat");
        return new CpuStats
        {
            Total = CgroupText.Number(accounting, "cpuacct.usage"),
            PerCpu = CgroupText.Numbers(CgroupText.Read(accounting, "cpuacct.usage_percpu")),
            PerCpuKernel = CgroupText.Numbers(CgroupText.Read(accounting, "cpuacct.usage_percpu_sys")),
            PerCpuUser = CgroupText.Numbers(CgroupText.Read(accounting, "cpuacct.usage_percpu_user")),
            User = CgroupText.Find(times, "user") * NanosecondsPerTick,
            Kernel = CgroupText.Find(times, "system") * NanosecondsPerTick,
            Periods = CgroupText.Find(throttling, "nr_periods"),
            ThrottledPeriods = CgroupText.Find(throttling, "nr_throttled"),
            ThrottledTime = CgroupText.Find(throttling, "throttled_time"),
        };
    }

    private static CpuStats CpuV2(string? directory)
    {
        var times = CgroupText.Pairs(directory, "cpu.stat");
        return new CpuStats
        {
            Total = CgroupText.Find(times, "usage_usec") * NanosecondsPerMicrosecond,
            User = CgroupText.Find(times, "user_usec") * NanosecondsPerMicrosecond,
            Kernel = CgroupText.Find(times, "system_usec") * NanosecondsPerMicrosecond,
            Periods = CgroupText.Find(times, "nr_periods"),
            ThrottledPeriods = CgroupText.Find(times, "nr_throttled"),
            ThrottledTime = CgroupText.Find(times, "throttled_usec") * NanosecondsPerMicrosecond,
        };
    }

    private static CpusetStats Cpuset(CgroupDirectories cgroup)
    {
        var v1 = cgroup.V1("cpuset");
        var directory = v1 ?? cgroup.V2("cpuset");
        return new CpusetStats
        {
            Cpus = CgroupText.Ranges(CgroupText.Read(directory, "cpuset.cpus")),
            Mems = CgroupText.Ranges(CgroupText.Read(directory, "cpuset.mems")),
            Switches = [.. V1CpusetSwitches.Select(entry => (entry.Name, (long)CgroupText.Number(v1, entry.File)))],
        };
    }

    private static MemoryStats MemoryV1(string directory)
    {
        var raw = CgroupText.Pairs(directory, "memory.stat");
        return new MemoryStats
        {
            Cache = CgroupText.Find(raw, "cache"),
            Usage = MemoryV1(directory, "memory."),
            Swap = MemoryV1(directory, "memory.memsw."),
            Kernel = MemoryV1(directory, "memory.kmem."),
            KernelTcp = MemoryV1(directory, "memory.kmem.tcp."),
            Raw = raw,
        };
    }

    private static MemoryEntry MemoryV1(string directory, string prefix) => new(
        CgroupText.Number(directory, prefix + "limit_in_bytes"),
        CgroupText.Number(directory, prefix + "usage_in_bytes"),
        CgroupText.Number(directory, prefix + "max_usage_in_bytes"),
        CgroupText.Number(directory, prefix + "failcnt"));

    // In v1's terms, as runc gives it: swap is memory and swap together.
    private static MemoryStats MemoryV2(string? directory)
    {
        var raw = CgroupText.Pairs(directory, "memory.stat");
        var memory = new MemoryEntry(
            CgroupText.Number(directory, "memory.max"),
            CgroupText.Number(directory, "memory.current"),
            CgroupText.Number(directory, "memory.peak"),
            CgroupText.Find(CgroupText.Pairs(directory, "memory.events"), "max"));
        var swapLimit = CgroupText.Number(directory, "memory.swap.max");
        var both = swapLimit == ulong.MaxValue || memory.Limit == ulong.MaxValue ? ulong.MaxValue : swapLimit + memory.Limit;
        return new MemoryStats
        {
            Cache = CgroupText.Find(raw, "file"),
            Usage = memory,
            Swap = new MemoryEntry(both, CgroupText.Number(directory, "memory.swap.current") + memory.Usage, 0, 0),
            Raw = raw,
        };
    }

    private static Dictionary<string, IReadOnlyList<BlockIoEntry>> BlockIoV1(string directory)
    {
        var found = new Dictionary<string, IReadOnlyList<BlockIoEntry>>(StringComparer.Ordinal);
        foreach (var (file, name) in V1BlockIo)
        {
            var entries = new List<BlockIoEntry>();
            foreach (var line in CgroupText.Read(directory, file).Split('\n'))
            {
                // major:minor [operation] value; a total follows, which has no device.
                var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (words.Length >= 2 && words[0].IndexOf(':') is > 0 and var colon)
                {
                    entries.Add(new BlockIoEntry(
                        CgroupText.Number(words[0].AsSpan(0, colon)),
                        CgroupText.Number(words[0].AsSpan(colon + 1)),
                        words.Length > 2 ? words[1] : "",
                        CgroupText.Number(words[^1])));
                }
            }

            found[name] = entries;
        }

        return found;
    }

    private static Dictionary<string, IReadOnlyList<BlockIoEntry>> BlockIoV2(string? directory)
    {
        var bytes = new List<BlockIoEntry>();
        var operations = new List<BlockIoEntry>();
        foreach (var line in CgroupText.Read(directory, "io.stat").Split('\n'))
        {
            // major:minor rbytes=… wbytes=… rios=… wios=… dbytes=… dios=…
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0 || words[0].IndexOf(':') is not (> 0 and var colon))
            {
                continue;
            }

            foreach (var word in words.Skip(1))
            {
                var (list, operation) = word[..(word.IndexOf('=') + 1)] switch
                {
                    "rbytes=" => (bytes, "Read"),
                    "wbytes=" => (bytes, "Write"),
                    "rios=" => (operations, "Read"),
                    "wios=" => (operations, "Write"),
                    _ => (null, ""),
                };
                list?.Add(new BlockIoEntry(
                    CgroupText.Number(words[0].AsSpan(0, colon)),
                    CgroupText.Number(words[0].AsSpan(colon + 1)),
                    operation,
                    CgroupText.Number(word.AsSpan(word.IndexOf('=') + 1))));
            }
        }

        return new Dictionary<string, IReadOnlyList<BlockIoEntry>>(StringComparer.Ordinal)
        {
            ["ioServiceBytesRecursive"] = bytes,
            ["ioServicedRecursive"] = operations,
        };
    }

    private static Dictionary<string, HugepageStats> Hugepages(CgroupDirectories cgroup)
    {
        const string prefix = "hugetlb.";
        var found = new Dictionary<string, HugepageStats>(StringComparer.Ordinal);
        var v1 = cgroup.V1("hugetlb");
        var directory = v1 ?? cgroup.V2("hugetlb");
        var ending = v1 is null ? ".current" : ".usage_in_bytes";
        if (directory is null || !Directory.Exists(directory))
        {
            return found;
        }

        foreach (var path in Directory.GetFiles(directory, $"{prefix}*{ending}"))
        {
            var size = Path.GetFileName(path)[prefix.Length..^ending.Length];
            if (!size.Contains('.'))
            {
                found[size] = v1 is null
                    ? new HugepageStats(CgroupText.Number(directory, $"{prefix}{size}.current"), 0, CgroupText.Find(CgroupText.Pairs(directory, $"{prefix}{size}.events"), "max"))
                    : new HugepageStats(
                        CgroupText.Number(v1, $"{prefix}{size}.usage_in_bytes"),
                        CgroupText.Number(v1, $"{prefix}{size}.max_usage_in_bytes"),
                        CgroupText.Number(v1, $"{prefix}{size}.failcnt"));
            }
        }

        return found;
    }
}
