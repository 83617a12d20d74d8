using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
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
    // By which podman's --group-add keep-groups asks a runtime for it. The engine's containers have annotations from its
    // API's callers, and none of its own groups.
    private const string KeepGroups = "run.oci.keep_original_groups";

    private readonly GlobalOptions _global;
    private readonly CreateOptions _options;
    private readonly Reservation _reservation;
    private FileDescriptor? _channel;
    private FileDescriptor? _listener;

    private NewContainer(GlobalOptions global, CreateOptions options, Reservation reservation)
    {
        _global = global;
        _options = options;
        _reservation = reservation;
    }

    public int Pid => _reservation.State.Pid;

    /// <summary>The terminal's, if there is a terminal and it was not sent away.</summary>
    public FileDescriptor? Master { get; private set; }

    public static NewContainer Create(GlobalOptions global, CreateOptions options)
    {
        var bundle = Bundle.Read(options.Bundle);
        BundleCheck.Require(bundle);
        var filter = SyscallFilter.Compile(bundle.Linux.Seccomp);
        options.RequireConsoleFor(bundle.Process.Terminal);
        var inherited = InheritedDescriptors.Find(options.PreservedDescriptors);
        using var placement = Placement.Of(global, bundle, options.Id);
        placement.RequireLimits(bundle.Linux.Resources);
        var container = new NewContainer(global, options, Reservation.Make(global, options.Id, bundle, placement));
        try
        {
            container._reservation.Record(filter);
            using (placement.Make(options.Id, bundle.Linux.Resources))
            {
                container.LaunchStage(inherited);
            }

            options.WhileStageBegins?.Invoke();
            container.WaitUntilReady();
            container.SendConsole();
            DescriptorSocket.SendProcess(options.ProcessSocket, container.Pid);
            container._reservation.WriteState();
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
        RuntimeHooks.AfterStart(_reservation.State.Id, Pid, Bundle.Directory, Bundle.Spec, _global.Log.Warning);
    }

    /// <summary>Waits in the foreground for the program's end, while other commands may change the container.</summary>
    /// <param name="keep">Leave the container then, rather than remove it.</param>
    /// <returns>The program's exit code.</returns>
    public int Wait(bool keep) => Foreground.Wait(_reservation, Master, keep);

    /// <summary>Undoes all that was made, and disposes this.</summary>
    public void Abandon()
    {
        _reservation.Abandon();
        Dispose();
    }

    public void Dispose()
    {
        Master?.Dispose();
        _channel?.Dispose();
        _listener?.Dispose();
        _reservation.Dispose();
    }

    private Bundle Bundle => _reservation.Bundle;

    private void LaunchStage(InheritedDescriptors inherited)
    {
        using var nothing = FileSyscalls.Open("/dev/null", OpenFlags.ReadWrite);
        var terminal = Bundle.Process.Terminal;
        using var stdin = terminal ? FileSyscalls.Duplicate(nothing) : FileSyscalls.Duplicate(0);
        using var stdout = terminal ? FileSyscalls.Duplicate(nothing) : FileSyscalls.Duplicate(1);
        using var stderr = terminal ? FileSyscalls.Duplicate(nothing) : FileSyscalls.Duplicate(2);
        _listener = _options.WaitsForStart ? _reservation.Directory.Listen() : null;
        var pid = StageLauncher.Launch(
            new StageRequest
            {
                Bundle = Bundle.Directory,
                Cgroup = _reservation.Cgroup,
                CgroupsPath = _reservation.State.CgroupsPath,
                Namespaces = Bundle.Linux.Namespaces,
                Stdin = stdin,
                Stdout = stdout,
                Stderr = stderr,
                OutlivesMaker = true,
                Listener = _listener,
                PreservedDescriptors = inherited.Count,
                Order = new StageOrder
                {
                    Id = _reservation.State.Id,
                    FindProgramFirst = true,
                    NoPivot = _options.NoPivot,
                    NewKeyring = !_options.NoNewKeyring,
                    FilterFile = FilterFile(),
                    ExtraEnvironment = inherited.Environment,
                    KeepsGroups = Bundle.Spec.Annotations?.GetValueOrDefault(KeepGroups) == "1",
                    NotifySocket = Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is ['/', ..] and var path ? path : null,
                },
            },
            out _channel);
        _reservation.SetProcess(pid);
        NetworkDevices.Move(pid, Bundle.Linux.NetDevices);
    }

    // In a user namespace the stage can't read what is root's; it compiles the rules itself.
    private string? FilterFile() => Bundle.Linux.Seccomp is null || NamespaceKinds.Find(Bundle.Linux.Namespaces, "user") is not null
        ? null
        : $"{_reservation.Directory.Path}/{StateDirectory.FilterFile}";

    private void WaitUntilReady()
    {
        var buffer = new byte[StageChannel.MaxMessage];
        var frame = Receive(buffer);
        if (frame.Kind == MessageKind.StageMounted)
        {
            _reservation.WriteState();
            RuntimeHooks.AtCreation(_channel!, _reservation.State.Id, Pid, Bundle.Directory, Bundle.Spec);
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
            throw WherryException.System(_reservation.Cgroup.OomKills() > 0
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
