using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;

namespace Wherry.Runtime.Programs;

/// <summary>Files of the calling process in /proc, for children that may do nothing but system calls.</summary>
internal static unsafe class OwnProcFile
{
    private const int PrSetDumpable = 4;

    /// <summary>
    /// Opens one for writing. An ordinary user's are root's while their process is not dumpable (proc(5)): then it is, for
    /// that moment, in which it has not yet entered a container.
    /// </summary>
    /// <param name="path">Ends with a zero byte.</param>
    /// <returns>A descriptor, close-on-exec; or minus the errno.</returns>
    internal static nint OpenForWriting(byte* path)
    {
        const int flags = OpenFlags.WriteOnly | OpenFlags.CloseOnExec;

        // SAFETY: the caller's bytes, which the kernel only reads.
        var file = Syscall.Call(SyscallNumber.Openat, FileSyscalls.WorkingDirectory, (nint)path, flags);
        if (file == -Errno.EACCES)
        {
            Syscall.Call(SyscallNumber.Prctl, PrSetDumpable, 1);
            file = Syscall.Call(SyscallNumber.Openat, FileSyscalls.WorkingDirectory, (nint)path, flags);
            Syscall.Call(SyscallNumber.Prctl, PrSetDumpable);
        }

        return file;
    }
}
