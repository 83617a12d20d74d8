using System.Runtime.InteropServices;
using static Wherry.Linux.FileTrees.FileTreeSyscalls;

namespace Wherry.Linux.FileTrees;

/// <summary>Bytes from file to file without passing through us, and what a file system can do.</summary>
public static unsafe partial class FileTree
{
    private const uint CloneRequest = 0x40049409; // FICLONE

    /// <summary>Makes <paramref name="target"/> share the blocks of <paramref name="source"/>; EOPNOTSUPP or EXDEV where it can't.</summary>
    public static int CloneContent(FileDescriptor source, FileDescriptor target) => Result(Ioctl(target, CloneRequest, source.Number));

    /// <summary>Copies a stretch of a file to the same place in another, inside the kernel.</summary>
    public static int CopyRange(FileDescriptor source, FileDescriptor target, long offset, long length)
    {
        long from = offset, to = offset;
        while (length > 0)
        {
            // SAFETY: both offsets are locals that live as long as the call.
            var copied = CopyFileRange(source, &from, target, &to, (nint)Math.Min(length, 1 << 30), 0);
            if (copied < 0)
            {
                if (Marshal.GetLastPInvokeError() is var errno && errno != Errno.EINTR)
                    return errno;
                continue;
            }
            if (copied == 0)
                return 0; // it ends before: someone made it shorter
            length -= copied;
        }
        return 0;
    }

    /// <summary>Waits until everything written to the file system of an open file is on its disk (syncfs(2)).</summary>
    public static int SyncFileSystem(FileDescriptor file) => Result(Syncfs(file));

    /// <summary>The kind of the file system a path lies on (statfs(2), f_type), with its sizes in bytes.</summary>
    public static (ulong Type, long Total, long Free) FileSystemOf(FileDescriptor file)
    {
        // SAFETY: struct statfs has 120 bytes on 64-bit Linux: type, block size, blocks, free, available, …
        var raw = stackalloc long[32];
        if (Fstatfs(file, raw) < 0)
            throw new LinuxException("look at a file system", Marshal.GetLastPInvokeError());
        return ((ulong)raw[0] & 0xFFFFFFFF, raw[2] * raw[1], raw[4] * raw[1]);
    }

    /// <summary>Whether an open file lies on a mount that is read-only (statfs(2), ST_RDONLY).</summary>
    public static bool IsReadOnly(FileDescriptor file)
    {
        // SAFETY: as above; the flags follow block counts (5), file counts (2), an id of two ints, name length and fragment size.
        var raw = stackalloc long[32];
        return Fstatfs(file, raw) == 0 && (raw[10] & 1) != 0;
    }

    /// <summary>
    /// Opens a name for reading only if it is a regular file: a device or fifo that took the name is never opened, which
    /// may have effects of its own. EISDIR or EINVAL for other kinds.
    /// </summary>
    public static int OpenRegular(FileDescriptor directory, ReadOnlySpan<byte> name, out FileDescriptor file)
    {
        file = new FileDescriptor(-1);
        var errno = OpenName(directory, name, OpenFlags.Path, 0, out var place);
        using (place)
        {
            if (errno == 0)
                errno = GetStatus(place, [], out var status) is var failed and not 0 ? failed : status.Kind == FileKind.Regular ? 0 : Errno.EINVAL;
            return errno == 0 ? Reopen(place, OpenFlags.ReadOnly, out file) : errno;
        }
    }

    /// <summary>Opens an open file (<c>O_PATH</c>, say) once more with other flags; its name is not looked up again.</summary>
    public static int Reopen(FileDescriptor place, int flags, out FileDescriptor file)
    {
        var path = Terminated($"/proc/self/fd/{place.Number}");
        // SAFETY: `path` is NUL-terminated and pinned for the call.
        fixed (byte* p = path)
        {
            var fd = FileTreeSyscalls.Open(p, flags | OpenFlags.CloseOnExec, 0);
            file = new FileDescriptor(fd);
            return fd >= 0 ? 0 : Marshal.GetLastPInvokeError();
        }
    }
}
