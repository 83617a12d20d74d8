using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Cgroups;
using Wherry.Linux.Files;
using Wherry.Linux.Processes;
using Wherry.Linux.Signals;
using Wherry.Linux.Sockets;
using Wherry.Runtime.Bundles;
using Wherry.Runtime.Checks;
using Wherry.Runtime.Contracts.Protocol;
using Wherry.Runtime.LifecycleHooks;
using Wherry.Runtime.Network;
using Wherry.Runtime.Seccomp;
using Wherry.Runtime.Stages;
using Wherry.Shim.Oci.CommandLine;

namespace Wherry.Shim.Oci.Containers;

/// <summary>
/// A container on its way from a bundle to a first process that waits for the word. Every step leaves what
/// <c>delete --force</c> can clean, however this process ends; one that fails is undone here.
/// </summary>
public sealed class NewContainer : IDisposable
{
    private readonly GlobalOptions _global;
    private readonly CreateOptions _options;
    private readonly Bundle _bundle;
    private readonly CgroupDirectories _cgroup;
    private readonly StateDirectory _directory;
    private ContainerState _state;
    private FileDescriptor? _channel;
    private FileDescriptor? _listener;

    private NewContainer(GlobalOptions global, CreateOptions options, Bundle bundle, CgroupDirectories cgroup, StateDirectory directory, ContainerState state)
    {
        _global = global;
        _options = options;
        _bundle = bundle;
        _cgroup = cgroup;
        _directory = directory;
        _state = state;
    }

    public int Pid => _state.Pid;

    /// <summary>The terminal's, if there is a terminal and it was not sent away.</summary>
    public FileDescriptor? Master { get; private set; }

    public static NewContainer Create(GlobalOptions global, CreateOptions options)
    {
        var bundle = Bundle.Read(options.Bundle);
        BundleCheck.Require(bundle);
        var filter = SyscallFilter.Compile(bundle.Linux.Seccomp);
        options.RequireConsoleFor(bundle.Process.Terminal);
        var inherited = InheritedDescriptors.Find(options.PreservedDescriptors);
        using var placement = Placement.Of(global, bundle.Linux.CgroupsPath, options.Id);
        if (GlobalOptions.IsOrdinaryUser)
        {
            UnlimitedCheck.Require(bundle.Linux.Resources, placement.Cgroup);
        }

        var directory = StateDirectory.Make(global.Root, options.Id);
        var container = new NewContainer(global, options, bundle, placement.Cgroup, directory, StateOf(options, bundle, placement));
        try
        {
            container.RequireEmptyCgroup();
        }
        catch
        {
            // Nothing is ours yet but the directory; least of all the processes in that cgroup.
            directory.Remove();
            container.Dispose();
            throw;
        }

        try
        {
            container.Record(filter);
            using (placement.Make(options.Id, bundle.Linux.Resources))
            {
                container.LaunchStage(inherited);
            }

            options.WhileStageBegins?.Invoke();
            container.WaitUntilReady();
            container.SendConsole();
            DescriptorSocket.SendProcess(options.ProcessSocket, container.Pid);
            directory.WriteState(container._state);
            return container;
        }
        catch
        {
            container.Abandon();
            throw;
        }
    }

    /// <summary>Lets go of the first process, which from now on waits for a start by another command.</summary>
    public void Detach() => UnixSockets.SendMessage(_channel!, new WireWriter(MessageKind.StageDetach, 0).Finish().Span);

    /// <summary>Runs the program.</summary>
    /// <exception cref="WherryException">It could not be executed.</exception>
    public void Start()
    {
        Word.Give(_channel!);
        RuntimeHooks.AfterStart(_state.Id, _state.Pid, _bundle.Directory, _bundle.Spec, _global.Log.Warning);
    }

    /// <summary>Lets other commands change the container from now on.</summary>
    public void Unlock() => _directory.Unlock();

    /// <summary>Removes the container, whose program has ended.</summary>
    public void Remove()
    {
        _directory.Lock();
        Removal.Remove(_global, _directory, _state, _cgroup, _bundle.Spec);
    }

    /// <summary>Undoes all that was made, and disposes this.</summary>
    public void Abandon()
    {
        if (_state.Pid > 0)
        {
            // Our child, not yet reaped, so the id is still its own.
            ProcessSyscalls.Kill(_state.Pid, SignalNumber.Kill);
            ProcessSyscalls.Wait(_state.Pid, block: true);
        }

        Removal.Remove(_global, _directory, _state, _cgroup, _bundle.Spec);
        Dispose();
    }

    public void Dispose()
    {
        Master?.Dispose();
        _channel?.Dispose();
        _listener?.Dispose();
        _directory.Dispose();
    }

