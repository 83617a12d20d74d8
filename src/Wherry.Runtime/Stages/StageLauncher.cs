using System.Globalization;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Capabilities;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;
using Wherry.Linux.Processes;
using Wherry.Linux.Signals;
using Wherry.Linux.Sockets;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Bundles;
using Wherry.Runtime.Contracts.Protocol;
using Wherry.Runtime.Mounts;

namespace Wherry.Runtime.Stages;

/// <summary>The supervisor's side of a stage's birth: this program executed once more, as the first process of new namespaces.</summary>
public static unsafe class StageLauncher
{
    // Sources lie above all targets, so that filling one target destroys no other's source.
    private const int FirstFreeNumber = 16;

    // Above the numbers that descriptors for the program and the stage's own are put at.
    private const int FirstKeptNumber = 128;

    /// <summary>Makes the process. It waits for <see cref="MessageKind.StageGo"/> before it runs the program.</summary>
    /// <param name="request">What it is made of.</param>
    /// <param name="channel">The supervisor's end of the channel; the caller owns it.</param>
    /// <returns>The process id, a child of this process.</returns>
    /// <exception cref="WherryException">A namespace can't be made or joined.</exception>
    public static int Launch(StageRequest request, out FileDescriptor channel)
    {
        RequireRights(request.Namespaces);
        var channelNumber = StageArguments.FirstPreserved + request.PreservedDescriptors;
        var listenerNumber = request.Listener is null ? StageBirth.NoDescriptor : channelNumber + 1;
        var firstFree = Math.Max(FirstFreeNumber, channelNumber + 2);
        var joined = new List<FileDescriptor>();
        var cgroupFiles = request.Cgroup.OpenForJoining();
        var (ours, theirs) = UnixSockets.MessagePair();
        try
        {
            using var part = MakersPart.For(request, Math.Max(FirstKeptNumber, firstFree));
            using var arguments = new NativeStrings(["wherry-init", StageArguments.Flag, .. StageArguments.For(channelNumber, listenerNumber)]);
            using var environment = new NativeStrings([]);
            using var empty = new NativeText("");
            var executable = OwnExecutable.Open();
            using var parkedExecutable = executable.Number < firstFree ? FileSyscalls.Duplicate(executable, firstFree) : null;
            using var parkedIn = FileSyscalls.Duplicate(request.Stdin, firstFree);
            using var parkedOut = FileSyscalls.Duplicate(request.Stdout, firstFree);
            using var parkedErr = FileSyscalls.Duplicate(request.Stderr, firstFree);
            using var parkedChannel = FileSyscalls.Duplicate(theirs, firstFree);
            using var parkedListener = request.Listener is null ? null : FileSyscalls.Duplicate(request.Listener, firstFree);

            using var memory = new SharedMemory();
            ref var birth = ref memory.As<StageBirth>();
            birth.Executable = parkedExecutable?.Number ?? executable.Number;
            birth.Arguments = arguments.Address;
            birth.Environment = environment.Address;
            birth.EmptyPath = (byte*)empty.Address;
            birth.SignalMask = SignalSyscalls.Deliverable;
            (birth.Stdin, birth.Stdout, birth.Stderr, birth.Channel) = (parkedIn.Number, parkedOut.Number, parkedErr.Number, parkedChannel.Number);
            (birth.Listener, birth.ChannelNumber, birth.ListenerNumber) = (parkedListener?.Number ?? StageBirth.NoDescriptor, channelNumber, listenerNumber);
            birth.DiesWithMaker = !request.OutlivesMaker;
            birth.UserNamespace = part?.UserNamespace.Number ?? StageBirth.NoDescriptor;

            // Where limits are the stage's to write, so is entering a cgroup namespace, from inside of which nobody may
            // (cgroups(7), "nsdelegate", which systemd mounts with).
            var made = NamespaceKinds.Made(request.Namespaces) & ~(part is null ? CloneFlags.NewUser | CloneFlags.NewCgroup : CloneFlags.NewUser);
            var entersTime = Join(request.Namespaces, joined, ref birth) || (made & CloneFlags.NewTime) != 0;
            birth.IsTwofold = part is not null || NamespaceKinds.Find(request.Namespaces, "pid") is { Path.Length: > 0 };
            birth.Unshare = birth.IsTwofold ? made : made & CloneFlags.NewTime;
            using var timeFile = new NativeText("/proc/self/ns/time_for_children");
            birth.NewTimeNamespaceFile = (byte*)timeFile.Address;
            using var offsetsFile = new NativeText("/proc/self/timens_offsets");
            using var offsets = new NativeText((made & CloneFlags.NewTime) == 0 ? "" : OffsetsText(request.Bundle));
            birth.TimeOffsetsFile = (byte*)offsetsFile.Address;
            birth.TimeOffsets = (byte*)offsets.Address;
            birth.TimeOffsetsLength = LengthOf((byte*)offsets.Address);

            var order = OpenMountNamespace(request, joined, Math.Max(FirstKeptNumber, firstFree));
            var kept = part?.Numbers.ToList() ?? [];
            if (order.MountNamespace >= 0)
            {
                kept.Add(order.MountNamespace);
            }

            if (request.MakesRoot && part is null)
            {
                order = order with { Root = MakeRoot(request.Bundle, joined, Math.Max(FirstKeptNumber, firstFree)) };
                kept.Add(order.Root);
            }

            var keptNumbers = stackalloc int[kept.Count];
            kept.CopyTo(new Span<int>(keptNumbers, kept.Count));
            birth.Kept = keptNumbers;
            birth.KeptCount = kept.Count;
            var cgroupNumbers = stackalloc int[cgroupFiles.Count];
            for (var i = 0; i < cgroupFiles.Count; i++)
            {
                cgroupNumbers[i] = cgroupFiles[i].Number;
            }

            birth.CgroupFiles = cgroupNumbers;
            birth.CgroupCount = cgroupFiles.Count;
            if (part is null)
            {
                SendOrder(ours, order);
            }

            var pid = Run(ref birth, birth.IsTwofold ? CloneFlags.None : made & ~birth.Unshare, entersTime, request.Namespaces);
            if (part is not null)
            {
                part.Equip(pid);
                SendOrder(ours, order with { HandedOver = part.HandedOver, IsLimited = true, Warnings = part.Warnings });
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

    private static void RequireRights(IReadOnlyList<Namespace> namespaces)
    {
        if (NamespaceKinds.Find(namespaces, "user") is null && !CapabilitySyscalls.MaySysAdmin)
        {
            throw WherryException.Unsupported("linux.namespaces: the runtime lacks CAP_SYS_ADMIN, without which no namespace and no mount can be made; an ordinary user's container needs a user namespace");
        }
    }

    private static int Run(ref StageBirth birth, CloneFlags flags, bool entersTime, IReadOnlyList<Namespace> namespaces)
    {
        fixed (StageBirth* argument = &birth)
        {
            var pid = entersTime ? VforkChild.RunWithOwnMemory(&StageBirth.Entry, argument, flags) : VforkChild.Run(&StageBirth.Entry, argument, flags);
            if (pid < 0)
            {
                throw new LinuxException($"make a process in new namespaces ({flags})", -pid);
            }

            if (birth.IsTwofold || birth.FailedStep != BirthStep.None)
            {
                ProcessSyscalls.Wait(pid, block: true);
            }

            if (birth.FailedStep != BirthStep.None)
            {
                if (birth.Pid > 0)
                {
                    ProcessSyscalls.Wait(birth.Pid, block: true);
                }

                throw Failure(in birth, namespaces);
            }

            return birth.IsTwofold ? birth.Pid : pid;
        }
    }

    // The mount namespace is the stage's to join: until then, its own binary's loader must be found where it is trusted.
    private static bool Join(IReadOnlyList<Namespace> namespaces, List<FileDescriptor> joined, ref StageBirth birth)
    {
        var time = false;
        foreach (var ns in namespaces)
        {
            if (string.IsNullOrEmpty(ns.Path) || ns.Type is "user" or "mount")
            {
                continue;
            }

            if (birth.JoinCount == StageBirth.MaxJoins)
            {
                throw WherryException.Invalid("linux.namespaces: more to join than there are kinds");
            }

            var descriptor = FileSyscalls.Open(ns.Path, OpenFlags.ReadOnly);
            joined.Add(descriptor);
            birth.JoinDescriptors[birth.JoinCount] = descriptor.Number;
            birth.JoinKinds[birth.JoinCount++] = (uint)NamespaceKinds.FlagOf(ns.Type);
            time |= ns.Type == "time";
        }

        return time;
    }

    private static StageOrder OpenMountNamespace(StageRequest request, List<FileDescriptor> opened, int lowestNumber)
    {
        var order = request.Order with { Bundle = request.Bundle, CgroupsPath = request.Cgroup.IsNone ? "" : request.CgroupsPath, OutlivesMaker = request.OutlivesMaker };
        if (NamespaceKinds.Find(request.Namespaces, "mount") is not { Path.Length: > 0 } mount)
        {
            return order;
        }

        using var ns = FileSyscalls.Open(mount.Path, OpenFlags.ReadOnly);
        var kept = FileSyscalls.Duplicate(ns, lowestNumber);
        opened.Add(kept);
        return order with { MountNamespace = kept.Number };
    }

    private static int MakeRoot(string bundlePath, List<FileDescriptor> opened, int lowestNumber)
    {
        var bundle = Bundle.Read(bundlePath);
        using var root = RootFilesystem.MakeDetached(bundle.RootPath, bundle.Options.Rootfs);
        var kept = FileSyscalls.Duplicate(root, lowestNumber);
        opened.Add(kept);
        return kept.Number;
    }

    private static string OffsetsText(string bundle) =>
        string.Concat((Bundle.Read(bundle).Linux.TimeOffsets ?? new Dictionary<string, TimeOffset>())
            .Select(offset => string.Create(CultureInfo.InvariantCulture, $"{offset.Key} {offset.Value.Secs} {offset.Value.Nanosecs}\n")));

    private static int LengthOf(byte* text)
    {
        var length = 0;
        while (text[length] != 0)
        {
            length++;
        }

        return length;
    }

    private static void SendOrder(FileDescriptor socket, StageOrder order)
    {
        var writer = new WireWriter(MessageKind.StageOrder, 0);
        order.WriteTo(writer);
        UnixSockets.SendMessage(socket, writer.Finish().Span);
    }

    private static LinuxException Failure(in StageBirth birth, IReadOnlyList<Namespace> namespaces)
    {
        var doing = birth.FailedStep switch
        {
            BirthStep.Cgroup => "join the container's cgroup",
            BirthStep.Join => $"linux.namespaces: join {namespaces.Where(ns => !string.IsNullOrEmpty(ns.Path) && ns.Type is not ("user" or "mount")).ElementAt(birth.FailedJoin)}",
            BirthStep.User => "linux.namespaces: enter the user namespace",
            BirthStep.Namespaces => $"linux.namespaces: make {birth.Unshare}",
            BirthStep.TimeOffsets => "linux.timeOffsets: set the clocks' offsets",
            BirthStep.Clone => "make the container's first process",
            BirthStep.Descriptors => "hand over descriptors",
            _ => "execute the runtime's second stage",
        };
        return new LinuxException(doing, birth.Error);
    }
}
