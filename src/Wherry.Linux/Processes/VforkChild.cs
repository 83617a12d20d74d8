using System.Runtime.CompilerServices;
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
public static unsafe partial class VforkChild
{
    private const int SigChld = 17;

    // More than the C library's clone, and what a signal may call in the midst of it, need of the caller's stack; less
    // than the 64 KiB below the stack pointer at which kernels before Linux 5.0 refuse a main thread's stack to grow.
    private const int Distance = 32 * 1024;

    /// <summary>
    /// Runs <paramref name="entry"/> in a new child and returns once it has executed a program or exited. A child may
    /// make a child of its own.
    /// </summary>
    /// <param name="entry">The child's code.</param>
    /// <param name="argument">Passed to it; shared memory, so results come back through it too.</param>
    /// <param name="flags">Namespaces to make, <see cref="CloneFlags.Parent"/>.</param>
    /// <param name="childId">Where the child's id is written before it runs; null for nowhere.</param>
    /// <returns>The child's process id, or minus errno.</returns>
    public static int Run(delegate* unmanaged<void*, int> entry, void* argument, CloneFlags flags, int* childId = null)
    {
        flags |= childId is null ? CloneFlags.None : CloneFlags.ParentSetTid;
        return Make(entry, argument, flags | CloneFlags.Memory | CloneFlags.Vfork, childId);
    }

    /// <summary>
    /// The same with a copy of this process's memory instead of the memory itself, which the kernel asks of who would
    /// enter a time namespace. Only what lies in shared mappings comes back. Only for a process in which no collection
    /// can begin meanwhile: one with a single thread that allocates, the caller.
    /// </summary>
    public static int RunWithOwnMemory(delegate* unmanaged<void*, int> entry, void* argument, CloneFlags flags) =>
        Make(entry, argument, flags | CloneFlags.Vfork, null);

    /// <summary>
    /// Starts a copy of this process with memory of its own and does not wait for it. Nothing managed can run in it: its
    /// code has to be a library's, and ends with it.
    /// </summary>
    public static int StartCopy(delegate* unmanaged<void*, int> entry, void* argument, CloneFlags flags) =>
        Make(entry, argument, flags, null);

    /// <summary>Ends the calling child at once, running nothing of this process's exit code.</summary>
    public static void Exit(int code) => Syscall.Call(SyscallNumber.ExitGroup, code);

    // The child's stack is what the caller's thread has not used of its own. It must lie below the caller's frames: a
    // collection walks the child's frames and then the caller's as those of one thread, and the runtime takes a frame
    // at a lower address for one that it has passed already. On a stack of its own, mapped above the thread's by
    // chance, the child would hide its caller's references, and a collection during its life leave them dangling.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Make(delegate* unmanaged<void*, int> entry, void* argument, CloneFlags flags, int* childId)
    {
        byte here = 0;
        var stack = ((nint)(&here) & ~15) - Distance;

        // SAFETY: nothing below this frame is in use while this thread stands still, which it does until the child has
        // left our memory (CLONE_VFORK), or the child has a copy of it. Threads have stacks many times as large.
        var pid = Clone(entry, (void*)stack, (int)flags | SigChld, argument, childId);
        return pid == -1 ? -Marshal.GetLastSystemError() : pid;
    }

    [LibraryImport("libc", EntryPoint = "clone")]
    private static partial int Clone(delegate* unmanaged<void*, int> entry, void* stack, int flags, void* argument, int* parentTid);
}
