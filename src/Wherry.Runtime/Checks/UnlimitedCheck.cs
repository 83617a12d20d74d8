using Wherry.Errors;
using Wherry.Linux.Cgroups;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Checks;

/// <summary>
/// Limits asked for by who may make no cgroup for them. Root is only warned of a controller that his host lacks; an
/// ordinary user, who as a rule has been given none at all, must not believe in limits that are not there.
/// </summary>
public static class UnlimitedCheck
{
    private const string UsualAdvice = "on hosts with cgroup v2, --systemd-cgroup or 'systemd-run --user --scope --property Delegate=yes COMMAND' gives one";

    /// <param name="resources">What is asked for. Rules on devices are not looked at: in a user namespace nobody can make a device.</param>
    /// <param name="cgroup">Where the container is to be; it need not be there yet.</param>
    /// <param name="advice">How such a user gets one that does; null for the usual one.</param>
    /// <exception cref="WherryException">Something asked for can't be had there; names all of it.</exception>
    public static void Require(Resources? resources, CgroupDirectories cgroup, string? advice = null)
    {
        if (resources is null)
        {
            return;
        }

        var missing = Asked(resources).Where(limit => !cgroup.Has(limit.V1, limit.V2)).Select(limit => "linux.resources." + limit.Property).ToList();
        if (missing.Count > 0)
        {
            throw WherryException.Unsupported(
                $"{string.Join(", ", missing)}: can't be limited, as this user has been given no cgroup whose controllers do it; {advice ?? UsualAdvice}");
        }
    }

    private static IEnumerable<(string Property, string V1, string V2)> Asked(Resources resources)
    {
        if (resources.Memory is { } memory && (memory.Limit > 0 || memory.Swap > 0 || memory.Reservation > 0 || memory.KernelTcp > 0 || memory.Swappiness is not null || memory.DisableOomKiller is true))
        {
            yield return ("memory", "memory", "memory");
        }

        if (resources.Cpu is { } cpu)
        {
            if (cpu.Shares > 0 || cpu.Quota > 0 || cpu.Period > 0 || cpu.Burst > 0 || cpu.RealtimePeriod > 0 || cpu.RealtimeRuntime > 0 || cpu.Idle > 0)
            {
                yield return ("cpu", "cpu", "cpu");
            }

            if (!string.IsNullOrEmpty(cpu.Cpus) || !string.IsNullOrEmpty(cpu.Mems))
            {
                yield return ("cpu.cpus", "cpuset", "cpuset");
            }
        }

        if (resources.Pids?.Limit > 0)
        {
            yield return ("pids", "pids", "pids");
        }

        if (resources.BlockIo is { } io && (io.Weight > 0 || io.LeafWeight > 0
            || io.WeightDevice.Count + io.ThrottleReadBpsDevice.Count + io.ThrottleWriteBpsDevice.Count + io.ThrottleReadIopsDevice.Count + io.ThrottleWriteIopsDevice.Count > 0))
        {
            yield return ("blockIO", "blkio", "io");
        }
    }
}
