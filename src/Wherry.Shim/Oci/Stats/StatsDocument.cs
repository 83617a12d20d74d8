using System.Text.Json;

namespace Wherry.Shim.Oci.Stats;

/// <summary>Statistics in runc's shape (its types/events.go): what is zero there is left out here too, where it leaves it out.</summary>
public static class StatsDocument
{
    public static void Write(Utf8JsonWriter json, CgroupStats stats)
    {
        json.WriteStartObject();
        Cpu(json, stats.Cpu);
        Cpuset(json, stats.Cpuset);
        Memory(json, stats.Memory);
        json.WriteStartObject("pids");
        Unless0(json, "current", stats.PidsCurrent);
        Unless0(json, "limit", stats.PidsLimit);
        json.WriteEndObject();
        BlockIo(json, stats.BlockIo);
        json.WriteStartObject("hugetlb");
        foreach (var (size, pages) in stats.Hugepages)
        {
            json.WriteStartObject(size);
            Unless0(json, "usage", pages.Usage);
            Unless0(json, "max", pages.Max);
            json.WriteNumber("failcnt", pages.FailCount);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteStartObject("intel_rdt");
        json.WriteEndObject();
        json.WriteNull("network_interfaces");
        json.WriteEndObject();
    }

    private static void Cpu(Utf8JsonWriter json, CpuStats cpu)
    {
        json.WriteStartObject("cpu");
        json.WriteStartObject("usage");
        Unless0(json, "total", cpu.Total);
        Numbers(json, "percpu", cpu.PerCpu);
        Numbers(json, "percpu_kernel", cpu.PerCpuKernel);
        Numbers(json, "percpu_user", cpu.PerCpuUser);
        json.WriteNumber("kernel", cpu.Kernel);
        json.WriteNumber("user", cpu.User);
        json.WriteEndObject();
        json.WriteStartObject("throttling");
        Unless0(json, "periods", cpu.Periods);
        Unless0(json, "throttledPeriods", cpu.ThrottledPeriods);
        Unless0(json, "throttledTime", cpu.ThrottledTime);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Cpuset(Utf8JsonWriter json, CpusetStats cpuset)
    {
        json.WriteStartObject("cpuset");
        Numbers(json, "cpus", cpuset.Cpus);
        Numbers(json, "mems", cpuset.Mems);
        foreach (var (name, value) in cpuset.Switches)
        {
            json.WriteNumber(name, value);
        }

        json.WriteEndObject();
    }

    private static void Memory(Utf8JsonWriter json, MemoryStats memory)
    {
        json.WriteStartObject("memory");
        Unless0(json, "cache", memory.Cache);
        Memory(json, "usage", memory.Usage);
        Memory(json, "swap", memory.Swap);
        Memory(json, "kernel", memory.Kernel);
        Memory(json, "kernelTCP", memory.KernelTcp);
        json.WriteStartObject("raw");
        foreach (var (name, value) in memory.Raw)
        {
            json.WriteNumber(name, value);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Memory(Utf8JsonWriter json, string name, MemoryEntry entry)
    {
        json.WriteStartObject(name);
        json.WriteNumber("limit", entry.Limit);
        Unless0(json, "usage", entry.Usage);
        Unless0(json, "max", entry.Max);
        json.WriteNumber("failcnt", entry.FailCount);
        json.WriteEndObject();
    }

    private static void BlockIo(Utf8JsonWriter json, IReadOnlyDictionary<string, IReadOnlyList<BlockIoEntry>> lists)
    {
        json.WriteStartObject("blkio");
        foreach (var (name, entries) in lists)
        {
            if (entries.Count == 0)
            {
                continue;
            }

            json.WriteStartArray(name);
            foreach (var entry in entries)
            {
                json.WriteStartObject();
                Unless0(json, "major", entry.Major);
                Unless0(json, "minor", entry.Minor);
                if (entry.Operation.Length > 0)
                {
                    json.WriteString("op", entry.Operation);
                }

                Unless0(json, "value", entry.Value);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void Numbers(Utf8JsonWriter json, string name, IReadOnlyList<ulong> numbers)
    {
        if (numbers.Count == 0)
        {
            return;
        }

        json.WriteStartArray(name);
        foreach (var number in numbers)
        {
            json.WriteNumberValue(number);
        }

        json.WriteEndArray();
    }

    private static void Unless0(Utf8JsonWriter json, string name, ulong value)
    {
        if (value != 0)
        {
            json.WriteNumber(name, value);
        }
    }
}
