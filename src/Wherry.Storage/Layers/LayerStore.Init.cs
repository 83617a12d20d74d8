using System.Text;
using Wherry.Linux;
using Wherry.Linux.FileTrees;
using Wherry.Storage.Trees;

namespace Wherry.Storage.Layers;

/// <summary>
/// The layer between an image and its containers: the places that every container has something mounted on, where
/// the image lacks them. Made once per image, so that they are not made in a container's own layer and a commit
/// does not find them there.
/// </summary>
public sealed partial class LayerStore
{
    private static readonly (string Path, FileKind Kind, uint Mode)[] MountPoints =
    [
        ("dev", FileKind.Directory, 0x1ED),
        ("dev/console", FileKind.Regular, 0x1ED),
        ("dev/pts", FileKind.Directory, 0x1ED),
        ("dev/shm", FileKind.Directory, 0x1ED),
        ("proc", FileKind.Directory, 0x1ED),
        ("sys", FileKind.Directory, 0x1ED),
        ("etc", FileKind.Directory, 0x1ED),
        ("etc/hosts", FileKind.Regular, 0x1ED),
        ("etc/hostname", FileKind.Regular, 0x1ED),
        ("etc/resolv.conf", FileKind.Regular, 0x1ED),
        ("etc/mtab", FileKind.Symlink, 0),
        (".dockerenv", FileKind.Regular, 0x1ED),
    ];

    /// <summary>The directory of the init layer above <paramref name="topChainId"/>.</summary>
    private string EnsureInitLayer(string? topChainId)
    {
        var place = Path.Combine(topChainId is null ? Path.Combine(_root, "empty") : DirectoryOf(topChainId), "init");
        if (Directory.Exists(place))
            return place;
        Directory.CreateDirectory(Path.GetDirectoryName(place)!);
        var temporary = TemporaryDirectory();
        try
        {
            Directory.CreateDirectory(temporary);
            using (var below = new MergedView(LowerOf(Chain(topChainId))))
            using (var root = FileTree.OpenDirectory(temporary))
            {
                Check(FileTree.SetMode(root, 0x1ED), "/");
                foreach (var (path, kind, mode) in MountPoints)
                    MakeMountPoint(root, below, path, kind, mode);
                if (below.Find([]) is { } lowerRoot)
                    TreeAttributes.Apply(root, lowerRoot);
            }
            lock (_lock)
            {
                if (!Directory.Exists(place))
                    Directory.Move(temporary, place);
            }
        }
        finally
        {
            if (Directory.Exists(temporary))
                FileTree.RemoveTree(temporary);
        }
        return place;
    }

    private static void MakeMountPoint(FileDescriptor root, MergedView below, string path, FileKind kind, uint mode)
    {
        var bytes = Encoding.ASCII.GetBytes(path);
        var slash = path.IndexOf('/');
        if (below.Find(bytes) is { } existing)
        {
            // A directory that is to hold something missing appears here too, and so must look as it does below.
            if (existing.Status.Kind == FileKind.Directory && MountPoints.Any(point =>
                point.Path.StartsWith(path + "/", StringComparison.Ordinal) && below.Find(Encoding.ASCII.GetBytes(point.Path)) is null))
            {
                Check(FileTree.MakeDirectory(root, bytes, mode), path);
                Check(FileTree.OpenName(root, bytes, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out var directory), path);
                using (directory)
                    TreeAttributes.Apply(directory, existing);
            }
            return;
        }
        // Where the image has a link for a directory, what it leads to is the image's own affair.
        if (slash > 0 && below.Find(bytes.AsSpan(0, slash)) is { Status.Kind: not FileKind.Directory })
            return;
        var errno = FileTree.Open(root, slash > 0 ? bytes.AsSpan(0, slash) : "."u8, OpenFlags.ReadOnly | OpenFlags.Directory, 0, PathResolution.InRoot, out var parent);
        using (parent)
        {
            Check(errno, path);
            var name = bytes.AsSpan(slash + 1);
            var status = default(FileStatus);
            Check(FileTree.GetStatus(parent, [], out status), path);
            Check(
                kind switch
                {
                    FileKind.Directory => FileTree.MakeDirectory(parent, name, mode),
                    FileKind.Symlink => FileTree.MakeSymlink(parent, name, "/proc/mounts"u8),
                    _ => FileTree.MakeNode(parent, name, FileKind.Regular, mode, 0, 0),
                },
                path);
            if (kind != FileKind.Symlink)
                Check(FileTree.SetModeOfNode(parent, name, mode), path);
            Check(FileTree.SetTime(parent, status.Modified), path);
        }
    }

    private static void Check(int errno, string path)
    {
        if (errno != 0)
            throw new LinuxException($"make mount point {path}", errno);
    }
}
