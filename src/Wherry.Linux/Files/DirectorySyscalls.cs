using Wherry.Linux.Kernel;

namespace Wherry.Linux.Files;

/// <summary>Making, locking, changing and removing directories, without what the framework brings along for it.</summary>
public static unsafe class DirectorySyscalls
{
    private const int RemoveDirectory = 0x200;
    private const int LockExclusive = 2;
    private const int LockNonBlocking = 4;
    private const int LockRelease = 8;

    /// <summary>Makes one directory; minus errno on failure.</summary>
    public static int TryMake(string path, int mode)
    {
        using var text = new NativeText(path);
        return (int)Syscall.Call(SyscallNumber.Mkdirat, FileSyscalls.WorkingDirectory, text.Address, mode);
    }

    /// <summary>Makes a directory and those above it that are missing.</summary>
    /// <exception cref="LinuxException">One could not be made.</exception>
    public static void MakeWithParents(string path, int mode)
    {
        var result = TryMake(path, mode);
        if (result == -Errno.ENOENT && Path.GetDirectoryName(path) is { Length: > 0 } parent)
        {
            MakeWithParents(parent, mode);
            result = TryMake(path, mode);
        }

        if (result != -Errno.EEXIST)
        {
            Syscall.Check(result, $"make the directory {path}");
        }
    }

    /// <summary>Removes an empty directory; minus errno on failure.</summary>
    public static int TryRemove(string path)
    {
        using var text = new NativeText(path);
        return (int)Syscall.Call(SyscallNumber.Unlinkat, FileSyscalls.WorkingDirectory, text.Address, RemoveDirectory);
    }

    /// <summary>Gives an entry another name in the same directory, replacing what has that name.</summary>
    public static void Rename(FileDescriptor directory, string from, string to)
    {
        using var old = new NativeText(from);
        using var name = new NativeText(to);
        Syscall.Check(Syscall.Call(SyscallNumber.Renameat2, directory.Number, old.Address, directory.Number, name.Address, 0), $"rename {from} to {to}");
    }

    /// <summary>Takes the lock of an open directory (flock(2)), which ends with its last descriptor; false when somebody else has it.</summary>
    public static bool TryLock(FileDescriptor directory)
    {
        var result = Syscall.Retry(SyscallNumber.Flock, directory.Number, LockExclusive | LockNonBlocking);
        return result != -Errno.EAGAIN && Syscall.Check(result, "lock a directory") == 0;
    }

    public static void Unlock(FileDescriptor directory) => Syscall.Call(SyscallNumber.Flock, directory.Number, LockRelease);
}
