using Wherry.Linux;
using Wherry.Linux.Cgroups;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;
using Wherry.Linux.Mounts;
using Wherry.Linux.Netlink;
using Wherry.Linux.Processes;
using Wherry.Linux.Sockets;
using Wherry.Linux.Terminals;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Bundles;
using Wherry.Runtime.Cgroups;
using Wherry.Runtime.Checks;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Contracts.Protocol;
using Wherry.Runtime.Identity;
using Wherry.Runtime.LifecycleHooks;
using Wherry.Runtime.Mounts;
using Wherry.Runtime.Programs;
using Wherry.Runtime.Seccomp;

namespace Wherry.Runtime.Stages;

/// <summary>
/// The second stage: this program again, as the first process in the container's new namespaces, where it makes
/// everything the user's program is to find, waits for the word and becomes that program (or, with
/// <c>--init</c>, its parent).
/// </summary>
public sealed class ContainerStage
{
    private readonly StageChannel _channel;
    private readonly FileDescriptor? _listener;
    private readonly Bundle _bundle;
    private readonly StageOrder _order;
    private readonly CgroupDirectories _cgroup;
    private readonly CgroupLimits _limits;
    private readonly int _hostPid = ListenerHandover.OwnIdOnHost();
    private readonly List<string> _warnings = [];
    private bool _detached;

    private ContainerStage(StageChannel channel, FileDescriptor? listener, Bundle bundle, StageOrder order)
    {
        var host = CgroupHost.Detect(isMember: true);
        _cgroup = order.CgroupsPath.Length == 0 ? host.None : host.Locate(order.CgroupsPath);
        _limits = new CgroupLimits(_cgroup, bundle.Options.AskedByName, _warnings);
        _channel = channel;
        _listener = listener;
        _bundle = bundle;
        _order = order;
    }

    /// <summary>Runs the stage on the descriptors it was started with. Returns only when the program could not be run, or under <c>--init</c> has ended.</summary>
    /// <param name="arguments">As made by <see cref="StageArguments"/>.</param>
    public static int Run(ReadOnlySpan<string> arguments)
    {
        var (channelNumber, listenerNumber) = StageArguments.Read(arguments);
        using var channel = new StageChannel(new FileDescriptor(channelNumber));
        try
        {
            FileSyscalls.MarkCloseOnExecFrom(channelNumber);
            ProcessSyscalls.SetDumpable(false);
            if (!channel.Receive(MessageKind.StageOrder, out var payload))
            {
                return 1;
            }

            var reader = new WireReader(payload);
            var order = StageOrder.ReadFrom(ref reader);
            using var listener = listenerNumber < 0 ? null : new FileDescriptor(listenerNumber);
            return new ContainerStage(channel, listener, ReadBundle(order), order).PrepareAndRun(channelNumber - StageArguments.FirstPreserved);
        }
        catch (Exception e)
        {
            return Report(channel, e);
        }
    }

    private static Bundle ReadBundle(StageOrder order)
    {
        if (order.HandedOver is { } handed)
        {
            return Bundle.Read(order.Bundle, new FileDescriptor(handed.Config), handed.Sandbox < 0 ? null : new FileDescriptor(handed.Sandbox));
        }

        var bundle = Bundle.Read(order.Bundle);
        if (!order.IsLimited)
        {
            BundleCheck.Require(bundle);
        }

        return bundle;
    }

    private static int Report(StageChannel channel, Exception failure)
    {
        var answer = FailedAnswer.From(failure);
        channel.SendFailure(answer.ExitCode == 0 ? answer with { ExitCode = 128 } : answer);
        return 1;
    }

