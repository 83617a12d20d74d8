using Wherry.Linux;
using Wherry.Linux.Capabilities;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;
using Wherry.Linux.Signals;

namespace Wherry.Runtime.Programs;

/// <summary>
/// The last steps before a user's program, the same for a container's first process, for the program under
/// <c>--init</c> and for an exec. Nothing but raw system calls on a finished plan, since two of the three run
/// in a vfork child.
/// </summary>
public static unsafe class ProgramEntry
{
    private const int PrSetPdeathsig = 1;
    private const int PrSetNoNewPrivs = 38;
    private const int CloseRangeCloseOnExec = 4;
    private const int TiocSCtty = 0x540e;
    private const int TiocSPgrp = 0x5410;
    private const int PathBuffer = 4096;
    private const int SeccompSetModeFilter = 1;
    private const uint SeccompNewListener = 8;
    private const int SpinsBetweenLooks = 50;
    private const int ExecuteAccess = 1;
    private const int EffectiveAccess = 0x200;
    private const int IoprioWhoProcess = 1;

    /// <summary>Turns the calling thread into the user's program. Returns only if that fails, with the step and errno in the plan.</summary>
    public static void Run(ref ProgramPlan plan)
    {
        if (TakeStreams(ref plan)
            && TakeAttributes(ref plan)
            && ShedPrivileges(ref plan, plan.UntilExecution)
            && Try(ref plan, ProgramStep.Execute, Syscall.Call(SyscallNumber.CloseRange, 3 + plan.PreservedDescriptors, int.MaxValue, CloseRangeCloseOnExec)))
        {
            SignalSyscalls.ResetActions();
            SignalSyscalls.SetMask(0);
            if (InstallFilter(ref plan))
            {
                Execute(ref plan);
            }
        }
    }

    /// <summary>Everything from resource limits to capabilities; what PID 1 under <c>--init</c> does to itself too.</summary>
    /// <param name="plan">What is kept.</param>
    /// <param name="besides">Capabilities kept all the same.</param>
    public static bool ShedPrivileges(ref ProgramPlan plan, ulong besides = 0)
    {
        if (!TakeLimits(ref plan))
        {
            return false;
        }

        // The directory as root first, as a user may not be allowed to search the way to it; then as the user,
        // since a root may be allowed less (NFS).
        var entered = Syscall.Call(SyscallNumber.Chdir, (nint)plan.WorkingDirectory);
        if (!Try(ref plan, ProgramStep.Bounding, CapabilitySyscalls.TryLimitBounding(plan.Capabilities.Bounding))
            || !Try(ref plan, ProgramStep.Capabilities, CapabilitySyscalls.TryKeepOverUserChange(keep: true))
            || !Try(ref plan, ProgramStep.Groups, plan.KeepGroups ? 0 : Syscall.Call(SyscallNumber.Setgroups, plan.GroupCount, (nint)plan.Groups))
            || !Try(ref plan, ProgramStep.User, Syscall.Call(SyscallNumber.Setresgid, (nint)plan.Gid, (nint)plan.Gid, (nint)plan.Gid))
            || !Try(ref plan, ProgramStep.User, Syscall.Call(SyscallNumber.Setresuid, (nint)plan.Uid, (nint)plan.Uid, (nint)plan.Uid)))
        {
            return false;
        }

        if (entered < 0 && !Try(ref plan, ProgramStep.WorkingDirectory, Syscall.Call(SyscallNumber.Chdir, (nint)plan.WorkingDirectory)))
        {
            return false;
        }

        if (!IsInsideRoot(ref plan)
            || !Try(ref plan, ProgramStep.Capabilities, CapabilitySyscalls.TryApply(plan.Capabilities.With(besides)))
            || !Try(ref plan, ProgramStep.Capabilities, CapabilitySyscalls.TryKeepOverUserChange(keep: false)))
        {
            return false;
        }

        if (plan.NoNewPrivileges && !Try(ref plan, ProgramStep.NoNewPrivileges, Syscall.Call(SyscallNumber.Prctl, PrSetNoNewPrivs, 1)))
        {
            return false;
        }

        if (plan.Umask >= 0)
        {
            Syscall.Call(SyscallNumber.Umask, plan.Umask);
        }

        if (!plan.OutlivesMaker)
        {
            // Credentials changed, so the kernel has forgotten it.
            Syscall.Call(SyscallNumber.Prctl, PrSetPdeathsig, SignalNumber.Kill);
        }

        return true;
    }

    /// <summary>Sets the resource limits of the calling process.</summary>
    public static bool TakeLimits(ref ProgramPlan plan)
    {
        var values = stackalloc ulong[2];
        for (var i = 0; i < plan.LimitCount; i++)
        {
            values[0] = plan.Limits[i].Soft;
            values[1] = plan.Limits[i].Hard;
            if (!Try(ref plan, ProgramStep.Limits, Syscall.Call(SyscallNumber.Prlimit64, 0, plan.Limits[i].Resource, (nint)values)))
            {
                return false;
            }
        }

        return true;
    }

    private static bool TakeStreams(ref ProgramPlan plan)
    {
        if (!Place(ref plan, plan.Stdin, 0) || !Place(ref plan, plan.Stdout, 1) || !Place(ref plan, plan.Stderr, 2))
        {
            return false;
        }

        if (plan.NewSession)
        {
            Syscall.Call(SyscallNumber.Setsid);
        }

        if (plan.Terminal && plan.NewSession && !Try(ref plan, ProgramStep.Terminal, Syscall.Call(SyscallNumber.Ioctl, 0, TiocSCtty, 0)))
        {
            return false;
        }

        if (plan.OwnGroup)
        {
            // SIGTTOU is blocked here (as all signals are in a stage), or taking the foreground would stop us.
            Syscall.Call(SyscallNumber.Setpgid);
            var group = (int)Syscall.Call(SyscallNumber.Getpid);
            if (plan.Terminal)
            {
                Syscall.Call(SyscallNumber.Ioctl, 0, TiocSPgrp, (nint)(&group));
            }
        }

        return true;
    }

