using System.Runtime.InteropServices;
using Wherry.Linux.Kernel;

namespace Wherry.Linux.ProjectQuotas;

/// <summary>What a file system does about the space of projects.</summary>
public enum ProjectQuotaState
{
    /// <summary>Nothing: it has no project quotas, or they are off.</summary>
    Absent,

    /// <summary>It counts and sets no limits.</summary>
    Counted,

    /// <summary>It counts and keeps to the limits.</summary>
    Enforced,

    /// <summary>The kernel can't say by a file's descriptor (before Linux 5.14, or built without quotas).</summary>
    Unknown,
}

/// <summary>
/// Project quotas of ext4, xfs and f2fs: a directory belongs to a project by number, what is made in it inherits that, and
/// the space of all of a project's files has a limit (quotactl(2), ioctl_xfs_fsgetxattr(2)). The file system is named by
/// the descriptor of any directory on it. Setting takes CAP_SYS_ADMIN in the first user namespace.
/// </summary>
public static unsafe class ProjectQuota
{
    private const int GetAttributes = unchecked((int)0x801C581F); // FS_IOC_FSGETXATTR, _IOR('X', 31, struct fsxattr)
    private const int SetAttributes = 0x401C5820; // FS_IOC_FSSETXATTR, _IOW('X', 32, struct fsxattr)
    private const uint InheritProject = 0x200; // FS_XFLAG_PROJINHERIT

    private const uint ProjectQuotas = 2; // PRJQUOTA
    private const uint GetQuota = 0x800007; // Q_GETQUOTA
    private const uint SetQuota = 0x800008; // Q_SETQUOTA
    private const uint GetState = 0x5808; // Q_XGETQSTATV
    private const uint BlockLimits = 1; // QIF_BLIMITS
    private const int BlockSize = 1024; // QIF_DQBLKSIZE, whatever the file system's own is

    private const int StateSize = 256; // struct fs_quota_statv has 160 bytes and room for more
    private const int ProjectsCounted = 1 << 4; // FS_QUOTA_PDQ_ACCT
    private const int ProjectsEnforced = 1 << 5; // FS_QUOTA_PDQ_ENFD

    /// <param name="fileSystem">Any directory on it.</param>
    public static ProjectQuotaState StateOf(FileDescriptor fileSystem)
    {
        // SAFETY: the kernel fills one struct fs_quota_statv, which is smaller than the buffer; its first byte is the version asked for.
        var state = stackalloc byte[StateSize];
        new Span<byte>(state, StateSize).Clear();
        state[0] = 1;
        var result = Quotactl(fileSystem, GetState, 0, state);
        if (result < 0)
        {
            // ENOSYS is said by a kernel without the call, and by a file system with no quota turned on.
            return result is -Errno.ENOSYS && !HasCall() ? ProjectQuotaState.Unknown : ProjectQuotaState.Absent;
        }

        return *(ushort*)(state + 2) switch
        {
            var flags when (flags & ProjectsEnforced) != 0 => ProjectQuotaState.Enforced,
            var flags when (flags & ProjectsCounted) != 0 => ProjectQuotaState.Counted,
            _ => ProjectQuotaState.Absent,
        };
    }

    /// <summary>The project a directory belongs to; 0 where it belongs to none.</summary>
    /// <exception cref="LinuxException">The file system does not say.</exception>
    public static uint ProjectOf(FileDescriptor directory)
    {
        Attributes attributes;
        Syscall.Check(Syscall.Call(SyscallNumber.Ioctl, directory.Number, GetAttributes, (nint)(&attributes)), "read a directory's project");
        return attributes.Project;
    }

    /// <summary>Gives a directory to a project, with whatever is made in it from now on.</summary>
    /// <exception cref="LinuxException">The file system can't, or a limit is in the way.</exception>
    public static void SetProject(FileDescriptor directory, uint project)
    {
        Attributes attributes;
        Syscall.Check(Syscall.Call(SyscallNumber.Ioctl, directory.Number, GetAttributes, (nint)(&attributes)), "read a directory's project");
        attributes.Project = project;
        attributes.Flags |= InheritProject;
        Syscall.Check(Syscall.Call(SyscallNumber.Ioctl, directory.Number, SetAttributes, (nint)(&attributes)), $"give a directory to project {project}");
    }

    /// <summary>What a project has and may have.</summary>
    /// <exception cref="LinuxException">The file system does not count projects.</exception>
    public static ProjectUsage UsageOf(FileDescriptor fileSystem, uint project)
    {
        DiskQuota quota;
        var result = Quotactl(fileSystem, GetQuota, project, &quota);
        if (result == -Errno.ENOENT)
        {
            // xfs says so of a project it has never heard of.
            return default;
        }

        Syscall.Check(result, $"read the quota of project {project}");
        return new ProjectUsage((long)quota.Space, (long)quota.Inodes, (long)(quota.HardBlocks * BlockSize));
    }

    /// <summary>Limits the space of a project's files, for everybody but those with CAP_SYS_RESOURCE in the first user namespace.</summary>
    /// <param name="fileSystem">Any directory on it.</param>
    /// <param name="project">Which.</param>
    /// <param name="bytes">Rounded up to the kernel's units of 1024 bytes; 0 for no limit.</param>
    /// <exception cref="LinuxException">The file system can't.</exception>
    public static void SetLimit(FileDescriptor fileSystem, uint project, long bytes)
    {
        var blocks = (ulong)(bytes / BlockSize) + (bytes % BlockSize == 0 ? 0UL : 1UL);
        var quota = new DiskQuota { HardBlocks = blocks, SoftBlocks = blocks, Valid = BlockLimits };
        Syscall.Check(Quotactl(fileSystem, SetQuota, project, &quota), $"limit the space of project {project}");
    }

    // A descriptor that is none gets EBADF from every kernel that has the call.
    private static bool HasCall() => Syscall.Call(SyscallNumber.QuotactlFd, -1, Command(GetState)) != -Errno.ENOSYS;

    // SAFETY: the caller's structure is what the command reads or fills.
    private static nint Quotactl(FileDescriptor fileSystem, uint command, uint id, void* argument) =>
        Syscall.Call(SyscallNumber.QuotactlFd, fileSystem.Number, Command(command), (nint)id, (nint)argument);

    private static nint Command(uint command) => (nint)((command << 8) | ProjectQuotas);

    /// <summary>struct fsxattr.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 28)]
    private struct Attributes
    {
        public uint Flags;
        public uint ExtentSize;
        public uint ExtentCount;
        public uint Project;
    }

    /// <summary>struct if_dqblk.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct DiskQuota
    {
        public ulong HardBlocks;
        public ulong SoftBlocks;
        public ulong Space;
        public ulong HardInodes;
        public ulong SoftInodes;
        public ulong Inodes;
        public ulong BlockTime;
        public ulong InodeTime;
        public uint Valid;
    }
}

/// <summary>A project on one file system.</summary>
/// <param name="Bytes">Of all its files.</param>
/// <param name="Inodes">How many files and directories.</param>
/// <param name="LimitBytes">0 for none.</param>
public readonly record struct ProjectUsage(long Bytes, long Inodes, long LimitBytes);
