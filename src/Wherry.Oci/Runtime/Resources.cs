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

    public ulong? Swappiness { get; init; }

    [JsonPropertyName("disableOOMKiller")]
    public bool? DisableOomKiller { get; init; }
}

public sealed record CpuLimits
{
    public ulong? Shares { get; init; }

    /// <summary>Microseconds of run time in each period; −1 is unlimited.</summary>
    public long? Quota { get; init; }

    /// <summary>Microseconds.</summary>
    public ulong? Period { get; init; }

    public string? Cpus { get; init; }

    public string? Mems { get; init; }
}

public sealed record PidsLimit(long Limit);

public sealed record BlockIoLimits
{
    public ushort? Weight { get; init; }
}
