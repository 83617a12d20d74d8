using Wherry.Errors;
using Wherry.Linux.Processes;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Mounts;

namespace Wherry.Runtime.Checkpoints;

/// <summary>Refuses, before any process is touched, containers whose processes can't be made again as they were.</summary>
public static class CheckpointCheck
{
    // What CRIU knows to dump and mount (its filesystems.c), of what a container is given.
    private static readonly string[] FileSystems = ["proc", "sysfs", "tmpfs", "devpts", "devtmpfs", "mqueue", "cgroup", "cgroup2"];

    /// <exception cref="WherryException">It can't be checkpointed; the property is named.</exception>
    public static void Require(Spec spec)
    {
        var linux = spec.Linux ?? throw WherryException.Invalid("the configuration has no linux section");
        Namespaces(linux);
        foreach (var mount in spec.Mounts)
        {
            Mount(mount);
        }

        if (!string.IsNullOrEmpty(linux.Seccomp?.ListenerPath))
        {
            throw Refuse("linux.seccomp.listenerPath", "the agent that answers for its system calls is outside");
        }

        if (linux.NetDevices is { Count: > 0 })
        {
            throw Refuse("linux.netDevices", "an interface of the host's can't be made again");
        }

        if (linux.MemoryPolicy is not null)
        {
            throw Refuse("linux.memoryPolicy", "CRIU does not keep it");
        }

        if (spec.Process?.IoPriority is not null)
        {
            throw Refuse("process.ioPriority", "CRIU does not keep it");
        }
    }

    /// <summary>CRIU dumps the first process and what is below it, and would end without a trace what <c>exec</c> has started.</summary>
    /// <param name="pid">The first process.</param>
    /// <param name="processes">All that are in the container's cgroup.</param>
    /// <exception cref="WherryException">Others run.</exception>
    public static void RequireOneTree(int pid, IReadOnlyList<int> processes)
    {
        foreach (var process in processes)
        {
            var above = process;
            while (above != pid && ProcessStat.TryRead(above) is { HasEnded: false, Parent: > 0 } stat)
            {
                above = stat.Parent;
            }

            if (above != pid && ProcessStat.TryRead(process) is { HasEnded: false })
            {
                throw WherryException.Conflict($"process {process} was started in the container by exec: a checkpoint holds what the first process has started; end it first");
            }
        }
    }

    private static void Namespaces(LinuxConfig linux)
    {
        foreach (var ns in linux.Namespaces)
        {
            if (!string.IsNullOrEmpty(ns.Path) && ns.Type != "network")
            {
                throw Refuse($"linux.namespaces: {ns.Type}", $"it is another's, {ns.Path}, and only a network namespace may be");
            }
        }

        if (linux.Namespaces.Any(ns => ns.Type == "user") && linux.Namespaces.FirstOrDefault(ns => ns.Type == "network" && !string.IsNullOrEmpty(ns.Path)) is { } network)
        {
            throw Refuse("linux.namespaces: network", $"it is another's, {network.Path}, and beside a user namespace CRIU takes only what belongs to that");
        }

        foreach (var type in (ReadOnlySpan<string>)["pid", "mount"])
        {
            if (!linux.Namespaces.Any(ns => ns.Type == type))
            {
                throw Refuse($"linux.namespaces: {type}", "the container shares the host's, where what it had may be taken when it is restored");
            }
        }
    }

    private static void Mount(Mount mount)
    {
        var options = MountOptions.Of(mount);
        if (mount.UidMappings.Count > 0 || mount.GidMappings.Count > 0 || options.IsIdMapped)
        {
            throw Refuse($"mount on {mount.Destination}", "CRIU does not keep the mappings of an id-mapped mount");
        }

        if (!options.IsBind && !options.IsRemount && Array.IndexOf(FileSystems, mount.Type) < 0)
        {
            throw Refuse($"mount on {mount.Destination}", $"CRIU does not know the file system \"{mount.Type}\"");
        }
    }

    private static WherryException Refuse(string property, string why) => WherryException.Unsupported($"{property}: checkpoint and restore don't work with it: {why}");
}
