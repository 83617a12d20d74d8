using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Cgroups;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;
using Wherry.Linux.Processes;
using Wherry.Linux.Signals;
using Wherry.Linux.Sockets;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts.Protocol;

namespace Wherry.Runtime.Stages;

/// <summary>The supervisor's side of a stage's birth: this program executed once more, as the first process of new namespaces.</summary>
public static unsafe class StageLauncher
{
    private const int MaxJoins = 8;

    // Sources lie above the targets 0 to 3, so that filling one target destroys no other's source.
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
    /// <param name="bundle">The bundle's directory.</param>
    /// <param name="cgroup">Made already; joined by the new process before anything else.</param>
    /// <param name="cgroupsPath">Its path, for the stage.</param>
    /// <param name="namespaces">Namespaces to make or join.</param>
    /// <param name="stdin">Becomes the program's descriptor 0; the next two likewise.</param>
    /// <param name="stdout">Descriptor 1.</param>
    /// <param name="stderr">Descriptor 2.</param>
    /// <param name="channel">The supervisor's end of the channel; the caller owns it.</param>
    /// <returns>The process id, a child of this process.</returns>
    /// <exception cref="WherryException">A namespace can't be made or joined.</exception>
    public static int Launch(
        string bundle,
        CgroupDirectories cgroup,
        string cgroupsPath,
        IReadOnlyList<Namespace> namespaces,
        FileDescriptor stdin,
        FileDescriptor stdout,
        FileDescriptor stderr,
        out FileDescriptor channel)
    {
        var joined = new List<FileDescriptor>();
        var cgroupFiles = cgroup.OpenForJoining();
        var (ours, theirs) = UnixSockets.MessagePair();
        try
        {
            using var arguments = new NativeStrings(["wherry-init", "--stage"]);
            using var environment = new NativeStrings([]);
            using var empty = new NativeText("");
            var executable = OwnExecutable.Open();
            using var child = new VforkChild();

            var birth = new Birth
            {
                Executable = executable.Number,
                Arguments = arguments.Address,
                Environment = environment.Address,
                EmptyPath = (byte*)empty.Address,
                SignalMask = SignalSyscalls.Deliverable,
            };
            using var parkedIn = FileSyscalls.Duplicate(stdin, FirstFreeNumber);
            using var parkedOut = FileSyscalls.Duplicate(stdout, FirstFreeNumber);
            using var parkedErr = FileSyscalls.Duplicate(stderr, FirstFreeNumber);
            using var parkedChannel = FileSyscalls.Duplicate(theirs, FirstFreeNumber);
            (birth.Stdin, birth.Stdout, birth.Stderr, birth.Channel) = (parkedIn.Number, parkedOut.Number, parkedErr.Number, parkedChannel.Number);
            var flags = CloneFlags.None;
            foreach (var ns in namespaces)
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
            SendOrder(ours, bundle, cgroupsPath);
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

    private static void SendOrder(FileDescriptor socket, string bundle, string cgroupsPath)
    {
        var writer = new WireWriter(MessageKind.StageOrder, 0);
        writer.Write(bundle);
        writer.Write(cgroupsPath);
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
            || !Place(ref birth, birth.Channel, StageChannel.DescriptorNumber)
            || !Try(ref birth, Step.Descriptors, Syscall.Call(SyscallNumber.CloseRange, StageChannel.DescriptorNumber + 1, int.MaxValue, CloseRangeCloseOnExec)))
        {
            return 0;
        }

        Syscall.Call(SyscallNumber.Prctl, PrSetPdeathsig, SignalNumber.Kill);
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
