using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;
using Wherry.Linux.Processes;
using Wherry.Linux.Signals;
using Wherry.Linux.Sockets;
using Wherry.Runtime.Contracts.Protocol;

namespace Wherry.Runtime.Stages;

/// <summary>The supervisor's side of a stage's birth: this program executed once more, as the first process of new namespaces.</summary>
public static unsafe class StageLauncher
{
    private const int MaxJoins = 8;

    private const int NoDescriptor = -1;

    // Sources lie above all targets, so that filling one target destroys no other's source.
    private const int FirstFreeNumber = 16;
    private const int CloseRangeCloseOnExec = 4;
    private const int PrSetPdeathsig = 1;
    private const int EmptyPath = 0x1000;

    private enum Step
    {
        None,
        Cgroup,
        Join,
        Descriptors,
        Execute,
    }

    /// <summary>Makes the process. It waits for <see cref="MessageKind.StageGo"/> before it runs the program.</summary>
    /// <param name="request">What it is made of.</param>
    /// <param name="channel">The supervisor's end of the channel; the caller owns it.</param>
    /// <returns>The process id, a child of this process.</returns>
    /// <exception cref="WherryException">A namespace can't be made or joined.</exception>
    public static int Launch(StageRequest request, out FileDescriptor channel)
    {
        var channelNumber = StageArguments.FirstPreserved + request.PreservedDescriptors;
        var listenerNumber = request.Listener is null ? NoDescriptor : channelNumber + 1;
        var firstFree = Math.Max(FirstFreeNumber, channelNumber + 2);
        var joined = new List<FileDescriptor>();
        var cgroupFiles = request.Cgroup.OpenForJoining();
        var (ours, theirs) = UnixSockets.MessagePair();
        try
        {
            using var arguments = new NativeStrings(["wherry-init", StageArguments.Flag, .. StageArguments.For(channelNumber, listenerNumber)]);
            using var environment = new NativeStrings([]);
            using var empty = new NativeText("");
            var executable = OwnExecutable.Open();
            using var parkedExecutable = executable.Number < firstFree ? FileSyscalls.Duplicate(executable, firstFree) : null;
            using var child = new VforkChild();

            var birth = new Birth
            {
                Executable = parkedExecutable?.Number ?? executable.Number,
                Arguments = arguments.Address,
                Environment = environment.Address,
                EmptyPath = (byte*)empty.Address,
                SignalMask = SignalSyscalls.Deliverable,
            };
            using var parkedIn = FileSyscalls.Duplicate(request.Stdin, firstFree);
            using var parkedOut = FileSyscalls.Duplicate(request.Stdout, firstFree);
            using var parkedErr = FileSyscalls.Duplicate(request.Stderr, firstFree);
            using var parkedChannel = FileSyscalls.Duplicate(theirs, firstFree);
            using var parkedListener = request.Listener is null ? null : FileSyscalls.Duplicate(request.Listener, firstFree);
            (birth.Stdin, birth.Stdout, birth.Stderr, birth.Channel) = (parkedIn.Number, parkedOut.Number, parkedErr.Number, parkedChannel.Number);
            (birth.Listener, birth.ChannelNumber, birth.ListenerNumber) = (parkedListener?.Number ?? NoDescriptor, channelNumber, listenerNumber);
            birth.DiesWithMaker = !request.OutlivesMaker;
            var flags = CloneFlags.None;
            foreach (var ns in request.Namespaces)
            {
                var kind = NamespaceKinds.FlagOf(ns.Type);
                if (ns.Path is null)
                {
                    // A cgroup namespace's root is the cgroup its maker is in, so that one comes after joining.
                    flags |= kind & ~CloneFlags.NewCgroup;
                    birth.NewCgroupNamespace |= kind == CloneFlags.NewCgroup;
                    continue;
                }

                NamespaceKinds.RequireJoinable(ns.Type);
                var descriptor = FileSyscalls.Open(ns.Path, OpenFlags.ReadOnly);
                joined.Add(descriptor);
                birth.JoinDescriptors[birth.JoinCount] = descriptor.Number;
                birth.JoinKinds[birth.JoinCount] = (uint)kind;
                if (++birth.JoinCount == MaxJoins)
                {
                    throw WherryException.Invalid("more namespaces to join than there are kinds");
                }
            }

            var cgroupNumbers = stackalloc int[cgroupFiles.Count];
            for (var i = 0; i < cgroupFiles.Count; i++)
            {
                cgroupNumbers[i] = cgroupFiles[i].Number;
            }

            birth.CgroupFiles = cgroupNumbers;
            birth.CgroupCount = cgroupFiles.Count;
            SendOrder(ours, request);
            var pid = child.Run(&BirthEntry, &birth, flags);
            if (pid < 0)
            {
                throw new LinuxException($"make a process in new namespaces ({flags})", -pid);
            }

            if (birth.FailedStep != Step.None)
            {
                ProcessSyscalls.Wait(pid, block: true);
                throw new LinuxException(Describe(birth.FailedStep), birth.Error);
            }

            channel = ours;
            return pid;
        }
        catch
        {
            ours.Dispose();
            throw;
        }
        finally
        {
            theirs.Dispose();
            foreach (var descriptor in joined.Concat(cgroupFiles))
            {
                descriptor.Dispose();
            }
        }
    }

