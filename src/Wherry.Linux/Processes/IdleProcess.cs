using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Wherry.Linux.Kernel;
using Wherry.Linux.Signals;

namespace Wherry.Linux.Processes;

/// <summary>
/// A child that does nothing, for the kernel or a service to be given a process. Ended when disposed; should this
/// process be killed before, by itself in a minute. It holds none of this process's descriptors, and so no locks.
/// </summary>
public sealed unsafe class IdleProcess : IDisposable
{
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
        var birth = new Birth { Sleep = (delegate* unmanaged<void*, int>)sleep, Flags = namespaces | CloneFlags.Parent, Pid = -Errno.ESRCH };

        // SAFETY: the argument lies on this frame, which stands still until the child has exited.
        var maker = VforkChild.Run(&Entry, &birth, CloneFlags.None);
        if (maker >= 0)
        {
            ProcessSyscalls.Wait(maker, block: true);
        }

        var pid = maker < 0 ? maker : birth.Pid;
        return pid > 0 ? new IdleProcess(pid) : throw new LinuxException("make an idle process", -pid);
    }

    public void Dispose()
    {
        ProcessSyscalls.Kill(Id, SignalNumber.Kill);
        ProcessSyscalls.Wait(Id, block: true);
    }

    // What sleeps can close nothing, so it is made by a child that has closed everything before.
    [UnmanagedCallersOnly]
    private static int Entry(void* argument)
    {
        // SAFETY: see Start.
        ref var birth = ref Unsafe.AsRef<Birth>(argument);
        Syscall.Call(SyscallNumber.CloseRange, 0, int.MaxValue, 0);
        birth.Pid = VforkChild.StartCopy(birth.Sleep, (void*)LifetimeSeconds, birth.Flags);
        VforkChild.Exit(0);
        return 0;
    }

    private struct Birth
    {
        public delegate* unmanaged<void*, int> Sleep;
        public CloneFlags Flags;
        public int Pid;
    }
}
