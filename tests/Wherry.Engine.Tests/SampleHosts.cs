using Wherry.Engine.Specs;
using Wherry.Engine.Validation;

namespace Wherry.Engine.Tests;

/// <summary>Hosts to plan for.</summary>
internal static class SampleHosts
{
    /// <summary>A plain root host on cgroup v1 with everything.</summary>
    public static readonly HostFacts Ordinary = new()
    {
        CpuCount = 2,
        CpuList = "0-1",
        MemoryNodeList = "0",
        TotalMemory = 8L << 30,
        Controllers = new HashSet<string> { "memory", "cpu", "cpuset", "pids", "blkio", "devices", "freezer" },
        SwapLimit = true,
        CpuRealtime = true,
        Capabilities = new HashSet<string>(CapabilityNames.All),
        HardLimits = new Dictionary<string, ulong> { ["RLIMIT_NOFILE"] = 524_288 },
    };

    /// <summary>Root without CAP_SYS_RESOURCE, as in a nested or hardened host.</summary>
    public static readonly HostFacts Hardened = Ordinary with
    {
        Capabilities = new HashSet<string>(CapabilityNames.All.Where(name => name != "CAP_SYS_RESOURCE")),
        OomScoreAdjustment = -5,
    };

    public static readonly HostFacts Unified = Ordinary with { IsCgroupUnified = true, CpuRealtime = false };
}
