using System.Text.Json;
using Wherry.Oci.Runtime;
using static Wherry.Runtime.Bundles.JsonFields;

namespace Wherry.Runtime.Bundles;

/// <summary>Reads cgroup limits (config-linux.md, "Control groups").</summary>
internal static class ResourcesReader
{
    public static Resources Resources(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new Resources();
        while (Next(ref json))
        {
            if (json.ValueTextEquals("devices"u8))
            {
                value = HasValue(ref json) ? value with { Devices = List(ref json, DeviceRule) } : value;
            }
            else if (json.ValueTextEquals("memory"u8))
            {
                value = HasValue(ref json) ? value with { Memory = MemoryLimits(ref json) } : value;
            }
            else if (json.ValueTextEquals("cpu"u8))
            {
                value = HasValue(ref json) ? value with { Cpu = CpuLimits(ref json) } : value;
            }
            else if (json.ValueTextEquals("pids"u8))
            {
                value = HasValue(ref json) ? value with { Pids = PidsLimit(ref json) } : value;
            }
            else if (json.ValueTextEquals("blockIO"u8))
            {
                value = HasValue(ref json) ? value with { BlockIo = BlockIoReader.BlockIoLimits(ref json) } : value;
            }
            else if (json.ValueTextEquals("hugepageLimits"u8))
            {
                value = HasValue(ref json) ? value with { HugepageLimits = List(ref json, BlockIoReader.HugepageLimit) } : value;
            }
            else if (json.ValueTextEquals("network"u8))
            {
                value = HasValue(ref json) ? value with { Network = BlockIoReader.NetworkLimits(ref json) } : value;
            }
            else if (json.ValueTextEquals("rdma"u8))
            {
                value = HasValue(ref json) ? value with { Rdma = Map(ref json, BlockIoReader.RdmaLimit) } : value;
            }
            else if (json.ValueTextEquals("unified"u8))
            {
                value = HasValue(ref json) ? value with { Unified = Map(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    private static DeviceRule DeviceRule(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new DeviceRule(false);
        while (Next(ref json))
        {
            if (json.ValueTextEquals("allow"u8))
            {
                value = HasValue(ref json) ? value with { Allow = Bool(ref json) } : value;
            }
            else if (json.ValueTextEquals("type"u8))
            {
                value = HasValue(ref json) ? value with { Type = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("major"u8))
            {
                value = HasValue(ref json) ? value with { Major = Int64(ref json) } : value;
            }
            else if (json.ValueTextEquals("minor"u8))
            {
                value = HasValue(ref json) ? value with { Minor = Int64(ref json) } : value;
            }
            else if (json.ValueTextEquals("access"u8))
            {
                value = HasValue(ref json) ? value with { Access = Text(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    private static MemoryLimits MemoryLimits(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new MemoryLimits();
        while (Next(ref json))
        {
            if (json.ValueTextEquals("limit"u8))
            {
                value = HasValue(ref json) ? value with { Limit = Int64(ref json) } : value;
            }
            else if (json.ValueTextEquals("reservation"u8))
            {
                value = HasValue(ref json) ? value with { Reservation = Int64(ref json) } : value;
            }
            else if (json.ValueTextEquals("swap"u8))
            {
                value = HasValue(ref json) ? value with { Swap = Int64(ref json) } : value;
            }
            else if (json.ValueTextEquals("kernel"u8))
            {
                value = HasValue(ref json) ? value with { Kernel = Int64(ref json) } : value;
            }
            else if (json.ValueTextEquals("kernelTCP"u8))
            {
                value = HasValue(ref json) ? value with { KernelTcp = Int64(ref json) } : value;
            }
            else if (json.ValueTextEquals("useHierarchy"u8))
            {
                value = HasValue(ref json) ? value with { UseHierarchy = Bool(ref json) } : value;
            }
            else if (json.ValueTextEquals("checkBeforeUpdate"u8))
            {
                value = HasValue(ref json) ? value with { CheckBeforeUpdate = Bool(ref json) } : value;
            }
            else if (json.ValueTextEquals("swappiness"u8))
            {
                value = HasValue(ref json) ? value with { Swappiness = UInt64(ref json) } : value;
            }
            else if (json.ValueTextEquals("disableOOMKiller"u8))
            {
                value = HasValue(ref json) ? value with { DisableOomKiller = Bool(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    private static CpuLimits CpuLimits(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new CpuLimits();
        while (Next(ref json))
        {
            if (json.ValueTextEquals("shares"u8))
            {
                value = HasValue(ref json) ? value with { Shares = UInt64(ref json) } : value;
            }
            else if (json.ValueTextEquals("quota"u8))
            {
                value = HasValue(ref json) ? value with { Quota = Int64(ref json) } : value;
            }
            else if (json.ValueTextEquals("period"u8))
            {
                value = HasValue(ref json) ? value with { Period = UInt64(ref json) } : value;
            }
            else if (json.ValueTextEquals("burst"u8))
            {
                value = HasValue(ref json) ? value with { Burst = UInt64(ref json) } : value;
            }
            else if (json.ValueTextEquals("realtimeRuntime"u8))
            {
                value = HasValue(ref json) ? value with { RealtimeRuntime = Int64(ref json) } : value;
            }
            else if (json.ValueTextEquals("realtimePeriod"u8))
            {
                value = HasValue(ref json) ? value with { RealtimePeriod = UInt64(ref json) } : value;
            }
            else if (json.ValueTextEquals("idle"u8))
            {
                value = HasValue(ref json) ? value with { Idle = Int64(ref json) } : value;
            }
            else if (json.ValueTextEquals("cpus"u8))
            {
                value = HasValue(ref json) ? value with { Cpus = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("mems"u8))
            {
                value = HasValue(ref json) ? value with { Mems = Text(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    private static PidsLimit PidsLimit(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new PidsLimit(0);
        while (Next(ref json))
        {
            if (json.ValueTextEquals("limit"u8))
            {
                value = HasValue(ref json) ? value with { Limit = Int64(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }
}
