using System.Text;
using Wherry.Linux.Kernel;

namespace Wherry.Linux.Files;

/// <summary>Opening, reading and writing files by descriptor. Everything opened here is close-on-exec.</summary>
public static unsafe class FileSyscalls
{
    /// <summary>AT_FDCWD.</summary>
    public const int WorkingDirectory = -100;

    private const int EmptyPath = 0x1000;
    private const int GetDescriptorFlags = 1;
    private const int SetDescriptorFlags = 2;
    private const int GetStatusFlags = 3;
    private const int DuplicateCloseOnExec = 1030;
    private const int SetStatusFlags = 4;
    private const int CloseRangeCloseOnExec = 4;

    /// <exception cref="LinuxException">The file could not be opened.</exception>
    public static FileDescriptor Open(string path, int flags, int mode = 0)
    {
        using var text = new NativeText(path);
        return new((int)Syscall.Check(
            Syscall.Retry(SyscallNumber.Openat, WorkingDirectory, text.Address, flags | OpenFlags.CloseOnExec, mode), $"open {path}"));
    }

    /// <summary>Opens below a directory, following nothing that leaves what <paramref name="resolve"/> allows; minus errno on failure.</summary>
    public static int TryOpen(int directory, string path, int flags, ResolveFlags resolve, int mode = 0)
    {
        using var text = new NativeText(path);
        var how = stackalloc ulong[] { (uint)(flags | OpenFlags.CloseOnExec), (uint)mode, (ulong)resolve };
        nint result;
        do
        {
            // EAGAIN: something was renamed while a path was being resolved; the kernel asks to try again.
            result = Syscall.Retry(SyscallNumber.Openat2, directory, text.Address, (nint)how, 24);
        }
        while (result == -Errno.EAGAIN);
        return (int)result;
    }

    /// <inheritdoc cref="TryOpen"/>
    /// <exception cref="LinuxException">The file could not be opened.</exception>
    public static FileDescriptor OpenAt(FileDescriptor directory, string path, int flags, ResolveFlags resolve, int mode = 0) =>
        new((int)Syscall.Check(TryOpen(directory.Number, path, flags, resolve, mode), $"open {path}"));

    /// <summary>The path by which this process reaches an open file again.</summary>
    public static string ProcPath(FileDescriptor file) => $"/proc/self/fd/{file.Number}";

