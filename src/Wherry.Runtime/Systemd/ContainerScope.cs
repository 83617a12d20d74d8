using Wherry.Linux.Processes;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Systemd;

/// <summary>A container's cgroup as a scope of systemd's, which leaves to the container what is in it (Delegate=).</summary>
public static class ContainerScope
{
    /// <summary>
    /// Makes the scope. systemd takes none without a process: the one returned holds it until the container's own
    /// has joined, and is then to be disposed. When the last process has ended, so has the scope.
    /// </summary>
    /// <param name="manager">The caller's. A user's can't limit devices, of which his containers have none but the host's.</param>
    /// <param name="name">The scope's.</param>
    /// <param name="description">For those who list units.</param>
    /// <param name="resources">The container's limits.</param>
    /// <param name="others">More properties, which go before ours.</param>
    /// <param name="isUnified">As for <see cref="UnitLimits"/>.</param>
    public static IdleProcess Start(SystemdManager manager, ScopeName name, string description, Resources? resources, IReadOnlyList<UnitProperty> others, bool isUnified)
    {
        var holder = IdleProcess.Start();
        try
        {
            manager.Start(name.Unit,
            [
                new UnitProperty("Description", description),
                new UnitProperty("Slice", name.Slice),
                new UnitProperty("PIDs", new[] { (uint)holder.Id }),
                new UnitProperty("Delegate", true),
                new UnitProperty("DefaultDependencies", false),
                new UnitProperty("CollectMode", "inactive-or-failed"),
                new UnitProperty("MemoryAccounting", true),
                new UnitProperty("CPUAccounting", true),
                new UnitProperty(isUnified ? "IOAccounting" : "BlockIOAccounting", true),
                new UnitProperty("TasksAccounting", true),
                .. manager.IsUsers ? [] : UnitDevices.Of(DefaultDevices.AddTo(resources?.Devices ?? [])),
                .. new UnitLimits(isUnified).Of(resources),
                .. others,
            ]);
            return holder;
        }
        catch
        {
            holder.Dispose();
            throw;
        }
    }
}
