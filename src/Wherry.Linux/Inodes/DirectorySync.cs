using System.Runtime.InteropServices;

namespace Wherry.Linux.Inodes;

/// <summary>Puts a directory's names on the disk: a rename or creation is only durable after it (fsync(2)).</summary>
public static partial class DirectorySync
{
    private const int ReadOnly = 0;
    private const int CloseOnExec = 0x80000;

    public static void Flush(string directory)
    {
        // Not O_DIRECTORY, whose value differs between architectures: opening read-only works on a directory as it is.
        var fd = Open(directory, ReadOnly | CloseOnExec);
        if (fd < 0)
        {
            throw new LinuxException($"open {directory}", Marshal.GetLastPInvokeError());
        }

        using var owned = new FileDescriptor(fd);
        if (Fsync(fd) != 0)
        {
            throw new LinuxException($"fsync {directory}", Marshal.GetLastPInvokeError());
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int fd);
}
