using System.Runtime.InteropServices;
using Wherry.Linux.Files;

namespace Wherry.Linux.Locks;

/// <summary>
/// An exclusive lock on a file (flock(2)). It belongs to the open file, not to the process: it is gone when the
/// holder is, however it ended, and the file may stay.
/// </summary>
public sealed partial class FileLock : IDisposable
{
    private const int LockExclusive = 2;
    private const int LockNonBlocking = 4;
    private const int OwnerOnly = 0x180; // 0600

    private readonly FileDescriptor _file;

    private FileLock(FileDescriptor file) => _file = file;

    /// <summary>Takes the lock, making the file where it is missing; null when somebody else holds it.</summary>
    public static FileLock? TryTake(string path)
    {
        // Not through the framework, whose file streams flock by themselves to imitate share modes.
        var file = FileSyscalls.Open(path, OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.CloseOnExec, OwnerOnly);

        // SAFETY: the descriptor stays open over the call; flock keeps nothing of it but the lock itself.
        if (Flock(file, LockExclusive | LockNonBlocking) == 0)
        {
            return new FileLock(file);
        }

        var errno = Marshal.GetLastPInvokeError();
        file.Dispose();
        return errno == Errno.EAGAIN ? null : throw new LinuxException($"lock {path}", errno);
    }

    public void Dispose() => _file.Dispose();

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(FileDescriptor file, int operation);
}
