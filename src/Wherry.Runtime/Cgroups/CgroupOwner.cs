using Wherry.Linux;
using Wherry.Linux.Cgroups;
using Wherry.Linux.Files;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Stages;

namespace Wherry.Runtime.Cgroups;

/// <summary>
/// Lets a container in a user namespace manage its own v2 cgroup (config-linux.md, "Cgroup ownership"): where it
/// has a cgroup namespace of its own and sees its cgroup writable.
/// </summary>
public static class CgroupOwner
{
    private const uint KeepGroup = uint.MaxValue;
    private const string DelegateList = "/sys/kernel/cgroup/delegate";

    public static void Give(CgroupDirectories cgroup, Spec spec)
    {
        if (cgroup.Unified is not { } directory || !cgroup.IsUnified || spec.Linux is not { } linux
            || NamespaceKinds.Find(linux.Namespaces, "cgroup") is not { Path: null or "" }
            || !spec.Mounts.Any(mount => mount.Type is "cgroup" or "cgroup2" && !mount.Options.Contains("ro", StringComparer.Ordinal))
            || IdMappings.HostId(linux.UidMappings, spec.Process?.User.Uid ?? 0) is not { } owner)
        {
            return;
        }

        // The kernel says what may be given; the rest would let a container set its own limits.
        var files = (FileSyscalls.TryReadText(DelegateList) ?? "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Give(directory, owner);
        foreach (var file in files)
        {
            Give($"{directory}/{file}", owner);
        }
    }

    private static void Give(string path, uint owner)
    {
        try
        {
            using var file = FileSyscalls.Open(path, OpenFlags.PathOnly | OpenFlags.NoFollow);
            FileSyscalls.SetOwner(file, owner, KeepGroup);
        }
        catch (LinuxException e) when (e.ErrorNumber == Errno.ENOENT)
        {
            // Not every controller is enabled here.
        }
    }
}
