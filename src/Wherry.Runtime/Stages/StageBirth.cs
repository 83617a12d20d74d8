using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;
using Wherry.Linux.Processes;
using Wherry.Linux.Signals;
using Wherry.Runtime.Programs;

namespace Wherry.Runtime.Stages;

/// <summary>The steps of a birth, for saying which one failed.</summary>
internal enum BirthStep
{
    None,
    Cgroup,
    Join,
    User,
    Namespaces,
    TimeOffsets,
    Clone,
    Descriptors,
    Execute,
}

/// <summary>
/// A container's first process from clone to its second stage. Plain data made ready by the maker, and code that
/// runs in its child: see <see cref="VforkChild"/> for what that may do.
/// </summary>
/// <remarks>
/// Most containers' first process is the clone itself, born into its new namespaces. Where a user namespace is
/// entered, or a pid namespace joined (which only counts for children), the clone goes there first and then makes
/// the first process, as its maker's child rather than its own (CLONE_PARENT), and ends.
/// </remarks>
internal unsafe struct StageBirth
{
    public const int MaxJoins = 8;
    public const int NoDescriptor = -1;

    private const int SetDescriptorFlags = 2;
    private const int CloseRangeCloseOnExec = 4;
    private const int PrSetPdeathsig = 1;
    private const int EmptyPathFlag = 0x1000;

    public int* CgroupFiles;
    public int CgroupCount;

    /// <summary>Namespaces that can't be made by the clone itself.</summary>
    public CloneFlags Unshare;

    public int JoinCount;
    public fixed int JoinDescriptors[MaxJoins];
    public fixed uint JoinKinds[MaxJoins];

    /// <summary>The user namespace to enter, or −1.</summary>
    public int UserNamespace;

    /// <summary>The clone makes the first process rather than being it.</summary>
    public bool IsTwofold;

    /// <summary>The namespace of time that unshare has made; entering it takes memory of one's own.</summary>
    public byte* NewTimeNamespaceFile;

    public byte* TimeOffsetsFile;
    public byte* TimeOffsets;
    public int TimeOffsetsLength;

    public int Executable;
    public int Channel;
    public int ChannelNumber;
    public int Listener;
    public int ListenerNumber;
    public bool DiesWithMaker;
    public int Stdin;
    public int Stdout;
    public int Stderr;

    /// <summary>Further descriptors the stage keeps, at the numbers they have.</summary>
    public int* Kept;
    public int KeptCount;

    public byte** Arguments;
    public byte** Environment;
    public byte* EmptyPath;
    public ulong SignalMask;

    /// <summary>The first process, where the clone has made it.</summary>
    public int Pid;
    public BirthStep FailedStep;
    public int FailedJoin;
    public int Error;

    [UnmanagedCallersOnly]
    public static int Entry(void* argument)
    {
        // SAFETY: the argument is the maker's, which stands still until we have executed or exited.
        ref var birth = ref Unsafe.AsRef<StageBirth>(argument);
        if (!JoinCgroup(ref birth) || !EnterNamespaces(ref birth))
        {
            return 0;
        }

        if (!birth.IsTwofold)
        {
            BecomeStage(ref birth);
            return 0;
        }

        var pid = VforkChild.Run(&SecondEntry, argument, CloneFlags.Parent);
        if (Try(ref birth, BirthStep.Clone, pid))
        {
            birth.Pid = pid;
            VforkChild.Exit(0);
        }

        return 0;
    }

    [UnmanagedCallersOnly]
    private static int SecondEntry(void* argument)
    {
        BecomeStage(ref Unsafe.AsRef<StageBirth>(argument));
        return 0;
    }

    // Here, where this process has but one thread, joining a v1 cgroup takes no lock that waits for all processors.
    private static bool JoinCgroup(ref StageBirth birth)
    {
        var zero = (byte)'0';
        for (var i = 0; i < birth.CgroupCount; i++)
        {
            if (!Try(ref birth, BirthStep.Cgroup, Syscall.Call(SyscallNumber.Write, birth.CgroupFiles[i], (nint)(&zero), 1)))
            {
                return false;
            }
        }

        return true;
    }

