using System.Runtime.InteropServices;
using Wherry.Linux.Kernel;
using Wherry.Linux.Signals;

namespace Wherry.Linux.Processes;

/// <summary>
/// A child that does nothing, for the kernel or a service to be given a process. Ended when disposed; should this
/// process be killed before, by itself in a minute.
/// </summary>
public sealed unsafe partial class IdleProcess : IDisposable
{
    private const int SigChld = 17;
    private const int StackSize = 16 * 1024;
    private const int ProtReadWrite = 3;
    private const int MapPrivateAnonymous = 0x22;
    private const int LifetimeSeconds = 60;

    private IdleProcess(int id) => Id = id;

    public int Id { get; }

    /// <param name="namespaces">Namespaces to make for it.</param>
    /// <exception cref="LinuxException">The kernel has no process, or no such namespace, to give.</exception>
    public static IdleProcess Start(CloneFlags namespaces = CloneFlags.None)
    {
        // Its code is libc's alone, nothing of this program's: a copy of this process can't run managed code (see
        // VforkChild), but it can sleep.
        var sleep = NativeLibrary.GetExport(NativeLibrary.Load("libc.so.6"), "sleep");
        var stack = Syscall.Check(Syscall.Call(SyscallNumber.Mmap, 0, StackSize, ProtReadWrite, MapPrivateAnonymous, -1, 0), "reserve a stack");

        // SAFETY: the child has a copy of the stack, so ours may go at once.
        var pid = Clone(sleep, stack + StackSize, (int)namespaces | SigChld, LifetimeSeconds);
        var error = Marshal.GetLastSystemError();
        Syscall.Call(SyscallNumber.Munmap, stack, StackSize);
        return pid >= 0 ? new IdleProcess(pid) : throw new LinuxException("make an idle process", error);
    }

    public void Dispose()
    {
        ProcessSyscalls.Kill(Id, SignalNumber.Kill);
        ProcessSyscalls.Wait(Id, block: true);
    }

    [LibraryImport("libc", EntryPoint = "clone")]
    private static partial int Clone(nint entry, nint stack, int flags, nint argument);
}
