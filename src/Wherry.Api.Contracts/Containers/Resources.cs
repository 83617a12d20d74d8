using System.Text.Json.Serialization;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace Wherry.Api.Contracts.Containers;

/// <summary>What a container may use. Zero means no limit unless a field says otherwise.</summary>
public record Resources
{
    /// <summary>Relative weight, 1024 being the default.</summary>
    public long CpuShares { get; init; }

    /// <summary>Bytes.</summary>
    public long Memory { get; init; }

    /// <summary>Billionths of a CPU: 1.5 CPUs are 1500000000.</summary>
    public long NanoCpus { get; init; }

    public string CgroupParent { get; init => field = value ?? ""; } = "";

    public int BlkioWeight { get; init; }

    public IReadOnlyList<WeightDevice>? BlkioWeightDevice { get; init; }

    public IReadOnlyList<ThrottleDevice>? BlkioDeviceReadBps { get; init; }

    public IReadOnlyList<ThrottleDevice>? BlkioDeviceWriteBps { get; init; }

    public IReadOnlyList<ThrottleDevice>? BlkioDeviceReadIOps { get; init; }

    public IReadOnlyList<ThrottleDevice>? BlkioDeviceWriteIOps { get; init; }

    /// <summary>Microseconds.</summary>
    public long CpuPeriod { get; init; }

    /// <summary>Microseconds of CPU time per period.</summary>
    public long CpuQuota { get; init; }

    /// <summary>Microseconds.</summary>
    public long CpuRealtimePeriod { get; init; }

    /// <summary>Microseconds.</summary>
    public long CpuRealtimeRuntime { get; init; }

    public string CpusetCpus { get; init => field = value ?? ""; } = "";

    public string CpusetMems { get; init => field = value ?? ""; } = "";

    public IReadOnlyList<DeviceMapping>? Devices { get; init; }

    public IReadOnlyList<string>? DeviceCgroupRules { get; init; }

    public IReadOnlyList<DeviceRequest>? DeviceRequests { get; init; }

    /// <summary>Bytes; cgroup v1 only and gone from API 1.42.</summary>
    [JsonIgnore(Condition = WhenWritingDefault)]
    public long KernelMemory { get; init; }

    /// <summary>Bytes; cgroup v1 only.</summary>
    [JsonIgnore(Condition = WhenWritingDefault)]
    public long KernelMemoryTCP { get; init; }

    /// <summary>Bytes.</summary>
    public long MemoryReservation { get; init; }

    /// <summary>Bytes of memory and swap together; -1 for unlimited swap.</summary>
    public long MemorySwap { get; init; }

    /// <summary>0 to 100; null or -1 for the host's setting.</summary>
    public long? MemorySwappiness { get; init; }

    public bool? OomKillDisable { get; init; }

    /// <summary>Null, zero or -1 for no limit.</summary>
    public long? PidsLimit { get; init; }

    public IReadOnlyList<Ulimit>? Ulimits { get; init; }

    /// <summary>Windows only; kept so that inspect gives back what was asked, like the three that follow.</summary>
    public long CpuCount { get; init; }

    public long CpuPercent { get; init; }

    public long IOMaximumIOps { get; init; }

    public long IOMaximumBandwidth { get; init; }
}

/// <summary>A device's weight in block I/O.</summary>
public sealed record WeightDevice
{
    public string Path { get; init => field = value ?? ""; } = "";

    public int Weight { get; init; }
}

/// <summary>A device's rate limit: bytes or operations per second.</summary>
public sealed record ThrottleDevice
{
    public string Path { get; init => field = value ?? ""; } = "";

    public long Rate { get; init; }
}

/// <summary>A host device given to a container.</summary>
public sealed record DeviceMapping
{
    public string PathOnHost { get; init => field = value ?? ""; } = "";

    public string PathInContainer { get; init => field = value ?? ""; } = "";

    /// <summary>Any of <c>r</c>, <c>w</c> and <c>m</c>.</summary>
    public string CgroupPermissions { get; init => field = value ?? ""; } = "";
}

/// <summary>A request to a device driver (<c>--gpus</c>).</summary>
public sealed record DeviceRequest
{
    public string Driver { get; init => field = value ?? ""; } = "";

    /// <summary>-1 for all.</summary>
    public int Count { get; init; }

    public IReadOnlyList<string>? DeviceIDs { get; init; }

    public IReadOnlyList<IReadOnlyList<string>>? Capabilities { get; init; }

    public Dictionary<string, string>? Options { get; init; }
}

/// <summary>A resource limit of the program's processes; -1 for unlimited.</summary>
public sealed record Ulimit
{
    public string Name { get; init => field = value ?? ""; } = "";

    public long Hard { get; init; }

    public long Soft { get; init; }
}
