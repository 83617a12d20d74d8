using Wherry.Errors;
using Wherry.Linux.Cgroups;
using Wherry.Oci.Runtime;
using Wherry.Runtime.LifecycleHooks;
using Wherry.Runtime.Systemd;
using Wherry.Shim.Oci.CommandLine;

namespace Wherry.Shim.Oci.Containers;

/// <summary>Takes a container away. Its lock is held by the caller.</summary>
public static class Removal
{
    private static readonly TimeSpan PatienceWithProcesses = TimeSpan.FromSeconds(10);

    /// <summary>Kills what is left of it, removes its cgroups and, last, its state: killed half-way it can be done again.</summary>
    public static void Remove(GlobalOptions global, Container container) =>
        Remove(global, container.Directory, container.State, container.IsBlank ? null : container.Cgroup, container.IsBlank ? null : container.TryReadSpec());

    /// <inheritdoc cref="Remove(GlobalOptions, Container)"/>
    /// <param name="global">For its log.</param>
    /// <param name="directory">The container's.</param>
    /// <param name="state">What is in it.</param>
    /// <param name="spec">Its configuration, for hooks; null where that is not known.</param>
    /// <param name="cgroup">Null where a create was killed before it was known.</param>
    public static void Remove(GlobalOptions global, StateDirectory directory, ContainerState state, CgroupDirectories? cgroup, Spec? spec)
    {
        if (directory.IsGone)
        {
            return;
        }

        if (cgroup is not null)
        {
            RemoveCgroup(cgroup, state);
        }

        if (spec is not null)
        {
            RuntimeHooks.AfterEnd(state.Id, state.Bundle, spec, global.Log.Warning);
        }

        directory.Remove();
        global.Log.Debug($"removed container {state.Id}");
    }

    /// <exception cref="WherryException">Processes in it would not end.</exception>
    private static void RemoveCgroup(CgroupDirectories cgroup, ContainerState state)
    {
        if (!ContainerProcesses.KillAll(state, cgroup, PatienceWithProcesses))
        {
            throw WherryException.System($"processes of the container have not ended {PatienceWithProcesses.TotalSeconds:0} seconds after they were killed");
        }

        if (state.Unit.Length > 0)
        {
            using var systemd = ResponsibleManager.TryConnect();
            systemd?.Stop(state.Unit, state.CgroupsPath);
        }

        // A process that is on its way out is not listed any more but still holds its cgroup, for a moment.
        var end = Environment.TickCount64 + (long)PatienceWithProcesses.TotalMilliseconds;
        for (var pause = 1; !cgroup.TryRemove(); pause = Math.Min(pause * 2, 50))
        {
            if (Environment.TickCount64 >= end)
            {
                throw WherryException.System($"the container's cgroup can't be removed: it is still in use {PatienceWithProcesses.TotalSeconds:0} seconds after its processes were killed");
            }

            Thread.Sleep(pause);
        }
    }
}
