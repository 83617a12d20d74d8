using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Wherry.Linux;
using Wherry.Linux.Cgroups;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;
using Wherry.Linux.Processes;
using Wherry.Linux.Signals;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Contracts.Protocol;
using Wherry.Runtime.Identity;
using Wherry.Runtime.Seccomp;

namespace Wherry.Runtime.Programs;

/// <summary>
/// Runs a further program in a running container, without a second stage: a vfork child joins the container's
/// cgroup and namespaces, and from there makes another child, which is in its pid namespace too, becomes the
/// program, and is this process's own child (CLONE_PARENT).
/// </summary>
/// <param name="pid">The container's first process, an unreaped child of this process, so the id is its own.</param>
/// <param name="namespaces">The kinds to join.</param>
public sealed unsafe class ExecLauncher(int pid, CloneFlags namespaces)
{
    private enum JoinStep
    {
        None,
        Affinity,
        Cgroup,
        OomScore,
        Namespaces,
        Clone,
    }

    /// <summary>The first process by descriptor, where it is no child of this process and its id could become a stranger's; not owned.</summary>
    public FileDescriptor? Target { get; init; }

    /// <summary>Programs live on when this process ends.</summary>
    public bool ProgramsOutliveMaker { get; init; }

    /// <summary>How many of this process's descriptors, from 3 on, programs inherit.</summary>
    public int PreservedDescriptors { get; init; }

    /// <summary>
    /// Where the container's own cgroup takes no processes, since programs inside have handed controllers down it
    /// (cgroups(7), "no internal processes"), programs go where the first process is.
    /// </summary>
    public bool FollowsFirstProcess { get; init; } = true;

