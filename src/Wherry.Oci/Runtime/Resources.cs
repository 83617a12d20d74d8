using System.Text.Json.Serialization;

namespace Wherry.Oci.Runtime;

/// <summary>Cgroup limits (config-linux.md, "Control groups"). Null leaves the kernel's default.</summary>
public sealed record Resources
{
    public IReadOnlyList<DeviceRule> Devices { get; init; } = [];

    public MemoryLimits? Memory { get; init; }

    public CpuLimits? Cpu { get; init; }

    public PidsLimit? Pids { get; init; }

    [JsonPropertyName("blockIO")]
    public BlockIoLimits? BlockIo { get; init; }

    public IReadOnlyList<HugepageLimit> HugepageLimits { get; init; } = [];

    public NetworkLimits? Network { get; init; }

    /// <summary>By device, such as <c>mlx5_1</c>.</summary>
    public IReadOnlyDictionary<string, RdmaLimit>? Rdma { get; init; }

    /// <summary>Cgroup v2 files and what to write into them.</summary>
    public IReadOnlyDictionary<string, string>? Unified { get; init; }
}

/// <param name="Allow">Allow or deny.</param>
/// <param name="Type"><c>a</c>, <c>b</c> or <c>c</c>; null is all.</param>
/// <param name="Major">Null is any.</param>
/// <param name="Minor">Null is any.</param>
/// <param name="Access">Out of <c>rwm</c>.</param>
public sealed record DeviceRule(bool Allow, string? Type = null, long? Major = null, long? Minor = null, string? Access = null);

/// <summary>Bytes; −1 is unlimited.</summary>
public sealed record MemoryLimits
{
    public long? Limit { get; init; }

    public long? Reservation { get; init; }

    /// <summary>Memory and swap together, as cgroup v1 counts.</summary>
    public long? Swap { get; init; }

    /// <summary>Kernel memory; no kernel of today limits it apart.</summary>
    public long? Kernel { get; init; }

    [JsonPropertyName("kernelTCP")]
    public long? KernelTcp { get; init; }

    public ulong? Swappiness { get; init; }

    [JsonPropertyName("disableOOMKiller")]
    public bool? DisableOomKiller { get; init; }

    /// <summary>Count what lies below too, which every kernel of today does anyway.</summary>
    public bool? UseHierarchy { get; init; }

    /// <summary>Refuse a limit that is below what is in use already.</summary>
    public bool? CheckBeforeUpdate { get; init; }
}

public sealed record CpuLimits
{
    public ulong? Shares { get; init; }

    /// <summary>Microseconds of run time in each period; −1 is unlimited.</summary>
    public long? Quota { get; init; }

    /// <summary>Microseconds.</summary>
    public ulong? Period { get; init; }

    /// <summary>Microseconds a quota may be exceeded by, out of what earlier periods left over.</summary>
    public ulong? Burst { get; init; }

    /// <summary>Microseconds, as the next.</summary>
    public long? RealtimeRuntime { get; init; }

    public ulong? RealtimePeriod { get; init; }

    public string? Cpus { get; init; }

    public string? Mems { get; init; }

    /// <summary>1 lets the program run only when nothing else does (SCHED_IDLE for the whole cgroup).</summary>
    public long? Idle { get; init; }
}

public sealed record PidsLimit(long Limit);

public sealed record BlockIoLimits
{
    /// <summary>10–1000.</summary>
    public ushort? Weight { get; init; }

    /// <summary>For what competes with cgroups below; only kernels before 5.0 know it.</summary>
    public ushort? LeafWeight { get; init; }

    public IReadOnlyList<WeightDevice> WeightDevice { get; init; } = [];

    public IReadOnlyList<ThrottleDevice> ThrottleReadBpsDevice { get; init; } = [];

    public IReadOnlyList<ThrottleDevice> ThrottleWriteBpsDevice { get; init; } = [];

    [JsonPropertyName("throttleReadIOPSDevice")]
    public IReadOnlyList<ThrottleDevice> ThrottleReadIopsDevice { get; init; } = [];

    [JsonPropertyName("throttleWriteIOPSDevice")]
    public IReadOnlyList<ThrottleDevice> ThrottleWriteIopsDevice { get; init; } = [];
}

public sealed record WeightDevice(long Major, long Minor, ushort? Weight, ushort? LeafWeight);

/// <param name="Rate">Bytes or operations a second.</param>
public sealed record ThrottleDevice(long Major, long Minor, ulong Rate);

/// <param name="PageSize">Such as <c>2MB</c>.</param>
/// <param name="Limit">Bytes.</param>
public sealed record HugepageLimit(string PageSize, ulong Limit);

public sealed record NetworkLimits
{
    /// <summary>What packets are marked with for traffic control (net_cls).</summary>
    [JsonPropertyName("classID")]
    public uint? ClassID { get; init; }

    public IReadOnlyList<InterfacePriority> Priorities { get; init; } = [];
}

public sealed record InterfacePriority(string Name, uint Priority);

public sealed record RdmaLimit(uint? HcaHandles, uint? HcaObjects);
