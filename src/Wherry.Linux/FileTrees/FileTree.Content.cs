using System.Runtime.InteropServices;
using static Wherry.Linux.FileTrees.FileTreeSyscalls;

namespace Wherry.Linux.FileTrees;

/// <summary>Bytes of files, holes, and whole trees.</summary>
public static unsafe partial class FileTree
{
    /// <summary>Writes all of <paramref name="data"/> at the file's position.</summary>
    public static int WriteAll(FileDescriptor file, ReadOnlySpan<byte> data)
    {
        // SAFETY: the buffer is pinned and never passed beyond its end.
        fixed (byte* start = data)
        {
            for (var done = 0; done < data.Length;)
            {
                var written = Write(file, start + done, data.Length - done);
                if (written >= 0)
                    done += (int)written;
                else if (Marshal.GetLastPInvokeError() is var errno && errno != Errno.EINTR)
                    return errno;
            }
        }
        return 0;
    }

    /// <summary>Writes all of <paramref name="data"/> at <paramref name="offset"/>, leaving a hole before it if there is none yet.</summary>
    public static int WriteAllAt(FileDescriptor file, ReadOnlySpan<byte> data, long offset)
    {
        // SAFETY: as above.
        fixed (byte* start = data)
        {
            for (var done = 0; done < data.Length;)
            {
                var written = Pwrite(file, start + done, data.Length - done, offset + done);
                if (written >= 0)
                    done += (int)written;
                else if (Marshal.GetLastPInvokeError() is var errno && errno != Errno.EINTR)
                    return errno;
            }
        }
        return 0;
    }

    /// <summary>Reads up to the buffer's length at <paramref name="offset"/>.</summary>
    /// <returns>Bytes read, 0 at the end, or minus the errno.</returns>
    public static int ReadAt(FileDescriptor file, Span<byte> buffer, long offset)
    {
        // SAFETY: as above.
        fixed (byte* start = buffer)
        {
            while (true)
            {
                var read = Pread(file, start, buffer.Length, offset);
                if (read >= 0)
                    return (int)read;
                if (Marshal.GetLastPInvokeError() is var errno && errno != Errno.EINTR)
                    return -errno;
            }
        }
    }

    public static int SetLength(FileDescriptor file, long length) => Result(Ftruncate(file, length));

    /// <summary>Waits until the file's content and size are on the disk.</summary>
    public static int Sync(FileDescriptor file) => Result(Fsync(file));

    /// <summary>The next stretch of data at or after <paramref name="from"/>; false when only a hole follows.</summary>
    public static bool FindData(FileDescriptor file, long from, out long start, out long end)
    {
        start = Lseek(file, from, SeekData);
        end = start < 0 ? -1 : Lseek(file, start, SeekHole);
        return start >= 0 && end > start;
    }

    /// <summary>Removes a name and, when it is a directory, all below it on the same file system; symbolic links are removed, never followed.</summary>
    /// <returns>0, also when there was nothing, or the first errno.</returns>
    public static int RemoveTree(FileDescriptor directory, ReadOnlySpan<byte> name)
    {
        var errno = Unlink(directory, name, isDirectory: false);
        if (errno is 0 or Errno.ENOENT)
            return 0;
        if (errno is not (Errno.EISDIR or Errno.EPERM))
            return errno;
        errno = OpenToRemove(directory, name, out var top);
        using (top)
        {
            if (errno != 0)
                return errno;
            // Trees may be deeper than descriptors and stack last, so what lies too deep is hoisted to the top
            // and found there by the next round.
            for (var hoisted = 1; hoisted > 0;)
            {
                hoisted = 0;
                if (RemoveContent(top, top, 0, ref hoisted) is var failed and not 0)
                    return failed;
            }
        }
        errno = Unlink(directory, name, isDirectory: true);
        return errno == Errno.ENOENT ? 0 : errno;
    }

    /// <summary>What is mounted below belongs to someone else: the removal ends there, with EXDEV.</summary>
    private static int OpenToRemove(FileDescriptor directory, ReadOnlySpan<byte> name, out FileDescriptor opened) =>
        Open(directory, name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow, 0, PathResolution.OneFileSystem | PathResolution.NoSymlinks, out opened);

    private static int RemoveContent(FileDescriptor top, FileDescriptor directory, int depth, ref int hoisted)
    {
        const int Deepest = 64;
        foreach (var child in ReadNames(directory, "read directory to remove it"))
        {
            var errno = Unlink(directory, child, isDirectory: false);
            if (errno is 0 or Errno.ENOENT)
                continue;
            if (errno is not (Errno.EISDIR or Errno.EPERM))
                return errno;
            if (depth == Deepest)
            {
                var name = System.Text.Encoding.ASCII.GetBytes($".hoisted-{hoisted++}-{Guid.NewGuid():N}");
                errno = Rename(directory, child, top, name);
            }
            else
            {
                errno = OpenToRemove(directory, child, out var below);
                using (below)
                    errno = errno != 0 ? errno : RemoveContent(top, below, depth + 1, ref hoisted);
                if (errno == 0)
                    errno = Unlink(directory, child, isDirectory: true);
            }
            if (errno is not (0 or Errno.ENOENT))
                return errno;
        }
        return 0;
    }

    /// <summary>Removes a tree by its path on the host; nothing there is fine.</summary>
    public static void RemoveTree(string path)
    {
        var parent = Path.GetDirectoryName(path) ?? "/";
        if (!Directory.Exists(parent))
            return;
        using var directory = OpenDirectory(parent);
        if (RemoveTree(directory, System.Text.Encoding.UTF8.GetBytes(Path.GetFileName(path))) is var errno and not 0)
            throw new LinuxException($"remove {path}", errno);
    }
}