    // While there are still the rights for it.
    private static bool TakeAttributes(ref ProgramPlan plan)
    {
        var how = stackalloc ulong[] { OpenFlags.WriteOnly | OpenFlags.CloseOnExec, 0, (ulong)(ResolveFlags.Beneath | ResolveFlags.NoCrossMount) };
        for (var i = 0; i < plan.LabelCount; i++)
        {
            var file = Syscall.Call(SyscallNumber.Openat2, plan.ProcDirectory, (nint)plan.Labels[i].File, (nint)how, 24);
            if (!Try(ref plan, ProgramStep.Label, file)
                || !Try(ref plan, ProgramStep.Label, Syscall.Call(SyscallNumber.Write, file, (nint)plan.Labels[i].Text, plan.Labels[i].Length)))
            {
                return false;
            }

            Syscall.Call(SyscallNumber.Close, file);
        }

        return (plan.Scheduler is null || Try(ref plan, ProgramStep.Scheduler, Syscall.Call(SyscallNumber.SchedSetattr, 0, (nint)plan.Scheduler, 0)))
            && (!plan.HasIoPriority || Try(ref plan, ProgramStep.IoPriority, Syscall.Call(SyscallNumber.IoprioSet, IoprioWhoProcess, 0, plan.IoPriority)))
            && (!plan.HasMemoryPolicy || Try(ref plan, ProgramStep.MemoryPolicy, Syscall.Call(SyscallNumber.SetMempolicy, plan.MemoryMode, (nint)plan.MemoryNodes, plan.MemoryNodeBits)))
            && (!plan.HasPersonality || Try(ref plan, ProgramStep.Personality, Syscall.Call(SyscallNumber.Personality, (nint)plan.Personality)));
    }

    // A directory outside the root (through a leaked descriptor, say) would be a way out of it (CVE-2024-21626).
    private static bool IsInsideRoot(ref ProgramPlan plan)
    {
        var buffer = stackalloc byte[PathBuffer];
        var length = Syscall.Call(SyscallNumber.Getcwd, (nint)buffer, PathBuffer);
        if (length < 0)
        {
            return Try(ref plan, ProgramStep.WorkingDirectory, length);
        }

        return buffer[0] == (byte)'/' || Try(ref plan, ProgramStep.WorkingDirectoryOutside, -Errno.EPERM);
    }

    /// <summary>
    /// From here on only execve must be allowed. The kernel is asked beforehand whether there is anything to
    /// execute: afterwards, the filter may not let us say that there was not.
    /// </summary>
    private static bool InstallFilter(ref ProgramPlan plan)
    {
        if (plan.Filter is null)
        {
            return true;
        }

        if (!IsExecutable(ref plan))
        {
            return false;
        }

        var result = Syscall.Call(SyscallNumber.Seccomp, SeccompSetModeFilter, (nint)plan.FilterFlags, (nint)plan.Filter);
        if (!Try(ref plan, ProgramStep.Filter, result))
        {
            return false;
        }

        return (plan.FilterFlags & SeccompNewListener) == 0 || HandOverListener(ref plan, (int)result);
    }

    // Whoever takes it is another thread or process, and sees it in this memory. No system call is made meanwhile: it could wait for the very listener.
    private static bool HandOverListener(ref ProgramPlan plan, int listener)
    {
        Volatile.Write(ref plan.Listener, listener);
        int taken;
        while ((taken = Volatile.Read(ref plan.ListenerTaken)) == 0)
        {
            Thread.SpinWait(SpinsBetweenLooks);
        }

        return Try(ref plan, ProgramStep.Listener, taken < 0 ? taken : 0);
    }

    private static bool IsExecutable(ref ProgramPlan plan)
    {
        var denied = false;
        for (var candidate = plan.Candidates; *candidate is not null; candidate++)
        {
            var result = Syscall.Call(SyscallNumber.Faccessat2, Linux.Files.FileSyscalls.WorkingDirectory, (nint)(*candidate), ExecuteAccess, EffectiveAccess);
            if (result >= 0)
            {
                return true;
            }

            denied |= result == -Errno.EACCES;
        }

        return Try(ref plan, ProgramStep.Execute, denied ? -Errno.EACCES : -Errno.ENOENT);
    }

    private static void Execute(ref ProgramPlan plan)
    {
        var denied = false;
        nint result = -Errno.ENOENT;
        for (var candidate = plan.Candidates; *candidate is not null; candidate++)
        {
            result = Syscall.Call(SyscallNumber.Execve, (nint)(*candidate), (nint)plan.Arguments, (nint)plan.Environment);
            denied |= result == -Errno.EACCES;
            if (result is not (-Errno.ENOENT or -Errno.ENOTDIR or -Errno.EACCES))
            {
                break;
            }
        }

        var absent = result is -Errno.ENOENT or -Errno.ENOTDIR;
        Try(ref plan, ProgramStep.Execute, absent && denied ? -Errno.EACCES : result);
    }

    private static bool Place(ref ProgramPlan plan, int fd, int target) =>
        fd < 0 || fd == target || Try(ref plan, ProgramStep.Streams, Syscall.Call(SyscallNumber.Dup3, fd, target, 0));

    private static bool Try(ref ProgramPlan plan, ProgramStep step, nint result)
    {
        if (result >= 0)
        {
            return true;
        }

        plan.FailedStep = step;
        plan.Error = (int)-result;
        return false;
    }
}
