using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static Wherry.Linux.FileTrees.FileTreeSyscalls;

namespace Wherry.Linux.FileTrees;

/// <summary>
/// Calls on files relative to a directory's descriptor, with names as bytes. Each returns 0 or the errno:
/// callers meet failures they expect and know the words for the others. Names must not hold a NUL.
/// </summary>
[SkipLocalsInit] // name buffers are written before they are read; clearing 4 KiB per call would cost more than the copy
public static unsafe partial class FileTree
{
    /// <summary>Longest path the kernel takes in one call (PATH_MAX with its NUL).</summary>
    public const int MaxPath = 4096;

    /// <summary>Opens a directory by its path on the host.</summary>
    public static FileDescriptor OpenDirectory(string path)
    {
        var bytes = Terminated(path);
        // SAFETY: `bytes` is NUL-terminated and pinned for the call.
        fixed (byte* p = bytes)
        {
            var fd = FileTreeSyscalls.Open(p, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.CloseOnExec, 0);
            return fd >= 0 ? new FileDescriptor(fd) : throw new LinuxException($"open directory {path}", Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>Opens <paramref name="path"/>, resolved by the kernel as <paramref name="resolution"/> says (openat2(2)).</summary>
    public static int Open(FileDescriptor directory, ReadOnlySpan<byte> path, int flags, uint mode, PathResolution resolution, out FileDescriptor file)
    {
        var how = new OpenHow { Flags = (ulong)(uint)(flags | OpenFlags.CloseOnExec), Mode = mode, Resolve = (ulong)resolution };
        while (true)
        {
            int errno;
            // SAFETY: Terminate copies the path with a NUL into a pinned buffer; `how` is a local of the size passed.
            fixed (byte* p = Terminate(path, stackalloc byte[MaxPath]))
            {
                var fd = Openat2((nint)SysOpenat2, directory, p, &how, sizeof(OpenHow));
                if (fd >= 0)
                {
                    file = new FileDescriptor((int)fd);
                    return 0;
                }
                errno = Marshal.GetLastPInvokeError();
            }
            // EAGAIN: a rename or mount raced with `..` in the path; openat2(2) says to try again.
            if (errno is Errno.EINTR or Errno.EAGAIN)
                continue;
            file = new FileDescriptor(-1);
            return errno;
        }
    }

    /// <summary>Opens one name in <paramref name="directory"/> (openat(2)), never through a symbolic link.</summary>
    public static int OpenName(FileDescriptor directory, ReadOnlySpan<byte> name, int flags, uint mode, out FileDescriptor file)
    {
        // SAFETY: Terminate copies the name with a NUL into a pinned buffer.
        fixed (byte* p = Terminate(name, stackalloc byte[MaxPath]))
        {
            while (true)
            {
                var fd = Openat(directory, p, flags | OpenFlags.NoFollow | OpenFlags.CloseOnExec, mode);
                if (fd >= 0)
                {
                    file = new FileDescriptor(fd);
                    return 0;
                }
                var errno = Marshal.GetLastPInvokeError();
                if (errno == Errno.EINTR)
                    continue;
                file = new FileDescriptor(-1);
                return errno;
            }
        }
    }

    public static int MakeDirectory(FileDescriptor directory, ReadOnlySpan<byte> name, uint mode)
    {
        // SAFETY: as in OpenName.
        fixed (byte* p = Terminate(name, stackalloc byte[MaxPath]))
            return Result(Mkdirat(directory, p, mode));
    }

    /// <summary>Makes a device node, fifo or empty file (mknod(2)).</summary>
    public static int MakeNode(FileDescriptor directory, ReadOnlySpan<byte> name, FileKind kind, uint mode, uint major, uint minor)
    {
        // glibc's makedev(3): 64 bits, the low halves in Unix's old places.
        var device = ((ulong)(major & 0xfffff000) << 32) | ((ulong)(major & 0xfff) << 8)
            | ((ulong)(minor & 0xffffff00) << 12) | (minor & 0xff);
        // SAFETY: as in OpenName.
        fixed (byte* p = Terminate(name, stackalloc byte[MaxPath]))
            return Result(Mknodat(directory, p, (uint)kind | mode, device));
    }

    public static int MakeSymlink(FileDescriptor directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target)
    {
        // SAFETY: as in OpenName, for both strings.
        fixed (byte* t = Terminate(target, stackalloc byte[MaxPath]))
        fixed (byte* p = Terminate(name, stackalloc byte[MaxPath]))
            return Result(Symlinkat(t, directory, p));
    }

    /// <summary>Makes a hard link; a symbolic link as the target is itself linked, not followed.</summary>
    public static int MakeLink(FileDescriptor oldDirectory, ReadOnlySpan<byte> oldName, FileDescriptor directory, ReadOnlySpan<byte> name)
    {
        // SAFETY: as in OpenName, for both strings.
        fixed (byte* o = Terminate(oldName, stackalloc byte[MaxPath]))
        fixed (byte* p = Terminate(name, stackalloc byte[MaxPath]))
            return Result(Linkat(oldDirectory, o, directory, p, 0));
    }

    /// <summary>Renames within one file system; a file in the way is replaced.</summary>
    public static int Rename(FileDescriptor oldDirectory, ReadOnlySpan<byte> oldName, FileDescriptor directory, ReadOnlySpan<byte> name)
    {
        // SAFETY: as in OpenName, for both strings.
        fixed (byte* o = Terminate(oldName, stackalloc byte[MaxPath]))
        fixed (byte* p = Terminate(name, stackalloc byte[MaxPath]))
            return Result(Renameat(oldDirectory, o, directory, p));
    }

    public static int Unlink(FileDescriptor directory, ReadOnlySpan<byte> name, bool isDirectory)
    {
        // SAFETY: as in OpenName.
        fixed (byte* p = Terminate(name, stackalloc byte[MaxPath]))
            return Result(Unlinkat(directory, p, isDirectory ? AtRemoveDir : 0));
    }

    /// <summary>The status of a name in <paramref name="directory"/>, symbolic links not followed; of the directory itself when empty.</summary>
    public static int GetStatus(FileDescriptor directory, ReadOnlySpan<byte> name, out FileStatus status)
    {
        Statx raw;
        int errno;
        // SAFETY: as in OpenName; `raw` has statx's full size of 256 bytes.
        fixed (byte* p = Terminate(name, stackalloc byte[MaxPath]))
            errno = Result(StatxAt(directory, p, AtSymlinkNoFollow | (name.IsEmpty ? AtEmptyPath : 0), StatxBasicStats, &raw));
        status = errno != 0 ? default : new FileStatus
        {
            Kind = (FileKind)(raw.Mode & 0xF000u),
            Permissions = raw.Mode & 0xFFFu,
            Uid = raw.Uid,
            Gid = raw.Gid,
            LinkCount = raw.LinkCount,
            Inode = raw.Inode,
            Device = ((ulong)raw.DevMajor << 32) | raw.DevMinor,
            Size = (long)raw.Size,
            Blocks = (long)raw.Blocks,
            Modified = new FileTime(raw.Modified.Seconds, raw.Modified.Nanoseconds),
            DeviceMajor = raw.RdevMajor,
            DeviceMinor = raw.RdevMinor,
        };
        return errno;
    }

    public static int ReadLink(FileDescriptor directory, ReadOnlySpan<byte> name, out byte[] target)
    {
        var buffer = stackalloc byte[MaxPath];
        // SAFETY: as in OpenName; the kernel writes at most MaxPath bytes and no NUL.
        fixed (byte* p = Terminate(name, stackalloc byte[MaxPath]))
        {
            var length = Readlinkat(directory, p, buffer, MaxPath);
            target = length < 0 ? [] : new ReadOnlySpan<byte>(buffer, (int)length).ToArray();
            return length < 0 ? Marshal.GetLastPInvokeError() : 0;
        }
    }

    /// <summary>All names in a directory except <c>.</c> and <c>..</c>, sorted by their bytes.</summary>
    public static List<byte[]> ReadNames(FileDescriptor directory, string doing)
    {
        const int Size = 32 * 1024;
        const int NameOffset = 19; // d_ino 8, d_off 8, d_reclen 2, d_type 1
        var names = new List<byte[]>();
        var buffer = new byte[Size];
        // SAFETY: the kernel fills whole records into the pinned buffer and returns their length.
        fixed (byte* start = buffer)
        {
            Lseek(directory, 0, 0);
            while (true)
            {
                var length = Getdents64(directory, start, Size);
                if (length < 0)
                    throw new LinuxException(doing, Marshal.GetLastPInvokeError());
                if (length == 0)
                    break;
                for (nint at = 0; at < length; at += *(ushort*)(start + at + 16))
                {
                    var name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(start + at + NameOffset);
                    if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
                        names.Add(name.ToArray());
                }
            }
        }
        names.Sort(static (a, b) => a.AsSpan().SequenceCompareTo(b));
        return names;
    }

    private static int Result(int returned) => returned < 0 ? Marshal.GetLastPInvokeError() : 0;

    private static Span<byte> Terminate(ReadOnlySpan<byte> path, Span<byte> buffer)
    {
        // A path too long for one call gets a buffer of its own; the kernel then says ENAMETOOLONG.
        if (path.Length >= buffer.Length)
            buffer = new byte[path.Length + 1];
        path.CopyTo(buffer);
        buffer[path.Length] = 0;
        return buffer;
    }

    private static byte[] Terminated(string path)
    {
        var bytes = new byte[System.Text.Encoding.UTF8.GetMaxByteCount(path.Length) + 1];
        System.Text.Encoding.UTF8.GetBytes(path, bytes);
        return bytes;
    }
}
