using Wherry.Errors;
using Wherry.Linux.Files;
using Wherry.Linux.Mounts;
using FileMode = Wherry.Linux.Files.FileMode;

namespace Wherry.Runtime.Mounts;

/// <summary>Covers the parts of /proc and /sys a container is not to see, and makes others read-only.</summary>
public sealed class HiddenPaths(RootDirectory root)
{
    private const uint NullMajor = 1;
    private const uint NullMinor = 3;

    /// <summary>A directory is covered by an empty one, a file by the container's /dev/null. What is not there needs no cover.</summary>
    public void Mask(IReadOnlyList<string> paths)
    {
        foreach (var path in paths)
        {
            using var target = root.TryOpen(path, OpenFlags.PathOnly);
            if (target is null)
            {
                continue;
            }

            using var cover = FileStatus.Of(target).IsDirectory
                ? ContainerMounts.NewFileSystem("tmpfs", "tmpfs", ["size=0", "mode=555", "nr_inodes=1"], MountAttributes.ReadOnly | MountAttributes.NoSuid | MountAttributes.NoDev | MountAttributes.NoExec)
                : CloneNull();
            MountSyscalls.Attach(cover, target, path);
        }
    }

    public void MakeReadOnly(IReadOnlyList<string> paths)
    {
        foreach (var path in paths)
        {
            using var target = root.TryOpen(path, OpenFlags.PathOnly);
            if (target is null)
            {
                continue;
            }

            using var tree = MountSyscalls.CloneTree(target, recursive: true);
            MountSyscalls.SetAttributes(tree, MountAttributes.ReadOnly, MountAttributes.None, MountFlags.None, recursive: true, path);
            MountSyscalls.Attach(tree, target, path);
        }
    }

    // The container's own node, not the host's, whose mode and owner it could change; and looked at first,
    // since an image or mount may have put anything in its place.
    private Linux.FileDescriptor CloneNull()
    {
        using var node = root.TryOpen("/dev/null", OpenFlags.PathOnly | OpenFlags.NoFollow)
            ?? throw WherryException.Invalid("the container has no /dev/null to cover masked paths with");
        var status = FileStatus.Of(node);
        if (status.Type != FileMode.CharacterDevice || status.DeviceMajor != NullMajor || status.DeviceMinor != NullMinor)
        {
            throw WherryException.Invalid("the container's /dev/null is not the null device; masked paths can't be covered with it");
        }

        var mount = MountSyscalls.CloneTree(node, recursive: false);
        MountSyscalls.SetAttributes(mount, MountAttributes.ReadOnly, MountAttributes.None, MountFlags.Private, recursive: false, "/dev/null");
        return mount;
    }
}
