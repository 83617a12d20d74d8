using Wherry.Errors;
using Wherry.Linux.Cgroups;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Cgroups;

namespace Wherry.Runtime.Checks;

/// <summary>Looks cgroup limits through, a container's own or an update's.</summary>
public static class ResourcesCheck
{
    private const int LowestWeight = 10;
    private const int HighestWeight = 1000;

    /// <exception cref="WherryException">Something in them can't be carried out on any host.</exception>
    public static void Require(Resources? resources)
    {
        if (resources is null)
        {
            return;
        }

        Cpu(resources.Cpu);
        Memory(resources.Memory);
        BlockIo(resources.BlockIo);
        _ = DeviceRules.Compile(resources.Devices);
        foreach (var limit in resources.HugepageLimits)
        {
            if (!limit.PageSize.EndsWith('B') || limit.PageSize.Length < 3 || !limit.PageSize[..^2].All(char.IsAsciiDigit) || limit.PageSize[^2] is not ('K' or 'M' or 'G'))
            {
                throw WherryException.Invalid($"linux.resources.hugepageLimits: \"{limit.PageSize}\" is not a page size such as 2MB");
            }
        }

        foreach (var name in (resources.Unified?.Keys ?? []).Concat(resources.Rdma?.Keys ?? []))
        {
            if (name.Length == 0 || name is "." or ".." || name.AsSpan().IndexOfAny("/\0\n ") >= 0)
            {
                throw WherryException.Invalid($"linux.resources: \"{name}\" is not a name");
            }
        }
    }

    private static void Cpu(CpuLimits? cpu)
    {
        if (cpu is null)
        {
            return;
        }

        _ = NumberLists.Parse(cpu.Cpus ?? "", "linux.resources.cpu.cpus");
        _ = NumberLists.Parse(cpu.Mems ?? "", "linux.resources.cpu.mems");
        if (cpu.Idle is not (null or 0 or 1))
        {
            throw WherryException.Invalid($"linux.resources.cpu.idle: {cpu.Idle} is neither 0 nor 1");
        }
    }

    private static void Memory(MemoryLimits? memory)
    {
        if (memory?.Swappiness > 100)
        {
            throw WherryException.Invalid($"linux.resources.memory.swappiness: {memory.Swappiness} is more than 100");
        }

        if (memory is { Limit: > 0, Swap: > 0 } && memory.Swap < memory.Limit)
        {
            throw WherryException.Invalid($"linux.resources.memory.swap: memory and swap together, {memory.Swap}, are less than memory alone, {memory.Limit}");
        }
    }

    private static void BlockIo(BlockIoLimits? io)
    {
        if (io is null)
        {
            return;
        }

        var weights = io.WeightDevice.SelectMany(device => (ushort?[])[device.Weight, device.LeafWeight]).Append(io.Weight).Append(io.LeafWeight);
        foreach (var weight in weights)
        {
            if (weight is not (null or 0) && weight is < LowestWeight or > HighestWeight)
            {
                throw WherryException.Invalid($"linux.resources.blockIO: the weight {weight} is not between {LowestWeight} and {HighestWeight}");
            }
        }
    }

    /// <summary>What asks for a controller that most hosts have but this one may lack is refused before anything is made.</summary>
    /// <param name="resources">The limits.</param>
    /// <param name="cgroupsPath">Where the cgroup is to be, which tells what may be limited there; null or empty for below a tree's root.</param>
    /// <exception cref="WherryException">The controller isn't there.</exception>
    public static void RequireControllers(Resources? resources, string? cgroupsPath)
    {
        var needed = new List<(string Property, string[] Controllers, bool V1Only)>();
        Need(needed, resources?.HugepageLimits.Count > 0, "hugepageLimits", "hugetlb");
        Need(needed, resources?.Rdma?.Count > 0, "rdma", "rdma");
        Need(needed, resources?.Network?.ClassID is not null, "network.classID", "net_cls", v1Only: true);
        Need(needed, resources?.Network?.Priorities.Count > 0, "network.priorities", "net_prio", v1Only: true);
        Need(needed, resources?.Cpu is { Burst: not null } or { Idle: not null }, "cpu", "cpu");
        Need(needed, resources?.Cpu is { RealtimeRuntime: not (null or 0) } or { RealtimePeriod: not (null or 0) }, "cpu.realtimeRuntime", "cpu", v1Only: true);
        Need(needed, resources?.BlockIo is { } io && io.ThrottleReadBpsDevice.Count + io.ThrottleWriteBpsDevice.Count + io.ThrottleReadIopsDevice.Count + io.ThrottleWriteIopsDevice.Count > 0, "blockIO", "blkio", "io");
        var unified = resources?.Unified?.Count > 0;
        if (needed.Count == 0 && !unified)
        {
            return;
        }

        var host = CgroupHost.Detect();
        var cgroup = host.Locate(string.IsNullOrEmpty(cgroupsPath) ? "/any" : cgroupsPath);
        if (unified && cgroup.Unified is null)
        {
            throw WherryException.Unsupported("linux.resources.unified: invalid configuration: this host has no cgroup v2 tree with controllers");
        }

        foreach (var (property, controllers, v1Only) in needed)
        {
            if (!controllers.Any(controller => host.V1.ContainsKey(controller) || (!v1Only && cgroup.V2(controller) is not null)))
            {
                throw WherryException.Unsupported($"linux.resources.{property}: this host has no cgroup controller \"{controllers[0]}\"{(v1Only ? ", which only v1 has" : "")}");
            }
        }
    }

    private static void Need(List<(string Property, string[] Controllers, bool V1Only)> needed, bool asked, string property, string controller, string? v2Controller = null, bool v1Only = false)
    {
        if (asked)
        {
            needed.Add((property, v2Controller is null ? [controller] : [controller, v2Controller], v1Only));
        }
    }
}