    /// <summary>Reads what is there; 0 at the end, minus errno on failure.</summary>
    public static int Read(int fd, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            return (int)Syscall.Retry(SyscallNumber.Read, fd, (nint)start, buffer.Length);
        }
    }

    /// <summary>Writes what the file takes; the byte count or minus errno.</summary>
    public static int Write(int fd, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            return (int)Syscall.Retry(SyscallNumber.Write, fd, (nint)start, bytes.Length);
        }
    }

    /// <summary>Writes a kernel file (cgroup, sysctl, id map) in the one write it wants.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public static void WriteKernelFile(string path, string value)
    {
        using var file = Open(path, OpenFlags.WriteOnly);
        Syscall.Check(Write(file.Number, Encoding.UTF8.GetBytes(value)), $"write {value} to {path}");
    }

    /// <summary>The whole of a small text file, null when it does not exist.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limit">More bytes than this are not read.</param>
    public static string? TryReadText(string path, int limit = 1 << 20)
    {
        using var text = new NativeText(path);
        var fd = (int)Syscall.Retry(SyscallNumber.Openat, WorkingDirectory, text.Address, OpenFlags.ReadOnly | OpenFlags.CloseOnExec, 0);
        if (fd is -Errno.ENOENT or -Errno.ENOTDIR or -Errno.ENODEV)
        {
            return null;
        }

        using var file = new FileDescriptor((int)Syscall.Check(fd, $"open {path}"));
        try
        {
            return Encoding.UTF8.GetString(ReadToEnd(file, limit));
        }
        catch (LinuxException e) when (e.ErrorNumber is Errno.ENODEV or Errno.ESRCH)
        {
            // A cgroup's or a process's, which has gone since.
            return null;
        }
    }

    /// <summary>Reads a file to its end, or to <paramref name="limit"/> bytes.</summary>
    public static byte[] ReadToEnd(FileDescriptor file, int limit)
    {
        var buffer = new byte[Math.Min(4096, limit)];
        var length = 0;
        while (length < limit)
        {
            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, (int)Math.Min((long)buffer.Length * 4, limit));
            }

            var read = (int)Syscall.Check(Read(file.Number, buffer.AsSpan(length)), "read a file");
            if (read == 0)
            {
                break;
            }

            length += read;
        }

        return length == buffer.Length ? buffer : buffer[..length];
    }

    /// <summary>A pipe; both ends close-on-exec and blocking.</summary>
    public static (FileDescriptor Read, FileDescriptor Write) Pipe()
    {
        var fds = stackalloc int[2];
        Syscall.Check(Syscall.Call(SyscallNumber.Pipe2, (nint)fds, OpenFlags.CloseOnExec), "make a pipe");
        return (new FileDescriptor(fds[0]), new FileDescriptor(fds[1]));
    }

    /// <summary>Whether this process may write a file, or make and remove names in a directory; false too where there is none.</summary>
    public static bool MayWrite(string path)
    {
        const int writeAccess = 2;
        const int byEffectiveIds = 0x200;
        using var text = new NativeText(path);
        return Syscall.Call(SyscallNumber.Faccessat2, WorkingDirectory, text.Address, writeAccess, byEffectiveIds) == 0;
    }

    /// <summary>A file that exists in memory only, until it is closed everywhere.</summary>
    /// <param name="name">Shown in /proc.</param>
    public static FileDescriptor MemoryFile(string name)
    {
        using var text = new NativeText(name);
        return new((int)Syscall.Check(Syscall.Call(SyscallNumber.MemfdCreate, text.Address, 1), "make a file in memory"));
    }

    public static void Rewind(FileDescriptor file) => Syscall.Check(Syscall.Call(SyscallNumber.Lseek, file.Number, 0, 0), "go to a file's beginning");

    /// <summary>Makes reads and writes return at once. A property of the open file, so of every descriptor that shares it.</summary>
    public static void SetNonBlocking(FileDescriptor file) =>
        Syscall.Check(Syscall.Call(SyscallNumber.Fcntl, file.Number, SetStatusFlags, OpenFlags.NonBlocking), "make a descriptor non-blocking");

    public static void SetCloseOnExec(int fd) =>
        Syscall.Check(Syscall.Call(SyscallNumber.Fcntl, fd, SetDescriptorFlags, 1), "mark a descriptor close-on-exec");

    /// <summary>Whether a number is that of a descriptor that this process was started with, and not of one of its own, which close on exec; and can be written to.</summary>
    public static bool IsInheritedForWriting(int fd) =>
        Syscall.Call(SyscallNumber.Fcntl, fd, GetDescriptorFlags) == 0
        && Syscall.Call(SyscallNumber.Fcntl, fd, GetStatusFlags) is >= 0 and var flags
        && ((int)flags & (OpenFlags.WriteOnly | OpenFlags.ReadWrite)) != 0;

    /// <summary>Another descriptor of the same open file, close-on-exec, with a number not below the one given.</summary>
    public static FileDescriptor Duplicate(FileDescriptor file, int lowest = 0) => Duplicate(file.Number, lowest, "duplicate a descriptor");

    /// <summary>The same of a descriptor that someone else owns, such as the standard streams.</summary>
    public static FileDescriptor Duplicate(int fd) => Duplicate(fd, 0, $"duplicate descriptor {fd}");

    /// <summary>Makes <paramref name="target"/> a copy of the descriptor that survives execve.</summary>
    public static void Duplicate(int fd, int target)
    {
        if (fd == target)
        {
            Syscall.Check(Syscall.Call(SyscallNumber.Fcntl, fd, SetDescriptorFlags, 0), "keep a descriptor over exec");
            return;
        }

        Syscall.Check(Syscall.Call(SyscallNumber.Dup3, fd, target, 0), $"duplicate descriptor {fd} to {target}");
    }

    private static FileDescriptor Duplicate(int fd, int lowest, string doing) =>
        new((int)Syscall.Check(Syscall.Call(SyscallNumber.Fcntl, fd, DuplicateCloseOnExec, lowest), doing));

    /// <summary>Marks every descriptor from <paramref name="first"/> on close-on-exec, whoever opened it.</summary>
    public static void MarkCloseOnExecFrom(int first) =>
        Syscall.Check(Syscall.Call(SyscallNumber.CloseRange, first, int.MaxValue, CloseRangeCloseOnExec), "mark descriptors close-on-exec");

    /// <summary>Closes every descriptor from a number on, whoever owns it.</summary>
    public static void CloseFrom(int first) =>
        Syscall.Check(Syscall.Call(SyscallNumber.CloseRange, first, int.MaxValue, 0), "close descriptors");

    public static int TryMakeDirectory(FileDescriptor directory, string name, int mode)
    {
        using var text = new NativeText(name);
        return (int)Syscall.Call(SyscallNumber.Mkdirat, directory.Number, text.Address, mode);
    }

    /// <summary>Makes a device node, fifo or socket; minus errno on failure.</summary>
    public static int TryMakeNode(FileDescriptor directory, string name, int mode, uint major, uint minor)
    {
        using var text = new NativeText(name);
        var device = (minor & 0xff) | ((major & 0xfff) << 8) | ((minor & ~0xffu) << 12);
        return (int)Syscall.Call(SyscallNumber.Mknodat, directory.Number, text.Address, mode, (nint)device);
    }

    public static int TryMakeSymbolicLink(string target, FileDescriptor directory, string name)
    {
        using var targetText = new NativeText(target);
        using var text = new NativeText(name);
        return (int)Syscall.Call(SyscallNumber.Symlinkat, targetText.Address, directory.Number, text.Address);
    }

    public static int TryUnlink(FileDescriptor directory, string name)
    {
        using var text = new NativeText(name);
        return (int)Syscall.Call(SyscallNumber.Unlinkat, directory.Number, text.Address, 0);
    }

    /// <summary>The text of a symbolic link in a directory.</summary>
    public static string ReadLink(FileDescriptor directory, string name)
    {
        using var text = new NativeText(name);
        var buffer = stackalloc byte[4096];
        var length = Syscall.Check(Syscall.Call(SyscallNumber.Readlinkat, directory.Number, text.Address, (nint)buffer, 4096), $"read the link {name}");
        return Encoding.UTF8.GetString(buffer, (int)length);
    }

    /// <summary>Sets the owner of an open file, also of an <c>O_PATH</c> descriptor.</summary>
    public static void SetOwner(FileDescriptor file, uint uid, uint gid)
    {
        using var text = new NativeText("");
        Syscall.Check(Syscall.Call(SyscallNumber.Fchownat, file.Number, text.Address, (nint)uid, (nint)gid, EmptyPath), $"set the owner to {uid}:{gid}");
    }

    /// <summary>Sets permission bits through an <c>O_PATH</c> descriptor of anything but a symbolic link.</summary>
    public static void SetMode(FileDescriptor file, int mode)
    {
        using var text = new NativeText(ProcPath(file));
        Syscall.Check(Syscall.Call(SyscallNumber.Fchmodat, WorkingDirectory, text.Address, mode), $"set the mode to {Convert.ToString(mode, 8)}");
    }

    public static void ChangeDirectory(FileDescriptor directory) =>
        Syscall.Check(Syscall.Call(SyscallNumber.Fchdir, directory.Number), "change the working directory");

    public static void ChangeRoot(string path)
    {
        using var text = new NativeText(path);
        Syscall.Check(Syscall.Call(SyscallNumber.Chroot, text.Address), $"change the root to {path}");
    }

    public static int TryChangeDirectory(string path)
    {
        using var text = new NativeText(path);
        return (int)Syscall.Call(SyscallNumber.Chdir, text.Address);
    }

    /// <summary>The working directory as the kernel sees it; starts with <c>(unreachable)</c> when it lies outside the root.</summary>
    public static string CurrentDirectory()
    {
        var buffer = stackalloc byte[4096];
        var length = Syscall.Check(Syscall.Call(SyscallNumber.Getcwd, (nint)buffer, 4096), "read the working directory");
        return Encoding.UTF8.GetString(buffer, (int)length - 1);
    }

    /// <summary>The file system's magic number (statfs(2)).</summary>
    public static long FileSystemType(FileDescriptor file)
    {
        var raw = stackalloc long[16];
        Syscall.Check(Syscall.Call(SyscallNumber.Fstatfs, file.Number, (nint)raw), "read the file system's type");
        return raw[0];
    }

    /// <summary>The file can't be changed through this descriptor, whoever asks: it lies on a read-only mount (statfs(2), ST_RDONLY).</summary>
    public static bool IsOnReadOnlyMount(FileDescriptor file)
    {
        const int flagsField = 10;
        const long readOnly = 1;
        var raw = stackalloc long[16];
        Syscall.Check(Syscall.Call(SyscallNumber.Fstatfs, file.Number, (nint)raw), "read a mount's flags");
        return (raw[flagsField] & readOnly) != 0;
    }

    public static int SetUmask(int mask) => (int)Syscall.Call(SyscallNumber.Umask, mask);
}