    private static bool EnterNamespaces(ref StageBirth birth)
    {
        // With the rights of now; those that take rights over the user namespace's own come after entering it.
        var later = stackalloc bool[MaxJoins];
        for (var i = 0; i < birth.JoinCount; i++)
        {
            var joined = Syscall.Call(SyscallNumber.Setns, birth.JoinDescriptors[i], (nint)birth.JoinKinds[i]);
            later[i] = joined == -Errno.EPERM && birth.UserNamespace != NoDescriptor;
            birth.FailedJoin = i;
            if (!later[i] && !Try(ref birth, BirthStep.Join, joined))
            {
                return false;
            }
        }

        // Opened before the rights are gone, written once the namespace is there: the kernel asks who opened it.
        var offsets = birth.TimeOffsetsLength == 0 ? 0 : OwnProcFile.OpenForWriting(birth.TimeOffsetsFile);
        if (!Try(ref birth, BirthStep.TimeOffsets, offsets) || !EnterUserNamespace(ref birth))
        {
            return false;
        }

        for (var i = 0; i < birth.JoinCount; i++)
        {
            birth.FailedJoin = i;
            if (later[i] && !Try(ref birth, BirthStep.Join, Syscall.Call(SyscallNumber.Setns, birth.JoinDescriptors[i], (nint)birth.JoinKinds[i])))
            {
                return false;
            }
        }

        // A cgroup namespace's root is the cgroup its maker is in, so that one comes after joining.
        return (birth.Unshare == CloneFlags.None || Try(ref birth, BirthStep.Namespaces, Syscall.Call(SyscallNumber.Unshare, (nint)(uint)birth.Unshare)))
            && (birth.TimeOffsetsLength == 0 || Try(ref birth, BirthStep.TimeOffsets, Syscall.Call(SyscallNumber.Write, offsets, (nint)birth.TimeOffsets, birth.TimeOffsetsLength)))
            && EnterNewTimeNamespace(ref birth);
    }

    // unshare(2) makes it for children only. Kernels before 6.3 don't take a process there that executes a program
    // while it shares its memory, so it goes by itself, once the offsets, which then can't change any more, are written.
    private static bool EnterNewTimeNamespace(ref StageBirth birth)
    {
        if ((birth.Unshare & CloneFlags.NewTime) == 0)
        {
            return true;
        }

        var ns = Syscall.Call(SyscallNumber.Openat, FileSyscalls.WorkingDirectory, (nint)birth.NewTimeNamespaceFile, OpenFlags.ReadOnly | OpenFlags.CloseOnExec);
        return Try(ref birth, BirthStep.Namespaces, ns)
            && Try(ref birth, BirthStep.Namespaces, Syscall.Call(SyscallNumber.Setns, ns, (nint)(uint)CloneFlags.NewTime));
    }

    private static bool EnterUserNamespace(ref StageBirth birth) =>
        birth.UserNamespace == NoDescriptor
        || (Try(ref birth, BirthStep.User, Syscall.Call(SyscallNumber.Setns, birth.UserNamespace, (nint)(uint)CloneFlags.NewUser))
            && Try(ref birth, BirthStep.User, Syscall.Call(SyscallNumber.Setresgid))
            && Try(ref birth, BirthStep.User, Syscall.Call(SyscallNumber.Setresuid)));

    private static void BecomeStage(ref StageBirth birth)
    {
        if (!Place(ref birth, birth.Stdin, 0) || !Place(ref birth, birth.Stdout, 1) || !Place(ref birth, birth.Stderr, 2)
            || !Place(ref birth, birth.Channel, birth.ChannelNumber)
            || (birth.Listener != NoDescriptor && !Place(ref birth, birth.Listener, birth.ListenerNumber))
            || !Try(ref birth, BirthStep.Descriptors, Syscall.Call(SyscallNumber.CloseRange, Math.Max(birth.ChannelNumber, birth.ListenerNumber) + 1, int.MaxValue, CloseRangeCloseOnExec)))
        {
            return;
        }

        for (var i = 0; i < birth.KeptCount; i++)
        {
            Syscall.Call(SyscallNumber.Fcntl, birth.Kept[i], SetDescriptorFlags, 0);
        }

        if (birth.DiesWithMaker)
        {
            Syscall.Call(SyscallNumber.Prctl, PrSetPdeathsig, SignalNumber.Kill);
        }

        Syscall.Call(SyscallNumber.Setsid);
        SignalSyscalls.ResetActions();
        SignalSyscalls.SetMask(birth.SignalMask);
        var result = Syscall.Call(SyscallNumber.Execveat, birth.Executable, (nint)birth.EmptyPath, (nint)birth.Arguments, (nint)birth.Environment, EmptyPathFlag);
        Try(ref birth, BirthStep.Execute, result);
    }

    private static bool Place(ref StageBirth birth, int fd, int target) =>
        fd == target || Try(ref birth, BirthStep.Descriptors, Syscall.Call(SyscallNumber.Dup3, fd, target, 0));

    private static bool Try(ref StageBirth birth, BirthStep step, nint result)
    {
        if (result >= 0)
        {
            return true;
        }

        birth.FailedStep = step;
        birth.Error = (int)-result;
        VforkChild.Exit(1);
        return false;
    }
}
