using System.Runtime.InteropServices;
using System.Text;
using Wherry.Linux.FileTrees;

namespace Wherry.Linux.BtrfsVolumes;

/// <summary>Subvolumes of a btrfs file system (btrfs-ioctl(2)). Each call returns 0 or the errno.</summary>
public static unsafe class Subvolume
{
    /// <summary>f_type of statfs(2).</summary>
    public const ulong FileSystemType = 0x9123683E;

    /// <summary>The inode number that every subvolume's root has (BTRFS_FIRST_FREE_OBJECTID).</summary>
    private const ulong RootInode = 256;

    // struct btrfs_ioctl_vol_args_v2: fd, transid, flags, 32 bytes unused, 4040 bytes of name.
    private const int ArgumentSize = 4096;
    private const int NameOffset = 56;
    private const int MostName = 255;

    // struct btrfs_ioctl_vol_args: fd, 4088 bytes of name.
    private const int ShortNameOffset = 8;

    private const uint CreateRequest = 0x50009418; // _IOW(0x94, 24, 4096)
    private const uint SnapshotRequest = 0x50009417; // _IOW(0x94, 23, 4096)
    private const uint DestroyRequest = 0x5000940F; // _IOW(0x94, 15, 4096)

    public static int Create(FileDescriptor directory, string name) => Call(directory, CreateRequest, name, NameOffset, 0);

    /// <summary>A writable copy of a subvolume, which shares all its blocks.</summary>
    public static int Snapshot(FileDescriptor source, FileDescriptor directory, string name) =>
        Call(directory, SnapshotRequest, name, NameOffset, source.Number);

    /// <summary>Removes a subvolume with all that is in it; ENOTEMPTY when another lies inside.</summary>
    public static int Destroy(FileDescriptor directory, string name) => Call(directory, DestroyRequest, name, ShortNameOffset, 0);

    /// <summary>Whether a name is a subvolume's root: on btrfs nothing else has that inode.</summary>
    public static bool Is(FileDescriptor directory, string name) =>
        FileTree.FileSystemOf(directory).Type == FileSystemType
        && FileTree.GetStatus(directory, Encoding.UTF8.GetBytes(name), out var status) == 0
        && status is { Kind: FileKind.Directory, Inode: RootInode };

    private static int Call(FileDescriptor directory, uint request, string name, int nameOffset, long source)
    {
        var bytes = Encoding.UTF8.GetBytes(name);
        if (bytes.Length > MostName)
            return Errno.ENAMETOOLONG;
        var arguments = new byte[ArgumentSize];
        MemoryMarshal.Write(arguments, source);
        bytes.CopyTo(arguments, nameOffset);
        // SAFETY: the kernel reads exactly the structure's size from the pinned array.
        fixed (byte* start = arguments)
            return FileTreeSyscalls.Ioctl(directory, request, (nint)start) < 0 ? Marshal.GetLastPInvokeError() : 0;
    }
}
