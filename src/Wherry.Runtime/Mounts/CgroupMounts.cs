using Wherry.Linux.Cgroups;
using Wherry.Linux.Files;
using Wherry.Linux.Mounts;

namespace Wherry.Runtime.Mounts;

/// <summary>
/// Shows a container its own cgroup at /sys/fs/cgroup, laid out as the host's trees are: one directory per v1
/// tree with links from each controller's name, or the v2 directory itself.
/// </summary>
public sealed class CgroupMounts(RootDirectory root, CgroupDirectories cgroup)
{
    public void Make(string destination, MountOptions options)
    {
        using var target = root.OpenOrMakeDirectory(destination);
        if (cgroup.IsUnified)
        {
            // A container without a cgroup of its own finds the directory empty.
            if (cgroup.Unified is { } own)
            {
                Bind(own, target, options, destination);
            }

            return;
        }

        using (var tmpfs = ContainerMounts.NewFileSystem("tmpfs", "tmpfs", ["mode=755"], options.Set & ~MountAttributes.ReadOnly))
        {
            MountSyscalls.Attach(tmpfs, target, destination);
        }

        var made = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (controller, directory) in cgroup.AllV1)
        {
            // "cpu,cpuacct" when they share a tree, as the host names it.
            var name = Path.GetFileName(cgroup.MountOf(controller));
            if (made.Add(name))
            {
                using var below = root.OpenOrMakeDirectory($"{destination}/{name}");
                Bind(directory, below, options, $"{destination}/{name}");
            }

            if (name != controller && !controller.StartsWith("name=", StringComparison.Ordinal))
            {
                using var parent = root.OpenOrMakeDirectory(destination);
                FileSyscalls.TryMakeSymbolicLink(name, parent, controller);
            }
        }

        if (cgroup.Unified is { } unified)
        {
            using var below = root.OpenOrMakeDirectory($"{destination}/unified");
            Bind(unified, below, options, $"{destination}/unified");
        }

        if ((options.Set & MountAttributes.ReadOnly) != 0)
        {
            using var top = root.OpenOrMakeDirectory(destination);
            MountSyscalls.SetAttributes(top, MountAttributes.ReadOnly, MountAttributes.None, MountFlags.None, recursive: false, destination);
        }
    }

    private static void Bind(string directory, Linux.FileDescriptor target, MountOptions options, string what)
    {
        using var tree = MountSyscalls.CloneTree(directory, recursive: false);
        MountSyscalls.SetAttributes(tree, options.Set, options.Clear, MountFlags.Private, recursive: false, what);
        MountSyscalls.Attach(tree, target, what);
    }
}
