using Wherry.Linux;
using Wherry.Linux.FileTrees;

namespace Wherry.Storage.Trees;

/// <summary>How much the files of a directory hold.</summary>
public static class TreeSize
{
    /// <summary>Bytes of the regular files below <paramref name="path"/>, each inode once. A running container may change it meanwhile.</summary>
    public static long Of(string path)
    {
        using var root = FileTree.OpenDirectory(path);
        return Sum(root, []);
    }

    private static long Sum(FileDescriptor directory, HashSet<ulong> linked)
    {
        var total = 0L;
        foreach (var name in FileTree.ReadNames(directory, "read directory to size it"))
        {
            if (FileTree.GetStatus(directory, name, out var status) != 0)
                continue;
            if (status.Kind == FileKind.Regular && (status.LinkCount == 1 || linked.Add(status.Inode)))
                total += status.Size;
            if (status.Kind != FileKind.Directory)
                continue;
            var errno = FileTree.OpenName(directory, name, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out var below);
            using (below)
                total += errno == 0 ? Sum(below, linked) : 0;
        }
        return total;
    }
}
