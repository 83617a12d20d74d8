using Wherry.Errors;
using Wherry.Linux.Files;

namespace Wherry.Linux.Cgroups;

/// <summary>Stops and resumes every process of a cgroup at once.</summary>
public static class Freezer
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <exception cref="WherryException">The host has no freezer, or the processes did not freeze in five seconds (they are thawed again).</exception>
    public static void Freeze(CgroupDirectories cgroup) => Change(cgroup, frozen: true);

    /// <inheritdoc cref="Freeze"/>
    public static void Thaw(CgroupDirectories cgroup) => Change(cgroup, frozen: false);

    /// <summary>The cgroup is stopped or about to be; false too where it is gone.</summary>
    public static bool IsFrozen(CgroupDirectories cgroup) => cgroup.V1("freezer") is { } v1
        ? FileSyscalls.TryReadText(v1 + "/freezer.state")?.StartsWith("FR", StringComparison.Ordinal) is true
        : cgroup.Unified is { } unified && FileSyscalls.TryReadText(unified + "/cgroup.freeze")?.StartsWith('1') is true;

    /// <summary>Thaws where there is something to thaw; never throws.</summary>
    public static void TryThaw(CgroupDirectories cgroup)
    {
        try
        {
            Write(cgroup, frozen: false);
        }
        catch (WherryException)
        {
            // Gone, or never had a freezer: nothing is frozen.
        }
    }

    private static void Change(CgroupDirectories cgroup, bool frozen)
    {
        Write(cgroup, frozen);
        var end = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (!Reached(cgroup, frozen))
        {
            if (Environment.TickCount64 >= end)
            {
                TryThaw(cgroup);
                throw WherryException.System($"the container's processes did not {(frozen ? "freeze" : "thaw")} within {Patience.TotalSeconds:0} seconds");
            }

            Thread.Sleep(1);
            if (frozen && cgroup.V1("freezer") is not null)
            {
                // A v1 freezer can get stuck in FREEZING while processes fork; asking again moves it on.
                Write(cgroup, frozen);
            }
        }
    }

    private static void Write(CgroupDirectories cgroup, bool frozen)
    {
        if (cgroup.V1("freezer") is { } v1)
        {
            FileSyscalls.WriteKernelFile(v1 + "/freezer.state", frozen ? "FROZEN" : "THAWED");
        }
        else if (cgroup.Unified is { } unified)
        {
            FileSyscalls.WriteKernelFile(unified + "/cgroup.freeze", frozen ? "1" : "0");
        }
        else
        {
            throw WherryException.Unsupported("this host has no cgroup freezer, so containers can't be paused");
        }
    }

    private static bool Reached(CgroupDirectories cgroup, bool frozen) => cgroup.V1("freezer") is { } v1
        ? string.Equals(FileSyscalls.TryReadText(v1 + "/freezer.state")?.Trim(), frozen ? "FROZEN" : "THAWED", StringComparison.Ordinal)
        : FileSyscalls.TryReadText(cgroup.Unified + "/cgroup.events")?.Contains(frozen ? "frozen 1" : "frozen 0", StringComparison.Ordinal) ?? true;
}
