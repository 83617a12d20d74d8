using System.Runtime.InteropServices;
using Wherry.Linux.Files;
using Wherry.Linux.FileTrees;

namespace Wherry.Linux.BtrfsVolumes;

/// <summary>
/// Limits on what subvolumes take (btrfs-quota(8)), by the group that btrfs itself counts each with: 0/ID. Each call
/// returns 0 or the errno; all but looking need root on the host.
/// </summary>
public static unsafe class SubvolumeQuota
{
    private const uint ControlRequest = 0xC0109428; // _IOWR(0x94, 40, 16), struct btrfs_ioctl_quota_ctl_args
    private const uint GroupRequest = 0x4010942A; // _IOW(0x94, 42, 16), struct btrfs_ioctl_qgroup_create_args
    private const uint LimitRequest = 0x8030942B; // _IOR(0x94, 43, 48), struct btrfs_ioctl_qgroup_limit_args
    private const uint RescanRequest = 0x4040942C; // _IOW(0x94, 44, 64), struct btrfs_ioctl_quota_rescan_args
    private const uint WaitRequest = 0x0000942E; // _IO(0x94, 46)
    private const uint LookupRequest = 0xD0009412; // _IOWR(0x94, 18, 4096), struct btrfs_ioctl_ino_lookup_args
    private const uint SearchRequest = 0xD0009411; // _IOWR(0x94, 17, 4096), struct btrfs_ioctl_search_args
    private const uint InformationRequest = 0x8400941F; // _IOR(0x94, 31, 1024), struct btrfs_ioctl_fs_info_args

    private const ulong Enabling = 1; // BTRFS_QUOTA_CTL_ENABLE
    private const ulong LimitsExclusive = 2; // BTRFS_QGROUP_LIMIT_MAX_EXCL
    private const ulong RootInode = 256; // BTRFS_FIRST_FREE_OBJECTID
    private const ulong TreeOfTrees = 1; // BTRFS_ROOT_TREE_OBJECTID
    private const ulong RootItem = 132; // BTRFS_ROOT_ITEM_KEY
    private const int FileSystemIdOffset = 16;
    private const int ArgumentWords = 4096 / sizeof(ulong);

    /// <summary>
    /// Has the file system count what each subvolume takes, unless it does so already, and waits until it has: all of
    /// its metadata is read for that, once.
    /// </summary>
    public static int Enable(FileDescriptor directory)
    {
        ulong* control = stackalloc ulong[2] { Enabling, 0 };
        if (Call(directory, ControlRequest, control) is var errno and not 0)
        {
            return errno;
        }

        if (IsInconsistent(directory))
        {
            ulong* rescan = stackalloc ulong[8];
            errno = Call(directory, RescanRequest, rescan);
            if (errno is not (0 or Errno.EINPROGRESS))
            {
                return errno;
            }
        }

        return Call(directory, WaitRequest, null);
    }

    /// <summary>Limits what a subvolume takes beside what it has in common with others.</summary>
    /// <param name="subvolume">Its root.</param>
    /// <param name="bytes">Of files and of what describes them.</param>
    public static int Limit(FileDescriptor subvolume, long bytes)
    {
        // Group 0 is that of the descriptor's subvolume. Flags, referenced, exclusive, and two more that nothing minds.
        ulong* limit = stackalloc ulong[6] { 0, LimitsExclusive, 0, (ulong)bytes, 0, 0 };
        return Call(subvolume, LimitRequest, limit);
    }

    /// <summary>
    /// Removes the limited groups of subvolumes that are no more. Newer kernels do so by themselves; of the others some
    /// refuse it (EBUSY) until the last block of a subvolume is free, which is a while after its removal: then a later
    /// call does it.
    /// </summary>
    public static void RemoveStale(FileDescriptor directory)
    {
        // Simple quotas may still count data under a group whose subvolume is gone.
        if (FileSyscalls.TryReadText($"{Groups(directory)}/mode")?.Trim() == "squota")
        {
            return;
        }

        ulong* group = stackalloc ulong[2];
        foreach (var id in Counted(directory).Where(id => id >= RootInode && Read(directory, $"0_{id}/max_exclusive") > 0))
        {
            (group[0], group[1]) = (0, id);
            if (!Exists(directory, id))
            {
                _ = Call(directory, GroupRequest, group);
            }
        }
    }

    /// <summary>Bytes that a subvolume takes alone, and their limit, 0 for none; null where nothing is counted.</summary>
    public static (long Bytes, long Limit)? UsageOf(FileDescriptor subvolume)
    {
        var group = $"0_{IdOf(subvolume)}";
        return Read(subvolume, $"{group}/exclusive") is { } bytes && Read(subvolume, $"{group}/max_exclusive") is { } limit ? ((long)bytes, (long)limit) : null;
    }

    /// <summary>Of all subvolumes that are counted, the ids; none where nothing is.</summary>
    public static IReadOnlyList<ulong> Counted(FileDescriptor directory) => Groups(directory) is var groups && Directory.Exists(groups)
        ? [.. Directory.EnumerateDirectories(groups, "0_*").Select(path => ulong.Parse(Path.GetFileName(path).AsSpan(2), System.Globalization.CultureInfo.InvariantCulture))]
        : [];

    /// <summary>The id of the subvolume that a directory is the root of, or lies in; null on other file systems.</summary>
    public static ulong? IdOf(FileDescriptor directory)
    {
        var arguments = new ulong[ArgumentWords];
        arguments[1] = RootInode;
        fixed (ulong* start = arguments)
        {
            return Call(directory, LookupRequest, start) == 0 ? arguments[0] : null;
        }
    }

    // By its item in the tree of trees, which it has until its last block is free.
    private static bool Exists(FileDescriptor directory, ulong id)
    {
        // struct btrfs_ioctl_search_key: the tree; from and to of ids, offsets and transactions; of kinds; how many items.
        var arguments = new ulong[ArgumentWords];
        (arguments[0], arguments[1], arguments[2]) = (TreeOfTrees, id, id);
        (arguments[4], arguments[6]) = (ulong.MaxValue, ulong.MaxValue);
        (arguments[7], arguments[8]) = ((RootItem << 32) | RootItem, 1);
        fixed (ulong* start = arguments)
        {
            return Call(directory, SearchRequest, start) != 0 || (uint)arguments[8] > 0;
        }
    }

    // Removing large trees the kernel may give up counting; limits are then kept against numbers that no longer move.
    private static bool IsInconsistent(FileDescriptor directory) => Read(directory, "inconsistent") is 1;

    private static ulong? Read(FileDescriptor directory, string name) =>
        ulong.TryParse(FileSyscalls.TryReadText($"{Groups(directory)}/{name}"), System.Globalization.CultureInfo.InvariantCulture, out var value) ? value : null;

    private static string Groups(FileDescriptor directory)
    {
        var information = new byte[1024];
        fixed (byte* start = information)
        {
            _ = Call(directory, InformationRequest, start);
        }

        return $"/sys/fs/btrfs/{new Guid(information.AsSpan(FileSystemIdOffset, 16), bigEndian: true)}/qgroups";
    }

    // SAFETY: every caller gives memory of the size that is part of the request's number.
    private static int Call(FileDescriptor directory, uint request, void* arguments) =>
        FileTreeSyscalls.Ioctl(directory, request, (nint)arguments) < 0 ? Marshal.GetLastPInvokeError() : 0;
}
