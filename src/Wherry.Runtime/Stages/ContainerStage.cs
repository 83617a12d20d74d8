using System.Globalization;
using Wherry.Linux;
using Wherry.Linux.Cgroups;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;
using Wherry.Linux.Mounts;
using Wherry.Linux.Processes;
using Wherry.Linux.Sockets;
using Wherry.Linux.Terminals;
using Wherry.Runtime.Bundles;
using Wherry.Runtime.Cgroups;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Contracts.Protocol;
using Wherry.Runtime.Identity;
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
        _cgroup = CgroupHost.Detect().Locate(order.CgroupsPath);
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
            return new ContainerStage(channel, listener, Bundle.Read(order.Bundle), order).PrepareAndRun(channelNumber - StageArguments.FirstPreserved);
        }
        catch (Exception e)
        {
            return Report(channel, e);
        }
    }

    private static int Report(StageChannel channel, Exception failure)
    {
        var answer = FailedAnswer.From(failure);
        channel.SendFailure(answer.ExitCode == 0 ? answer with { ExitCode = 128 } : answer);
        return 1;
    }

    private int PrepareAndRun(int preservedDescriptors)
    {
        using var filter = SyscallFilter.Prepare(_bundle.Linux.Seccomp, _bundle.Options.SeccompCache);
        FileSyscalls.SetUmask(0);
        _limits.Apply(_bundle.Linux.Resources);
        using var sources = BindSources.Open(_bundle.Spec.Mounts, _bundle.Directory);
        using var root = RootFilesystem.Mount(_bundle.RootPath, _bundle.Options.Rootfs, _bundle.Linux.RootfsPropagation);
        SetNames();
        FillVolumes(root);
        MakeMounts(root, sources);
        var terminal = PrepareDevices(root);
        _limits.ApplyDevices(_bundle.Linux.Resources);
        Sysctls.Set(_bundle.Linux.Sysctl, _bundle.Linux.Namespaces);
        SetOomScore();
        var user = UserLookup.Resolve(root, _bundle.Options.User, _bundle.Process.User, _bundle.Options.AdditionalGroups);
        MakeWorkingDirectory(root);
        HidePaths(root);
        using var agent = ConnectAgent(filter);
        RootFilesystem.Enter(root);
        GiveStreams(user, terminal?.Slave);
        var process = _order.ExtraEnvironment.Count == 0 ? _bundle.Process : _bundle.Process with { Env = [.. _bundle.Process.Env, .. _order.ExtraEnvironment] };
        using var program = new PreparedProgram(process, user, HostGrant.For(_bundle.Process, _bundle.Options.AskedByName, _warnings), filter);
        program.Plan.OutlivesMaker = _order.OutlivesMaker;
        program.Plan.PreservedDescriptors = preservedDescriptors;
        if (_order.FindProgramFirst)
        {
            program.RequireExecutable();
        }

        FileSyscalls.SetUmask(0x12);

        _channel.SendReady(_warnings, terminal?.Master);
        terminal?.Master.Dispose();
        return WaitForTheWord() ? Become(program, agent) : 1;
    }

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
        var owner = new ListenerOwner(_bundle.Spec.OciVersion, Path.GetFileName(_order.CgroupsPath), "creating", _hostPid, _bundle.Directory);
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

    private void FillVolumes(RootDirectory root)
    {
        foreach (var copyUp in _bundle.Options.CopyUps)
        {
            CopyUp.Fill(root, copyUp);
        }
    }

    private void MakeMounts(RootDirectory root, BindSources sources)
    {
        var mounts = new ContainerMounts(root, sources, _cgroup);
        foreach (var mount in _bundle.Spec.Mounts)
        {
            try
            {
                mounts.Make(mount);
            }
            catch (LinuxException e)
            {
                throw new SandboxStartException($"mount {mount.Source} on {mount.Destination}: {e.Message}", 128);
            }
        }
    }

    private (FileDescriptor Master, FileDescriptor Slave)? PrepareDevices(RootDirectory root)
    {
        var devices = new DeviceNodes(root);
        devices.Make(_bundle.Spec.Mounts, _bundle.Linux.Devices);
        if (!_bundle.Process.Terminal)
        {
            return null;
        }

        var terminal = PseudoTerminal.OpenInside(root);
        if (_bundle.Process.ConsoleSize is { Height: > 0, Width: > 0 } size)
        {
            PseudoTerminal.Resize(terminal.Master, size.Height, size.Width);
        }

        devices.BindConsole(terminal.Slave);
        return terminal;
    }

    private void SetOomScore()
    {
        if (_bundle.Process.OomScoreAdj is not { } score)
        {
            return;
        }

        const string file = "/proc/self/oom_score_adj";
        try
        {
            FileSyscalls.WriteKernelFile(file, score.ToString(CultureInfo.InvariantCulture));
        }
        catch (LinuxException e) when (e.ErrorNumber is Errno.EACCES or Errno.EPERM)
        {
            if (_bundle.Options.AskedByName.Contains("oomScoreAdj", StringComparer.OrdinalIgnoreCase))
            {
                throw new SandboxStartException($"the OOM score can't be lowered to {score}: the engine lacks CAP_SYS_RESOURCE on this host", 128);
            }

            _warnings.Add($"the OOM score stays at {FileSyscalls.TryReadText(file)?.Trim()} rather than {score}: the engine lacks CAP_SYS_RESOURCE to lower it");
        }
    }

    // As Docker does: a WORKDIR that the image lacks is made, as root.
    private void MakeWorkingDirectory(RootDirectory root)
    {
        var directory = _bundle.Process.Cwd;
        if (directory.Length > 1)
        {
            root.OpenOrMakeDirectory(directory).Dispose();
        }
    }

    private void HidePaths(RootDirectory root)
    {
        var hidden = new HiddenPaths(root);
        hidden.MakeReadOnly(_bundle.Linux.ReadonlyPaths);
        hidden.Mask(_bundle.Linux.MaskedPaths);
        if (_bundle.Options.NoSuidRoot)
        {
            MountSyscalls.SetAttributes(root.Descriptor, MountAttributes.NoSuid, MountAttributes.None, MountFlags.None, recursive: false, "/");
        }

        if (_bundle.Spec.Root?.Readonly is true)
        {
            MountSyscalls.SetAttributes(root.Descriptor, MountAttributes.ReadOnly, MountAttributes.None, MountFlags.None, recursive: false, "/");
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
            StreamOwner.Give(user.Uid);
        }
    }
}
