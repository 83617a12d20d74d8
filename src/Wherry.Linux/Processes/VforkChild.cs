using System.Runtime.InteropServices;
using Wherry.Linux.Kernel;

namespace Wherry.Linux.Processes;

/// <summary>
/// A child process that borrows this process's memory and the calling thread's runtime state until it
/// executes a program or exits; the calling thread stands still meanwhile. A copy-on-write fork would hang:
/// its only thread would wait for ever for a garbage collection that no other thread is there to finish.
/// </summary>
/// <remarks>
/// Rules for the child's code: no exceptions, no allocation, no return of a value through anything but its
/// argument; only raw system calls on data made ready beforehand; ends by execve or <see cref="Exit"/>.
/// It may call managed code and may even be made to wait for a collection, like any thread.
/// </remarks>
public sealed unsafe partial class VforkChild : IDisposable
{
    private const int StackSize = 256 * 1024;
    private const int ProtReadWrite = 3;
    private const int MapPrivateAnonymousStackNoReserve = 0x2 | 0x20 | 0x20000 | 0x4000;
    private const int SigChld = 17;

    private nint _stack;

    /// <summary>Reserves a stack for children; pages are only taken once touched.</summary>
    public VforkChild() => _stack = Syscall.Check(
        Syscall.Call(SyscallNumber.Mmap, 0, StackSize, ProtReadWrite, MapPrivateAnonymousStackNoReserve, -1, 0),
        "reserve a stack for a child process");

    /// <summary>Where the stack begins, growing downwards.</summary>
    public nint Top => _stack + StackSize;

    /// <summary>
    /// Runs <paramref name="entry"/> in a new child and returns once it has executed a program or exited.
    /// </summary>
    /// <param name="entry">The child's code.</param>
    /// <param name="argument">Passed to it; shared memory, so results come back through it too.</param>
    /// <param name="flags">Namespaces to make, <see cref="CloneFlags.Parent"/>.</param>
    /// <returns>The child's process id, or minus errno.</returns>
    public int Run(delegate* unmanaged<void*, int> entry, void* argument, CloneFlags flags) => Run(entry, argument, flags, Top);

    /// <summary>The same on a stack made ready by another instance; for a child that makes a child of its own.</summary>
    /// <param name="entry">The child's code.</param>
    /// <param name="argument">Passed to it.</param>
    /// <param name="flags">As above.</param>
    /// <param name="stackTop">That instance's <see cref="Top"/>.</param>
    /// <param name="childId">Where the child's id is written before it runs; null for nowhere.</param>
    public static int Run(delegate* unmanaged<void*, int> entry, void* argument, CloneFlags flags, nint stackTop, int* childId = null)
    {
        flags |= childId is null ? CloneFlags.None : CloneFlags.ParentSetTid;

        // SAFETY: the stack outlives the child, which has left our memory when clone returns (CLONE_VFORK).
        var pid = Clone(entry, (void*)stackTop, (int)(flags | CloneFlags.Memory | CloneFlags.Vfork) | SigChld, argument, childId);
        return pid == -1 ? -Marshal.GetLastSystemError() : pid;
    }

    /// <summary>
    /// The same with a copy of this process's memory instead of the memory itself, which the kernel asks of who would
    /// enter a time namespace. Only what lies in shared mappings comes back. Only for a process in which no collection
    /// can begin meanwhile: one with a single thread that allocates, the caller.
    /// </summary>
    public int RunWithOwnMemory(delegate* unmanaged<void*, int> entry, void* argument, CloneFlags flags)
    {
        // SAFETY: as above; the child has a copy of the stack.
        var pid = Clone(entry, (void*)Top, (int)(flags | CloneFlags.Vfork) | SigChld, argument, null);
        return pid == -1 ? -Marshal.GetLastSystemError() : pid;
    }

    /// <summary>Ends the calling child at once, running nothing of this process's exit code.</summary>
    public static void Exit(int code) => Syscall.Call(SyscallNumber.ExitGroup, code);

    public void Dispose()
    {
        if (_stack != 0)
        {
            Syscall.Call(SyscallNumber.Munmap, _stack, StackSize);
            _stack = 0;
        }
    }

    [LibraryImport("libc", EntryPoint = "clone")]
    private static partial int Clone(delegate* unmanaged<void*, int> entry, void* stack, int flags, void* argument, int* parentTid);
}