    private int PrepareAndRun(int preservedDescriptors)
    {
        using var filter = PrepareFilter();
        FileSyscalls.SetUmask(0);
        if (_order.NewKeyring)
        {
            JoinNewKeyring();
        }

        _warnings.AddRange(_order.Warnings);
        var handed = _order.HandedOver;
        if (!_order.IsLimited)
        {
            _limits.Apply(_bundle.Linux.Resources);
            EnterNewCgroupNamespace();
        }

        using var hostProc = FileSyscalls.Open("/proc", OpenFlags.PathOnly | OpenFlags.Directory);
        using var notify = OpenNotifySocket();
        using var sources = handed is null ? BindSources.Open(_bundle.Spec.Mounts, _bundle.Directory, _bundle.Options.SharedMemoryOf) : BindSources.Adopt(_bundle.Spec.Mounts, handed.Binds);
        using var root = OpenRoot(handed);
        SetNames();
        Loopback();
        using var contents = new RootContents(root, _bundle, _order, _cgroup);
        contents.FillVolumes();
        contents.MakeMounts(sources);
        var terminal = contents.PrepareDevices();
        var process = contents.WithNotifySocket(notify);
        if (!_order.IsLimited && _order.MountNamespace < 0)
        {
            _limits.ApplyDevices(_bundle.Linux.Resources);
        }

        if (handed is null)
        {
            OomScore.Set("/proc/self/oom_score_adj", process, _bundle.Options.AskedByName, _warnings);
        }

        Sysctls.Set(_bundle.Linux.Sysctl);
        RunCreationHooks(root);
        var user = UserLookup.Resolve(root, _bundle.Options.User, _bundle.Process.User, _bundle.Options.AdditionalGroups);
        contents.MakeWorkingDirectory();
        contents.HidePaths();
        using var agent = ConnectAgent(filter);
        var keepGroups = KeepsGroups();

        // What it asks about the kernel, /sys and /proc answer; the container need not have them.
        var attributes = ProgramAttributes.Of(process, _bundle.Linux);
        Enter(root);
        GiveStreams(user, terminal?.Slave);
        process = _order.ExtraEnvironment.Count == 0 ? process : process with { Env = [.. process.Env, .. _order.ExtraEnvironment] };
        var grant = HostGrant.For(process, _bundle.Options.AskedByName, _warnings);
        using var program = new PreparedProgram(process, user, grant, filter);
        program.Use(attributes, hostProc.Number);
        program.Plan.KeepGroups = keepGroups;
        program.Plan.OutlivesMaker = _order.OutlivesMaker;
        program.Plan.PreservedDescriptors = preservedDescriptors;
        if (_order.FindProgramFirst)
        {
            program.RequireExecutable();
        }

        FileSyscalls.SetUmask(0x12);

        _channel.SendReady(_warnings, terminal?.Master);
        terminal?.Master.Dispose();
        if (!WaitForTheWord())
        {
            return 1;
        }

        RunStartHooks(process, user, grant, filter, keepGroups);
        return Become(program, agent);
    }

    // This thread's alone, which is the one that becomes the program.
    private void EnterNewCgroupNamespace()
    {
        if (NamespaceKinds.Find(_bundle.Linux.Namespaces, "cgroup") is { Path: null or "" })
        {
            ProcessSyscalls.Unshare(CloneFlags.NewCgroup);
        }
    }

    private SyscallFilter? PrepareFilter()
    {
        if (_order.HandedOver is not { } handed)
        {
            return SyscallFilter.Prepare(_bundle.Linux.Seccomp, _order.FilterFile ?? _bundle.Options.SeccompCache);
        }

        // The cache itself is the host's.
        using var cached = handed.Filter < 0 ? null : new FileDescriptor(handed.Filter);
        return SyscallFilter.Prepare(_bundle.Linux.Seccomp, cacheFile: null, cached);
    }

    // What the caller's session keyring holds is none of the container's business (keyctl(2)).
    private void JoinNewKeyring()
    {
        const int joinSessionKeyring = 1;
        using var name = new NativeText("_ses." + _order.Id);
        var result = Syscall.Call(SyscallNumber.Keyctl, joinSessionKeyring, name.Address);
        if (result < 0)
        {
            _warnings.Add($"the container shares its caller's session keyring, as it could not be given one of its own: {Errno.Describe((int)-result)}");
        }
    }

    private RootDirectory OpenRoot(HandedOver? handed)
    {
        if (_order.MountNamespace >= 0)
        {
            // The last moment in which the host's cgroup trees are in sight.
            if (!_order.IsLimited)
            {
                _limits.ApplyDevices(_bundle.Linux.Resources);
            }

            using var ns = new FileDescriptor(_order.MountNamespace);
            ProcessSyscalls.EnterMountNamespace(ns, NamespaceKinds.Find(_bundle.Linux.Namespaces, "mount")?.Path ?? "");
            return RootFilesystem.OpenJoined(_bundle.RootPath);
        }

        if (_order.Root >= 0)
        {
            return RootFilesystem.MountMade(_bundle.RootPath, new FileDescriptor(_order.Root), _bundle.Linux.RootfsPropagation);
        }

        return handed is null
            ? RootFilesystem.Mount(_bundle.RootPath, _bundle.Options.Rootfs, _bundle.Linux.RootfsPropagation)
            : RootFilesystem.Mount(new FileDescriptor(handed.Root), _bundle.Linux.RootfsPropagation);
    }

    private void Enter(RootDirectory root)
    {
        if (_order.MountNamespace >= 0)
        {
            RootFilesystem.EnterJoined(root);
        }
        else if (_order.NoPivot)
        {
            RootFilesystem.MoveInto(root);
        }
        else
        {
            RootFilesystem.Enter(root, _bundle.Linux.RootfsPropagation);
        }
    }

