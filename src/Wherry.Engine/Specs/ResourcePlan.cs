using Wherry.Oci.Runtime;

namespace Wherry.Engine.Specs;

/// <summary>Limits in the runtime's terms. What the host has no controller for is left out: the validator has warned of it.</summary>
internal static class ResourcePlan
{
    /// <summary>Microseconds; what Docker divides <c>--cpus</c> by.</summary>
    private const long CpuPeriod = 100_000;

    public static Resources Make(SpecInputs inputs) => new()
    {
        Devices = DeviceRules.Make(inputs),
        Memory = Has(inputs, "memory") ? Memory(inputs) : null,
        Cpu = Cpu(inputs),
        Pids = Has(inputs, "pids") && inputs.Host.PidsLimit is > 0 and var limit ? new PidsLimit(limit) : null,
        BlockIo = Has(inputs, "blkio") ? inputs.BlockIo : null,
    };

    private static MemoryLimits? Memory(SpecInputs inputs)
    {
        var host = inputs.Host;
        var limits = new MemoryLimits
        {
            Limit = host.Memory > 0 ? host.Memory : null,
            Reservation = host.MemoryReservation > 0 ? host.MemoryReservation : null,
            Swap = inputs.HostFacts.SwapLimit ? Swap(host.Memory, host.MemorySwap) : null,
            Swappiness = !inputs.HostFacts.IsCgroupUnified && host.MemorySwappiness is >= 0 and var swappiness ? (ulong)swappiness : null,
            DisableOomKiller = !inputs.HostFacts.IsCgroupUnified && host.OomKillDisable == true ? true : null,
        };
        return limits == new MemoryLimits() ? null : limits;
    }

    /// <summary>Memory and swap together: -1 for unlimited swap, and as much swap again as memory where nothing was said.</summary>
    private static long? Swap(long memory, long memorySwap) => (memory, memorySwap) switch
    {
        (_, -1) => -1,
        ( > 0, 0) => memory > long.MaxValue / 2 ? -1 : memory * 2,
        (_, > 0) => memorySwap,
        _ => null,
    };

    private static CpuLimits? Cpu(SpecInputs inputs)
    {
        var host = inputs.Host;
        var hasCpu = Has(inputs, "cpu");
        var hasSets = Has(inputs, "cpuset");
        var limits = new CpuLimits
        {
            Shares = hasCpu && host.CpuShares > 0 ? (ulong)Math.Clamp(host.CpuShares, 2, 262_144) : null,
            Quota = !hasCpu ? null : host.NanoCpus > 0 ? host.NanoCpus / (1_000_000_000 / CpuPeriod) : host.CpuQuota != 0 ? host.CpuQuota : null,
            Period = !hasCpu ? null : host.NanoCpus > 0 ? CpuPeriod : host.CpuPeriod > 0 ? (ulong)host.CpuPeriod : null,
            Cpus = hasSets && host.CpusetCpus.Length > 0 ? host.CpusetCpus : null,
            Mems = hasSets && host.CpusetMems.Length > 0 ? host.CpusetMems : null,
            RealtimePeriod = host.CpuRealtimePeriod > 0 ? (ulong)host.CpuRealtimePeriod : null,
            RealtimeRuntime = host.CpuRealtimeRuntime > 0 ? host.CpuRealtimeRuntime : null,
        };
        return limits == new CpuLimits() ? null : limits;
    }

    private static bool Has(SpecInputs inputs, string controller) => inputs.HostFacts.Controllers.Contains(controller);
}