    /// <summary>The container's root, as this moment's first process has it.</summary>
    public RootDirectory OpenRoot() => RootDirectory.Open($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/root");

    /// <summary>Runs the program; returns when it is executed.</summary>
    /// <param name="order">What to run.</param>
    /// <param name="cgroup">The container's.</param>
    /// <param name="root">From <see cref="OpenRoot"/>.</param>
    /// <param name="stdin">Descriptor 0; the next two likewise.</param>
    /// <param name="stdout">Descriptor 1.</param>
    /// <param name="stderr">Descriptor 2.</param>
    /// <param name="rules">The container's system call rules; null for none.</param>
    /// <returns>Its process id, a child of this process.</returns>
    /// <exception cref="SandboxStartException">It could not be run.</exception>
    public int Start(ExecOrder order, CgroupDirectories cgroup, RootDirectory root, FileDescriptor stdin, FileDescriptor stdout, FileDescriptor stderr, ContainerRules? rules = null)
    {
        var process = order.Request.Process;
        var user = UserLookup.Resolve(root, order.Request.User, process.User, []);
        using var program = new PreparedProgram(process, user, HostGrant.For(process, [], [], namespaces.HasFlag(CloneFlags.NewUser)), rules?.Filter);
        program.Plan.Stdin = stdin.Number;
        program.Plan.Stdout = stdout.Number;
        program.Plan.Stderr = stderr.Number;
        program.Plan.NewSession = true;
        program.Plan.OutlivesMaker = ProgramsOutliveMaker;
        program.Plan.PreservedDescriptors = PreservedDescriptors;
        if (OwnerOnHost(user.Uid) is var owner and not 0)
        {
            GiveStreams(owner, stdin, stdout, stderr);
        }

        using var hostProc = FileSyscalls.Open("/proc", OpenFlags.PathOnly | OpenFlags.Directory);
        program.Use(ProgramAttributes.Of(process, linux: null), hostProc.Number);
        program.Plan.KeepGroups = (UserNamespace.IsInside || namespaces.HasFlag(CloneFlags.NewUser)) && GroupsAreFixed();
        using var affinity = new NativeAffinity(process.ExecCpuAffinity);
        using var time = namespaces.HasFlag(CloneFlags.NewTime) ? FileSyscalls.Open($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/ns/time", OpenFlags.ReadOnly) : null;
        using var agent = rules is { Filter.NeedsListener: true } ? ListenerHandover.Connect(rules.Config) : null;
        using var handover = agent is null ? null : new ListenerHandover(agent, rules!.Config, rules.OwnerFor(pid), program, isOtherProcess: true);
        using var opened = Target is null ? ProcessSyscalls.OpenPidfd(pid) : null;
        using var oomScoreFile = new NativeText("/proc/self/oom_score_adj");
        using var oomScore = new NativeText(process.OomScoreAdj?.ToString(CultureInfo.InvariantCulture));
        var joins = cgroup.OpenForJoining();
        try
        {
            var numbers = stackalloc int[joins.Count];
            for (var i = 0; i < joins.Count; i++)
            {
                numbers[i] = joins[i].Number;
            }

            var zero = stackalloc byte[] { (byte)'0' };
            using var memory = new SharedMemory();
            ref var join = ref memory.As<Join>();
            join = new Join
            {
                CgroupFiles = numbers,
                CgroupCount = joins.Count,
                Zero = zero,
                InitialAffinity = affinity.Initial,
                FinalAffinity = affinity.Final,
                AffinitySize = affinity.Size,
                OomScoreFile = (byte*)oomScoreFile.Address,
                OomScore = (byte*)oomScore.Address,
                OomScoreLength = process.OomScoreAdj is null ? 0 : Encoding.ASCII.GetByteCount(process.OomScoreAdj.Value.ToString(CultureInfo.InvariantCulture)),
                Target = (Target ?? opened!).Number,
                TimeNamespace = time?.Number ?? -1,
                Namespaces = namespaces & ~CloneFlags.NewTime,
                ProgramEntry = &ProgramChild,
                Plan = program.Address,
                SignalMask = SignalSyscalls.Deliverable,
            };
            if (!Enter(ref join) && FollowsFirstProcess && join.Error == Errno.EBUSY && cgroup.FindBelow(pid) is { } below)
            {
                // The v2 tree's is the last.
                joins.Add(FileSyscalls.Open(below + "/cgroup.procs", OpenFlags.WriteOnly));
                numbers[join.CgroupCount - 1] = joins[^1].Number;
                (join.FailedStep, join.Error) = (JoinStep.None, 0);
                Enter(ref join);
            }

            return Result(in join, program, cgroup);
        }
        finally
        {
            foreach (var file in joins)
            {
                file.Dispose();
            }
        }
    }

    // False where the cgroup could not be joined, and nothing has happened.
    private bool Enter(ref Join join)
    {
        // Who joins a time namespace may not share its memory with anyone.
        var joiner = join.TimeNamespace >= 0
            ? VforkChild.RunWithOwnMemory(&JoinerChild, Unsafe.AsPointer(ref join), CloneFlags.None)
            : VforkChild.Run(&JoinerChild, Unsafe.AsPointer(ref join), CloneFlags.None);
        if (joiner < 0)
        {
            throw new LinuxException("make a process to enter the container", -joiner);
        }

        ProcessSyscalls.Wait(joiner, block: true);
        return join.FailedStep != JoinStep.Cgroup;
    }

    private static int Result(in Join join, PreparedProgram program, CgroupDirectories cgroup)
    {
        if (join.Pid == 0 && program.Plan.FailedStep != ProgramStep.None)
        {
            throw program.Failure();
        }

        if (join.FailedStep == JoinStep.Cgroup && join.Error == Errno.EBUSY)
        {
            throw new SandboxStartException($"adding pid of the program to cgroups: {cgroup.Unified}/cgroup.procs: device or resource busy, as controllers are handed down from there", 128);
        }

        if (join.FailedStep != JoinStep.None)
        {
            throw new SandboxStartException($"enter the container ({join.FailedStep}): {Errno.Describe(join.Error)}", 128);
        }

        if (program.Plan.FailedStep != ProgramStep.None)
        {
            ProcessSyscalls.Wait(join.Pid, block: true);
            throw program.Failure();
        }

        return join.Pid;
    }

    private bool GroupsAreFixed() =>
        FileSyscalls.TryReadText($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/setgroups")?.StartsWith("deny", StringComparison.Ordinal) is true;

    // Out here the streams' owner is who the user is out here.
    private uint OwnerOnHost(uint uid) => namespaces.HasFlag(CloneFlags.NewUser)
        ? IdRange.ToOutside(IdRange.Read($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/uid_map"), uid) ?? uid
        : uid;

    private static void GiveStreams(uint uid, FileDescriptor stdin, FileDescriptor stdout, FileDescriptor stderr)
    {
        foreach (var stream in (ReadOnlySpan<FileDescriptor>)[stdin, stdout, stderr])
        {
            Stages.StreamOwner.TryGive(stream, uid);
        }
    }

    // Both run in children: see VforkChild for what they may do.
    [UnmanagedCallersOnly]
    private static int JoinerChild(void* argument)
    {
        // SAFETY: the argument is the parent's Join, which stands still until we have exited.
        ref var join = ref Unsafe.AsRef<Join>(argument);
        SignalSyscalls.SetMask(join.SignalMask);
        if (join.InitialAffinity is not null
            && !Try(ref join, JoinStep.Affinity, Syscall.Call(SyscallNumber.SchedSetaffinity, 0, join.AffinitySize, (nint)join.InitialAffinity)))
        {
            return 0;
        }

        for (var i = 0; i < join.CgroupCount; i++)
        {
            if (!Try(ref join, JoinStep.Cgroup, Syscall.Call(SyscallNumber.Write, join.CgroupFiles[i], (nint)join.Zero, 1)))
            {
                return 0;
            }
        }

        if (join.OomScoreLength > 0)
        {
            SetOomScore(ref join);
        }

        if (join.FinalAffinity is not null
            && !Try(ref join, JoinStep.Affinity, Syscall.Call(SyscallNumber.SchedSetaffinity, 0, join.AffinitySize, (nint)join.FinalAffinity)))
        {
            return 0;
        }

        // In a user namespace nobody may raise a limit; here one still may.
        if (join.Namespaces.HasFlag(CloneFlags.NewUser) && !ProgramEntry.TakeLimits(ref *join.Plan))
        {
            VforkChild.Exit(1);
        }

        // An ordinary user has the right to the time namespace only once he is in the user namespace that owns it.
        var time = join.TimeNamespace >= 0 ? Syscall.Call(SyscallNumber.Setns, join.TimeNamespace, (nint)(uint)CloneFlags.NewTime) : 0;
        var isLater = time == -Errno.EPERM && join.Namespaces.HasFlag(CloneFlags.NewUser);
        if ((!isLater && !Try(ref join, JoinStep.Namespaces, time))
            || !Try(ref join, JoinStep.Namespaces, Syscall.Call(SyscallNumber.Setns, join.Target, (nint)(uint)join.Namespaces))
            || (isLater && !Try(ref join, JoinStep.Namespaces, Syscall.Call(SyscallNumber.Setns, join.TimeNamespace, (nint)(uint)CloneFlags.NewTime))))
        {
            return 0;
        }

        var pid = VforkChild.Run(join.ProgramEntry, join.Plan, CloneFlags.Parent, &join.Plan->ProcessId);
        if (Try(ref join, JoinStep.Clone, pid))
        {
            join.Pid = pid;
            VforkChild.Exit(0);
        }

        return 0;
    }

    // Lowering it may be refused on this host; the container's own start has warned of that.
    private static void SetOomScore(ref Join join)
    {
        var file = OwnProcFile.OpenForWriting(join.OomScoreFile);
        if (file >= 0)
        {
            Syscall.Call(SyscallNumber.Write, file, (nint)join.OomScore, join.OomScoreLength);
        }
    }

    [UnmanagedCallersOnly]
    private static int ProgramChild(void* plan)
    {
        ProgramEntry.Run(ref Unsafe.AsRef<ProgramPlan>(plan));
        VforkChild.Exit(1);
        return 0;
    }

    private static bool Try(ref Join join, JoinStep step, nint result)
    {
        if (result >= 0)
        {
            return true;
        }

        join.FailedStep = step;
        join.Error = (int)-result;
        VforkChild.Exit(1);
        return false;
    }

    private struct Join
    {
        public int* CgroupFiles;
        public int CgroupCount;
        public byte* Zero;
        public byte* OomScoreFile;
        public byte* OomScore;
        public int OomScoreLength;
        public ulong* InitialAffinity;
        public ulong* FinalAffinity;
        public int AffinitySize;
        public int Target;
        public int TimeNamespace;
        public CloneFlags Namespaces;
        public delegate* unmanaged<void*, int> ProgramEntry;
        public ProgramPlan* Plan;
        public ulong SignalMask;
        public int Pid;
        public JoinStep FailedStep;
        public int Error;
    }
}