    // A new network namespace has nothing but the loopback, and that is down.
    private void Loopback()
    {
        if (NamespaceKinds.Find(_bundle.Linux.Namespaces, "network") is { Path: null or "" })
        {
            using var socket = NetlinkSocket.Open(NetlinkSocket.Route);
            var batch = new NetlinkBatch(64);
            Links.SetUp(batch, Links.LoopbackIndex, "lo");
            socket.Execute(batch);
        }
    }

    private FileDescriptor? OpenNotifySocket()
    {
        if (_order.NotifySocket is not { } path)
        {
            return null;
        }

        return MountSyscalls.CloneTree(path, recursive: false);
    }

    // Hooks of the runtime's are run by the maker, in whose namespaces they belong, while the root is not yet entered.
    private void RunCreationHooks(RootDirectory root)
    {
        if (_bundle.Spec.Hooks is not { } hooks)
        {
            return;
        }

        if (hooks.Prestart.Count + hooks.CreateRuntime.Count > 0)
        {
            UnixSockets.SendMessage(_channel.Socket, new WireWriter(MessageKind.StageMounted, 0).Finish().Span);
            if (!_channel.Receive(MessageKind.StageContinue, out _))
            {
                throw new SandboxStartException("the runtime went away before it ran the container's hooks", 128);
            }
        }

        // This process has no environment of its own; the container's is what they find under runc, and its root is where
        // they work, as they change what the container finds.
        HookRunner.Run("createContainer", hooks.CreateContainer, State("creating"), _bundle.Process.Env, FileSyscalls.ProcPath(root.Descriptor));
    }

    private bool KeepsGroups() =>
        _order.KeepsGroups || (UserNamespace.IsInside && FileSyscalls.TryReadText("/proc/self/setgroups")?.StartsWith("deny", StringComparison.Ordinal) is true);

    private void RunStartHooks(Process process, ResolvedUser user, HostGrant grant, SyscallFilter? filter, bool keepGroups)
    {
        if (_bundle.Spec.Hooks is { StartContainer.Count: > 0 } hooks)
        {
            ContainerHooks.Run(hooks.StartContainer, State("created"), process, user, grant, filter, program => program.Plan.KeepGroups = keepGroups);
        }
    }

    private HookState State(string status) => HookState.Of(_order.Id, status, ProcessSyscalls.CurrentId, _bundle.Directory, _bundle.Spec);

    /// <summary>Waits to be told to go on, by the maker or, once that has detached itself, by whoever connects; false when nobody can any more.</summary>
    private bool WaitForTheWord()
    {
        var word = _channel.Receive(out _);
        while (word != MessageKind.StageGo)
        {
            // Those who connect and say nothing have only looked whether somebody waits here.
            if (_listener is null || (word is null && !_detached))
            {
                return false;
            }

            _detached = true;
            _channel.Continue(UnixSockets.AcceptBlocking(_listener));
            word = _channel.Receive(out _);
        }

        return true;
    }

    // The agent is found in the host's file system, so before the root is entered.
    private FileDescriptor? ConnectAgent(SyscallFilter? filter) => filter is { NeedsListener: true } ? ListenerHandover.Connect(_bundle.Linux.Seccomp!) : null;

    private int Become(PreparedProgram program, FileDescriptor? agent)
    {
        var owner = new ListenerOwner(_bundle.Spec.OciVersion, _order.Id, "creating", _hostPid, _bundle.Directory);
        using var handover = agent is null ? null : new ListenerHandover(agent, _bundle.Linux.Seccomp!, owner, program, isOtherProcess: _bundle.Options.Init);
        if (_bundle.Options.Init)
        {
            return InitStage.Run(_channel, program, handover, _bundle.Linux.Seccomp);
        }

        ProgramEntry.Run(ref program.Plan);
        throw program.Failure();
    }

    private void SetNames()
    {
        var own = _bundle.Linux.Namespaces.Any(ns => ns.Type == "uts" && ns.Path is null);
        if (own && !string.IsNullOrEmpty(_bundle.Spec.Hostname))
        {
            ProcessSyscalls.SetHostname(_bundle.Spec.Hostname);
        }

        if (own && !string.IsNullOrEmpty(_bundle.Spec.Domainname))
        {
            ProcessSyscalls.SetDomainname(_bundle.Spec.Domainname);
        }
    }

    /// <summary>Puts the terminal in place, and lets the program's user open its own streams again (/dev/stdout).</summary>
    private static void GiveStreams(ResolvedUser user, FileDescriptor? terminal)
    {
        if (terminal is not null)
        {
            for (var fd = 0; fd < 3; fd++)
            {
                FileSyscalls.Duplicate(terminal.Number, fd);
            }

            Syscall.Check(PseudoTerminal.TryMakeControlling(0), "make the terminal the program's own");
            terminal.Dispose();
        }

        if (user.Uid != 0)
        {
            StreamOwner.TryGive(user.Uid);
        }
    }
}
