namespace Wherry.Shim.Oci.Stats;

/// <summary>What a container uses, as the kernel counts it. Times are nanoseconds, sizes bytes.</summary>
public sealed record CgroupStats
{
    public CpuStats Cpu { get; init; } = new();

    public CpusetStats Cpuset { get; init; } = new();

    public MemoryStats Memory { get; init; } = new();

    public ulong PidsCurrent { get; init; }

    /// <summary>0 is unlimited.</summary>
    public ulong PidsLimit { get; init; }

    /// <summary>By runc's names, such as <c>ioServiceBytesRecursive</c>.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<BlockIoEntry>> BlockIo { get; init; } = new Dictionary<string, IReadOnlyList<BlockIoEntry>>();

    /// <summary>By page size, such as <c>2MB</c>.</summary>
    public IReadOnlyDictionary<string, HugepageStats> Hugepages { get; init; } = new Dictionary<string, HugepageStats>();
}

public sealed record CpuStats
{
    public ulong Total { get; init; }

    public IReadOnlyList<ulong> PerCpu { get; init; } = [];

    public IReadOnlyList<ulong> PerCpuKernel { get; init; } = [];

    public IReadOnlyList<ulong> PerCpuUser { get; init; } = [];

    public ulong Kernel { get; init; }

    public ulong User { get; init; }

    public ulong Periods { get; init; }

    public ulong ThrottledPeriods { get; init; }

    public ulong ThrottledTime { get; init; }
}

public sealed record CpusetStats
{
    public IReadOnlyList<ulong> Cpus { get; init; } = [];

    public IReadOnlyList<ulong> Mems { get; init; } = [];

    /// <summary>v1's switches by runc's names; 0 on v2, which has none.</summary>
    public IReadOnlyList<(string Name, long Value)> Switches { get; init; } = [];
}

public sealed record MemoryStats
{
    public ulong Cache { get; init; }

    public MemoryEntry Usage { get; init; } = new(0, 0, 0, 0);

    public MemoryEntry Swap { get; init; } = new(0, 0, 0, 0);

    public MemoryEntry Kernel { get; init; } = new(0, 0, 0, 0);

    public MemoryEntry KernelTcp { get; init; } = new(0, 0, 0, 0);

    /// <summary>memory.stat, as it is.</summary>
    public IReadOnlyList<(string Name, ulong Value)> Raw { get; init; } = [];
}

/// <param name="Limit">All ones when there is none.</param>
/// <param name="Usage">At present.</param>
/// <param name="Max">The most there ever was.</param>
/// <param name="FailCount">How often the limit was hit.</param>
public sealed record MemoryEntry(ulong Limit, ulong Usage, ulong Max, ulong FailCount);

public sealed record BlockIoEntry(ulong Major, ulong Minor, string Operation, ulong Value);

public sealed record HugepageStats(ulong Usage, ulong Max, ulong FailCount);
