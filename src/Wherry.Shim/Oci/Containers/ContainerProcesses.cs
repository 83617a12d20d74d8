using Wherry.Linux.Cgroups;
using Wherry.Linux.Processes;
using Wherry.Linux.Signals;

namespace Wherry.Shim.Oci.Containers;

/// <summary>
/// What runs in a container: what its cgroup holds or, where its maker could make none, what is in its pid namespace.
/// Without either, its first process is all that is known.
/// </summary>
public static class ContainerProcesses
{
    /// <summary>Ids as the caller's /proc has them.</summary>
    public static IReadOnlyList<int> Of(ContainerState state, CgroupDirectories cgroup) =>
        !cgroup.IsNone ? cgroup.Processes()
        : !IsAlive(state) ? []
        : state.OwnsPidNamespace ? PidNamespace.ProcessesWith(state.Pid)
        : [state.Pid];

    /// <summary>The first process lives, and is the one it was.</summary>
    public static bool IsAlive(ContainerState state) =>
        state.Pid > 0 && ProcessStat.TryRead(state.Pid) is { HasEnded: false } stat && stat.StartTime == state.StartTime;

    /// <summary>Kills all and goes on until none is left or the time is up.</summary>
    /// <returns>Whether none is left.</returns>
    public static bool KillAll(ContainerState state, CgroupDirectories cgroup, TimeSpan limit)
    {
        if (!cgroup.IsNone)
        {
            return cgroup.KillAll(limit);
        }

        // With its first process the kernel ends all that is in a pid namespace.
        for (var end = Environment.TickCount64 + (long)limit.TotalMilliseconds; IsAlive(state); Thread.Sleep(1))
        {
            if (Environment.TickCount64 >= end)
            {
                return false;
            }

            ProcessSyscalls.Kill(state.Pid, SignalNumber.Kill);
        }

        return true;
    }
}
