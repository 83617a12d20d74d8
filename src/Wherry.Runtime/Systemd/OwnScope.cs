using System.Globalization;
using Wherry.Linux.Cgroups;

namespace Wherry.Runtime.Systemd;

/// <summary>
/// A scope for this process itself. An ordinary user may move processes only within the part of the tree that he has been
/// given (cgroups(7), "Delegation containment"), which a session's own cgroup is not: whoever is there has to be moved
/// by systemd before he can move what he starts.
/// </summary>
public static class OwnScope
{
    /// <summary>Whether a process can't be moved from where this one is into that cgroup.</summary>
    /// <param name="cgroup">Below the v2 tree's root; it need not be there yet.</param>
    public static bool IsNeededFor(string cgroup) =>
        CgroupHost.Detect().FindDelegated() is not { } given || !cgroup.StartsWith(given.Length == 0 ? "/" : $"/{given}/", StringComparison.Ordinal);

    /// <summary>Moves this process into one, which ends with it. Its name is none that a container's has, whatever that is called.</summary>
    /// <param name="manager">The user's.</param>
    /// <param name="program">This one's name, for those who list units.</param>
    public static void Enter(SystemdManager manager, string program) => manager.Start(
        string.Create(CultureInfo.InvariantCulture, $"{program}.{Environment.ProcessId}.scope"),
        [
            new UnitProperty("Description", program),
            new UnitProperty("PIDs", new[] { (uint)Environment.ProcessId }),
            new UnitProperty("CollectMode", "inactive-or-failed"),
        ]);
}
