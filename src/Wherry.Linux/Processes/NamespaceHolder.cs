using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;
using Wherry.Linux.Signals;

namespace Wherry.Linux.Processes;

/// <summary>
/// Starts a program in new namespaces, for these to live as long as it does: others find them by its process id. It gets
/// no descriptors but /dev/null and the one kept open by it, a session of its own, and nothing of its maker's.
/// </summary>
public static unsafe class NamespaceHolder
{
    /// <summary>The number that the descriptor it keeps has in it.</summary>
    public const int KeptNumber = 3;

    // Sources lie above all targets, so that filling one target destroys no other's source.
    private const int FirstFreeNumber = 16;

    private const int CloseOnExec = 4;

    /// <param name="path">The program.</param>
    /// <param name="arguments">Its arguments, the program's name first.</param>
    /// <param name="namespaces">What is made new.</param>
    /// <param name="kept">Open in the program for as long as it lives.</param>
    /// <returns>The process id, a child of this process.</returns>
    /// <exception cref="LinuxException">The kernel refuses a namespace, or the program.</exception>
    public static int Start(string path, IReadOnlyList<string> arguments, CloneFlags namespaces, FileDescriptor kept)
    {
        using var pathText = new NativeText(path);
        using var argumentStrings = new NativeStrings(arguments);
        using var environment = new NativeStrings([]);
        using var nothing = FileSyscalls.Open("/dev/null", OpenFlags.ReadWrite);
        using var parkedNothing = FileSyscalls.Duplicate(nothing, FirstFreeNumber);
        using var parkedKept = FileSyscalls.Duplicate(kept, FirstFreeNumber);
        var birth = new Birth
        {
            Path = pathText.Address,
            Arguments = argumentStrings.Address,
            Environment = environment.Address,
            Nothing = parkedNothing.Number,
            Kept = parkedKept.Number,
        };
        // SAFETY: the argument lives on this frame, which stands still until the child has executed or exited.
        var pid = VforkChild.Run(&Entry, &birth, namespaces);
        if (pid < 0)
        {
            throw new LinuxException($"make namespaces ({namespaces})", -pid);
        }

        if (birth.Error != 0)
        {
            ProcessSyscalls.Wait(pid, block: true);
            throw new LinuxException($"start {path}", birth.Error);
        }

        return pid;
    }

    [UnmanagedCallersOnly]
    private static int Entry(void* argument)
    {
        // SAFETY: see Start.
        ref var birth = ref Unsafe.AsRef<Birth>(argument);
        for (var number = 0; number < KeptNumber; number++)
        {
            Syscall.Call(SyscallNumber.Dup3, birth.Nothing, number, 0);
        }

        Syscall.Call(SyscallNumber.Dup3, birth.Kept, KeptNumber, 0);
        Syscall.Call(SyscallNumber.CloseRange, KeptNumber + 1, int.MaxValue, CloseOnExec);
        Syscall.Call(SyscallNumber.Setsid);
        SignalSyscalls.ResetActions();
        SignalSyscalls.SetMask(0);
        birth.Error = (int)-Syscall.Call(SyscallNumber.Execve, birth.Path, (nint)birth.Arguments, (nint)birth.Environment);
        VforkChild.Exit(1);
        return 0;
    }

    private struct Birth
    {
        public nint Path;
        public byte** Arguments;
        public byte** Environment;
        public int Nothing;
        public int Kept;
        public int Error;
    }
}