    private static void SendOrder(FileDescriptor socket, StageRequest request)
    {
        var writer = new WireWriter(MessageKind.StageOrder, 0);
        (request.Order with { Bundle = request.Bundle, CgroupsPath = request.CgroupsPath, OutlivesMaker = request.OutlivesMaker }).WriteTo(writer);
        UnixSockets.SendMessage(socket, writer.Finish().Span);
    }

    private static string Describe(Step step) => step switch
    {
        Step.Cgroup => "join the container's cgroup",
        Step.Join => "join a namespace",
        Step.Descriptors => "hand over descriptors",
        _ => "execute the runtime's second stage",
    };

    // Runs in the child: see VforkChild for what it may do.
    [UnmanagedCallersOnly]
    private static int BirthEntry(void* argument)
    {
        // SAFETY: the argument is the parent's Birth, which stands still until we have executed or exited.
        ref var birth = ref Unsafe.AsRef<Birth>(argument);
        // Here, where this process has but one thread, joining a v1 cgroup takes no lock that waits for all processors.
        var zero = (byte)'0';
        for (var i = 0; i < birth.CgroupCount; i++)
        {
            if (!Try(ref birth, Step.Cgroup, Syscall.Call(SyscallNumber.Write, birth.CgroupFiles[i], (nint)(&zero), 1)))
            {
                return 0;
            }
        }

        if (birth.NewCgroupNamespace && !Try(ref birth, Step.Join, Syscall.Call(SyscallNumber.Unshare, (nint)(uint)CloneFlags.NewCgroup)))
        {
            return 0;
        }

        for (var i = 0; i < birth.JoinCount; i++)
        {
            if (!Try(ref birth, Step.Join, Syscall.Call(SyscallNumber.Setns, birth.JoinDescriptors[i], (nint)birth.JoinKinds[i])))
            {
                return 0;
            }
        }

        if (!Place(ref birth, birth.Stdin, 0) || !Place(ref birth, birth.Stdout, 1) || !Place(ref birth, birth.Stderr, 2)
            || !Place(ref birth, birth.Channel, birth.ChannelNumber)
            || (birth.Listener != NoDescriptor && !Place(ref birth, birth.Listener, birth.ListenerNumber))
            || !Try(ref birth, Step.Descriptors, Syscall.Call(SyscallNumber.CloseRange, Math.Max(birth.ChannelNumber, birth.ListenerNumber) + 1, int.MaxValue, CloseRangeCloseOnExec)))
        {
            return 0;
        }

        if (birth.DiesWithMaker)
        {
            Syscall.Call(SyscallNumber.Prctl, PrSetPdeathsig, SignalNumber.Kill);
        }

        Syscall.Call(SyscallNumber.Setsid);
        SignalSyscalls.ResetActions();
        SignalSyscalls.SetMask(birth.SignalMask);
        var result = Syscall.Call(SyscallNumber.Execveat, birth.Executable, (nint)birth.EmptyPath, (nint)birth.Arguments, (nint)birth.Environment, EmptyPath);
        Try(ref birth, Step.Execute, result);
        return 0;
    }

    private static bool Place(ref Birth birth, int fd, int target) =>
        fd == target || Try(ref birth, Step.Descriptors, Syscall.Call(SyscallNumber.Dup3, fd, target, 0));

    private static bool Try(ref Birth birth, Step step, nint result)
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

    private struct Birth
    {
        public int* CgroupFiles;
        public int CgroupCount;
        public bool NewCgroupNamespace;
        public int Executable;
        public int Channel;
        public int ChannelNumber;
        public int Listener;
        public int ListenerNumber;
        public bool DiesWithMaker;
        public int Stdin;
        public int Stdout;
        public int Stderr;
        public int JoinCount;
        public fixed int JoinDescriptors[MaxJoins];
        public fixed uint JoinKinds[MaxJoins];
        public byte** Arguments;
        public byte** Environment;
        public byte* EmptyPath;
        public ulong SignalMask;
        public Step FailedStep;
        public int Error;
    }
}
