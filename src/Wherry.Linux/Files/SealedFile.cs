using Wherry.Linux.Kernel;

namespace Wherry.Linux.Files;

/// <summary>A copy of a file, in memory, that nobody can change any more, whatever rights he has (memfd_create(2), "File sealing").</summary>
public static class SealedFile
{
    private const int CloseOnExec = 1;
    private const int AllowSealing = 2;
    private const int Executable = 0x10;
    private const int AddSeals = 1033;
    private const int GetSeals = 1034;
    private const int AllSeals = 0xf; // no more seals, no shrinking, no growing, no writing
    private const int Chunk = 0x7ffff000;

    /// <param name="path">The file.</param>
    /// <param name="name">Shown in /proc.</param>
    /// <returns>A descriptor for reading and executing; the caller's.</returns>
    /// <exception cref="LinuxException">It can't be read, or there is no memory for it.</exception>
    public static FileDescriptor CopyOf(string path, string name)
    {
        using var copy = Make(name);
        using (var source = FileSyscalls.Open(path, OpenFlags.ReadOnly))
        {
            while (Syscall.Check(Syscall.Retry(SyscallNumber.Sendfile, copy.Number, source.Number, 0, Chunk), $"copy {path} to memory") > 0)
            {
            }
        }

        Syscall.Check(Syscall.Call(SyscallNumber.Fcntl, copy.Number, AddSeals, AllSeals), $"seal the copy of {path}");
        return FileSyscalls.Open(FileSyscalls.ProcPath(copy), OpenFlags.ReadOnly);
    }

    /// <summary>The open file is such a copy.</summary>
    public static bool IsSealed(FileDescriptor file) => Syscall.Call(SyscallNumber.Fcntl, file.Number, GetSeals) is >= 0 and var seals && (seals & AllSeals) == AllSeals;

    private static FileDescriptor Make(string name)
    {
        using var text = new NativeText(name);
        var made = Syscall.Call(SyscallNumber.MemfdCreate, text.Address, CloseOnExec | AllowSealing | Executable);
        if (made == -Errno.EINVAL)
        {
            // Before Linux 6.3 every such file can be executed, and there is no word for it.
            made = Syscall.Call(SyscallNumber.MemfdCreate, text.Address, CloseOnExec | AllowSealing);
        }

        return new((int)Syscall.Check(made, "make a file in memory that can be executed (does vm.memfd_noexec forbid it?)"));
    }
}