    private static ContainerState StateOf(CreateOptions options, Bundle bundle, Placement placement) => new()
    {
        Id = options.Id,
        OciVersion = bundle.Spec.OciVersion,
        Bundle = bundle.Directory,
        Rootfs = Path.GetFullPath(bundle.RootPath),
        CgroupsPath = placement.Path,
        Unit = placement.Unit,
        Created = DateTimeOffset.UtcNow,
        Annotations = bundle.Spec.Annotations ?? new Dictionary<string, string>(),
        Namespaces = bundle.Linux.Namespaces,
    };

    private void RequireEmptyCgroup()
    {
        if (_cgroup.Processes() is { Count: > 0 } strangers)
        {
            throw WherryException.Conflict($"container's cgroup is not empty: {strangers.Count} process(es) found in {_state.CgroupsPath}");
        }
    }

    private void Record(byte[]? filter)
    {
        _directory.Write(StateDirectory.ConfigFile, Bundle.ReadConfig(_bundle.Directory));
        if (filter is not null)
        {
            _directory.Write(StateDirectory.FilterFile, filter);
        }

        _directory.WriteState(_state);
    }

    private void LaunchStage(InheritedDescriptors inherited)
    {
        using var nothing = FileSyscalls.Open("/dev/null", OpenFlags.ReadWrite);
        var terminal = _bundle.Process.Terminal;
        using var stdin = terminal ? FileSyscalls.Duplicate(nothing) : FileSyscalls.Duplicate(0);
        using var stdout = terminal ? FileSyscalls.Duplicate(nothing) : FileSyscalls.Duplicate(1);
        using var stderr = terminal ? FileSyscalls.Duplicate(nothing) : FileSyscalls.Duplicate(2);
        _listener = _options.WaitsForStart ? _directory.Listen() : null;
        var pid = StageLauncher.Launch(
            new StageRequest
            {
                Bundle = _bundle.Directory,
                Cgroup = _cgroup,
                CgroupsPath = _state.CgroupsPath,
                Namespaces = _bundle.Linux.Namespaces,
                Stdin = stdin,
                Stdout = stdout,
                Stderr = stderr,
                OutlivesMaker = true,
                Listener = _listener,
                PreservedDescriptors = inherited.Count,
                Order = new StageOrder
                {
                    Id = _state.Id,
                    FindProgramFirst = true,
                    NoPivot = _options.NoPivot,
                    NewKeyring = !_options.NoNewKeyring,
                    FilterFile = FilterFile(),
                    ExtraEnvironment = inherited.Environment,
                    NotifySocket = Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is ['/', ..] and var path ? path : null,
                },
            },
            out _channel);
        _state = _state with { Pid = pid, StartTime = ProcessStat.TryRead(pid)?.StartTime ?? 0 };
        NetworkDevices.Move(pid, _bundle.Linux.NetDevices);
    }

    // In a user namespace the stage can't read what is root's; it compiles the rules itself.
    private string? FilterFile() => _bundle.Linux.Seccomp is null || NamespaceKinds.Find(_bundle.Linux.Namespaces, "user") is not null
        ? null
        : $"{_directory.Path}/{StateDirectory.FilterFile}";

    private void WaitUntilReady()
    {
        var buffer = new byte[StageChannel.MaxMessage];
        var frame = Receive(buffer);
        if (frame.Kind == MessageKind.StageMounted)
        {
            _directory.WriteState(_state);
            RuntimeHooks.AtCreation(_channel!, _state.Id, _state.Pid, _bundle.Directory, _bundle.Spec);
            frame = Receive(buffer);
        }

        var reader = new WireReader(buffer.AsSpan(Frame.HeaderSize, frame.PayloadLength));
        foreach (var warning in reader.ReadStrings())
        {
            // Our standard error is the container's own once we are gone.
            if (_global.Log.HasFile || !_options.Detach)
            {
                _global.Log.Warning(warning);
            }
        }
    }

    private Frame Receive(byte[] buffer)
    {
        var length = UnixSockets.ReceiveMessage(_channel!, buffer, wait: true, out var master);
        Master ??= master;
        if (length < Frame.HeaderSize)
        {
            throw WherryException.System(_cgroup.OomKills() > 0
                ? "unable to start container process: container init was OOM-killed (memory limit too low?)"
                : "unable to start container process: it ended before it was ready");
        }

        var frame = Frame.Parse(buffer);
        if (frame.Kind == MessageKind.Failed)
        {
            var reader = new WireReader(buffer.AsSpan(Frame.HeaderSize, frame.PayloadLength));
            throw WherryException.System($"unable to start container process: {FailedAnswer.ReadFrom(ref reader).Message}");
        }

        return frame;
    }

    private void SendConsole()
    {
        if (Master is not null && _options.ConsoleSocket is { } path)
        {
            DescriptorSocket.SendConsole(path, Master);
            Master.Dispose();
            Master = null;
        }
    }
}
