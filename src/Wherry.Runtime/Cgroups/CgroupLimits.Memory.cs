using System.Globalization;
using Wherry.Errors;
using Wherry.Linux.Files;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Cgroups;

/// <summary>Memory.</summary>
public sealed partial class CgroupLimits
{
    private void Memory(MemoryLimits? limits)
    {
        if (limits is null)
        {
            return;
        }

        if (cgroup.V1("memory") is { } v1)
        {
            MemoryV1(v1, limits);
        }
        else if (cgroup.V2("memory") is { } v2)
        {
            MemoryV2(v2, limits);
        }
        else
        {
            Missing("memory", limits.Limit is not null || limits.Swap is not null);
        }
    }

    private void MemoryV1(string directory, MemoryLimits limits)
    {
        CheckUsage(directory + "/memory.usage_in_bytes", limits);
        if (limits.UseHierarchy is true && File.Exists(directory + "/memory.use_hierarchy"))
        {
            Write(directory, "memory.use_hierarchy", 1);
        }

        // The kernel wants memory below memory and swap at all times.
        InEitherOrder(() => Write(directory, "memory.limit_in_bytes", limits.Limit), () => SwapV1(directory, limits.Swap));
        Write(directory, "memory.soft_limit_in_bytes", limits.Reservation);
        Write(directory, "memory.swappiness", (long?)limits.Swappiness);
        if (limits.DisableOomKiller is { } disable)
        {
            Write(directory, "memory.oom_control", disable ? 1 : 0);
        }

        if (limits.Kernel is > 0)
        {
            warnings.Add("linux.resources.memory.kernel: kernels no longer limit their own memory apart; it is ignored");
        }

        if (limits.KernelTcp is { } tcp)
        {
            WriteKnown(directory, "memory.kmem.tcp.limit_in_bytes", Text(tcp), "linux.resources.memory.kernelTCP");
        }
    }

    private void SwapV1(string directory, long? swap)
    {
        if (swap is null or 0)
        {
            return;
        }

        if (File.Exists(directory + "/memory.memsw.limit_in_bytes"))
        {
            Write(directory, "memory.memsw.limit_in_bytes", swap);
        }
        else if (swap > 0)
        {
            warnings.Add("the kernel does not account swap: memory is limited without it");
        }
    }

    private void MemoryV2(string directory, MemoryLimits limits)
    {
        CheckUsage(directory + "/memory.current", limits);
        Write(directory, "memory.max", Max(limits.Limit));
        if (limits.Swap is { } swap && swap != 0)
        {
            // v2 counts swap by itself.
            var alone = swap < 0 ? -1 : swap - Math.Max(limits.Limit ?? 0, 0);
            if (File.Exists(directory + "/memory.swap.max"))
            {
                Write(directory, "memory.swap.max", Max(alone));
            }
            else if (swap > 0)
            {
                warnings.Add("the kernel does not account swap: memory is limited without it");
            }
        }

        Write(directory, "memory.low", Max(limits.Reservation));
        if (limits.Swappiness is not null)
        {
            warnings.Add("cgroup v2 has no swappiness; it is ignored");
        }

        if (limits.DisableOomKiller is true)
        {
            warnings.Add("cgroup v2 can't disable the OOM killer; it stays on");
        }

        if (limits.Kernel is > 0 || limits.KernelTcp is > 0)
        {
            warnings.Add("linux.resources.memory.kernel and kernelTCP: cgroup v2 has one limit for all memory; they are ignored");
        }
    }

    // The kernel would take memory away, killing if need be, rather than refuse.
    private static void CheckUsage(string file, MemoryLimits limits)
    {
        if (limits is { CheckBeforeUpdate: true, Limit: > 0 } && long.TryParse(FileSyscalls.TryReadText(file), CultureInfo.InvariantCulture, out var used) && used > limits.Limit)
        {
            throw WherryException.Invalid($"linux.resources.memory.limit: {used} bytes are in use, more than the limit of {limits.Limit}");
        }
    }
}
