using Wherry.Linux.Kernel;

namespace Wherry.Linux.Signals;

/// <summary>Signal masks and waiting for signals, as sets of 64 bits (bit n−1 is signal n).</summary>
public static unsafe class SignalSyscalls
{
    private const int SigSetMask = 2;
    private const int SetSize = 8;
    private const int CloseOnExecNonBlocking = 0x80000 | 0x800;

    /// <summary>
    /// What a process that handles its signals in order (by waiting for them) blocks: all but those that report
    /// a fault of the program itself, those no one can block, and the real-time ones runtimes use among their threads.
    /// </summary>
    public static ulong Deliverable { get; } = 0x7fffffff & ~(Bit(4) | Bit(5) | Bit(6) | Bit(7) | Bit(8) | Bit(11) | Bit(SignalNumber.Kill) | Bit(SignalNumber.Stop) | Bit(31));

    public static ulong Bit(int signal) => 1UL << (signal - 1);

    /// <summary>Sets the calling thread's mask and returns the one before.</summary>
    public static ulong SetMask(ulong mask)
    {
        ulong before;

        // SAFETY: both sets live on our stack for the time of the call.
        Syscall.Call(SyscallNumber.RtSigprocmask, SigSetMask, (nint)(&mask), (nint)(&before), SetSize);
        return before;
    }

    /// <summary>A descriptor from which the blocked signals of the set are read, 128 bytes each (signalfd(2)).</summary>
    public static FileDescriptor OpenSignalDescriptor(ulong signals) =>
        new((int)Syscall.Check(Syscall.Call(SyscallNumber.Signalfd4, -1, (nint)(&signals), SetSize, CloseOnExecNonBlocking), "open a signal descriptor"));

    /// <summary>Waits until one of the blocked signals of the set arrives.</summary>
    public static int Wait(ulong signals) =>
        (int)Syscall.Check(Syscall.Retry(SyscallNumber.RtSigtimedwait, (nint)(&signals), 0, 0, SetSize), "wait for a signal");

    /// <summary>Gives every signal its default action again; for a child about to execute a program, which would inherit ignored ones.</summary>
    public static void ResetActions()
    {
        // SAFETY: an all-zero struct sigaction (handler SIG_DFL) is 32 bytes long.
        var action = stackalloc ulong[4];
        action[0] = action[1] = action[2] = action[3] = 0;
        for (var signal = 1; signal <= SignalNumber.Last; signal++)
        {
            Syscall.Call(SyscallNumber.RtSigaction, signal, (nint)action, 0, SetSize);
        }
    }
}
