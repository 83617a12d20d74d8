using Wherry.Linux.FileTrees;

namespace Wherry.Storage.Drivers;

/// <summary>File systems by the magic number of statfs(2).</summary>
internal static class FileSystemNames
{
    internal static string Of(string path)
    {
        using var directory = FileTree.OpenDirectory(path);
        return FileTree.FileSystemOf(directory).Type switch
        {
            0xEF53 => "extfs",
            0x58465342 => "xfs",
            0x9123683E => "btrfs",
            0x01021994 => "tmpfs",
            0x794C7630 => "overlayfs",
            0x2FC12FC1 => "zfs",
            0x6969 => "nfs",
            0xF2F52010 => "f2fs",
            0xCA451A4E => "bcachefs",
            var other => $"0x{other:x}",
        };
    }
}
