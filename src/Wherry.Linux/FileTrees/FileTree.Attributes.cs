using System.Runtime.InteropServices;
using static Wherry.Linux.FileTrees.FileTreeSyscalls;

namespace Wherry.Linux.FileTrees;

/// <summary>Owners, modes, times and extended attributes.</summary>
public static unsafe partial class FileTree
{
    public static int SetOwner(FileDescriptor file, uint uid, uint gid) => Result(Fchown(file, uid, gid));

    public static int SetOwner(FileDescriptor directory, ReadOnlySpan<byte> name, uint uid, uint gid)
    {
        // SAFETY: Terminate copies the name with a NUL into a pinned buffer.
        fixed (byte* p = Terminate(name, stackalloc byte[MaxPath]))
            return Result(Fchownat(directory, p, uid, gid, AtSymlinkNoFollow));
    }

    public static int SetMode(FileDescriptor file, uint mode) => Result(Fchmod(file, mode));

    /// <summary>Sets a name's mode, never through a symbolic link: whoever swaps the name meanwhile gains nothing.</summary>
    public static int SetModeOfNode(FileDescriptor directory, ReadOnlySpan<byte> name, uint mode)
    {
        // fchmodat(2) follows links, and its successor that need not is younger than kernels we run on.
        var errno = OpenName(directory, name, OpenFlags.Path, 0, out var place);
        using (place)
        {
            if (errno != 0)
                return errno;
            // SAFETY: the path is NUL-terminated and pinned; the link in /proc leads to the open inode itself.
            fixed (byte* p = Terminated($"/proc/self/fd/{place.Number}"))
                return Result(Fchmodat(AtFdCwd, p, mode, 0));
        }
    }

    /// <summary>Sets the modification time, and the access time to the same.</summary>
    public static int SetTime(FileDescriptor file, FileTime modified)
    {
        var times = stackalloc Timespec[2];
        times[0] = times[1] = new Timespec { Seconds = (nint)modified.Seconds, Nanoseconds = (nint)modified.Nanoseconds };
        // SAFETY: two timespecs on the stack, as futimens(3) wants.
        return Result(Futimens(file, times));
    }

    public static int SetTime(FileDescriptor directory, ReadOnlySpan<byte> name, FileTime modified)
    {
        var times = stackalloc Timespec[2];
        times[0] = times[1] = new Timespec { Seconds = (nint)modified.Seconds, Nanoseconds = (nint)modified.Nanoseconds };
        // SAFETY: two timespecs on the stack; the name is terminated and pinned.
        fixed (byte* p = Terminate(name, stackalloc byte[MaxPath]))
            return Result(Utimensat(directory, p, times, AtSymlinkNoFollow));
    }

    public static int SetAttribute(FileDescriptor file, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value)
    {
        // SAFETY: both strings are pinned; an empty span's null pointer goes with size 0.
        fixed (byte* a = Terminate(attribute, stackalloc byte[256]))
        fixed (byte* v = value)
            return Result(Fsetxattr(file, a, v, value.Length, 0));
    }

    /// <summary>Sets an attribute of a name that can't or must not be opened: a link, a device, a fifo.</summary>
    public static int SetAttribute(FileDescriptor directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value)
    {
        var path = ThroughProc(directory, name);
        // SAFETY: as above. The last component is not followed; those before it are the descriptor itself.
        fixed (byte* p = path)
        fixed (byte* a = Terminate(attribute, stackalloc byte[256]))
        fixed (byte* v = value)
            return Result(Lsetxattr(p, a, v, value.Length, 0));
    }

    /// <summary>The extended attributes of a name, sorted; of the directory itself when the name is empty.</summary>
    public static IReadOnlyList<KeyValuePair<string, byte[]>> GetAttributes(FileDescriptor directory, ReadOnlySpan<byte> name)
    {
        // No name of Linux's extended attributes or their list is longer than 64 KiB (XATTR_LIST_MAX).
        Span<byte> list = stackalloc byte[1024];
        var path = ThroughProc(directory, name);
        var length = List(path, list);
        if (length == -Errno.ERANGE)
        {
            list = new byte[64 * 1024];
            length = List(path, list);
        }
        if (length <= 0)
            return [];
        var found = new List<KeyValuePair<string, byte[]>>();
        var rest = list[..length];
        while (!rest.IsEmpty)
        {
            var end = rest.IndexOf((byte)0);
            if (GetAttribute(path, rest[..end]) is { } value)
                found.Add(new(System.Text.Encoding.UTF8.GetString(rest[..end]), value));
            rest = rest[(end + 1)..];
        }
        found.Sort(static (a, b) => string.CompareOrdinal(a.Key, b.Key));
        return found;
    }

    /// <summary>One extended attribute of a name, or null; of the directory itself when the name is empty.</summary>
    public static byte[]? GetAttribute(FileDescriptor directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> attribute) =>
        GetAttribute(ThroughProc(directory, name), attribute);

    private static byte[]? GetAttribute(byte[] path, ReadOnlySpan<byte> attribute)
    {
        const int Largest = 64 * 1024;
        Span<byte> buffer = stackalloc byte[512];
        var terminated = Terminate(attribute, stackalloc byte[256]);
        while (true)
        {
            // SAFETY: all three are pinned for the call and their sizes passed.
            fixed (byte* p = path)
            fixed (byte* a = terminated)
            fixed (byte* b = buffer)
            {
                var length = Lgetxattr(p, a, b, buffer.Length);
                if (length >= 0)
                    return buffer[..(int)length].ToArray();
            }
            if (Marshal.GetLastPInvokeError() != Errno.ERANGE || buffer.Length >= Largest)
                return null;
            buffer = new byte[Largest];
        }
    }

    private static int List(byte[] path, Span<byte> buffer)
    {
        // SAFETY: both are pinned for the call and the size passed.
        fixed (byte* p = path)
        fixed (byte* b = buffer)
        {
            var length = Llistxattr(p, b, buffer.Length);
            return length < 0 ? -Marshal.GetLastPInvokeError() : (int)length;
        }
    }

    /// <summary>
    /// <c>/proc/self/fd/N/name</c>: the way to a path-only call relative to a descriptor. The magic link goes
    /// straight to the open directory, so nothing but the single name is looked up.
    /// </summary>
    private static byte[] ThroughProc(FileDescriptor directory, ReadOnlySpan<byte> name)
    {
        var prefix = System.Text.Encoding.ASCII.GetBytes($"/proc/self/fd/{directory.Number}/");
        var path = new byte[prefix.Length + Math.Max(name.Length, 1) + 1];
        prefix.CopyTo(path, 0);
        (name.IsEmpty ? "."u8 : name).CopyTo(path.AsSpan(prefix.Length));
        return path;
    }
}
