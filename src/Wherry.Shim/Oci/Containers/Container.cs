using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Cgroups;
using Wherry.Linux.Processes;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Bundles;

namespace Wherry.Shim.Oci.Containers;

/// <summary>A container as commands find it. Owns its directory's descriptor, and so its lock.</summary>
public sealed class Container : IDisposable
{
    private readonly StateDirectory _directory;
    private Spec? _spec;
    private CgroupDirectories? _cgroup;

    private Container(StateDirectory directory, ContainerState state)
    {
        _directory = directory;
        State = state;
    }

    public ContainerState State { get; private set; }

    public StateDirectory Directory => _directory;

    /// <summary>The configuration the container was made with, whatever has become of its bundle.</summary>
    public Spec Spec => _spec ??= Bundle.ParseSpec(_directory.TryRead(StateDirectory.ConfigFile)
        ?? throw WherryException.System($"{_directory.Path} has no {StateDirectory.ConfigFile}"));

    /// <summary>The same; null where a create was killed before it had kept it, or what it kept is damaged.</summary>
    public Spec? TryReadSpec()
    {
        try
        {
            return _directory.TryRead(StateDirectory.ConfigFile) is null ? null : Spec;
        }
        catch (WherryException)
        {
            return null;
        }
    }

    public CgroupDirectories Cgroup => _cgroup ??= Placement.Locate(State);

    /// <summary>Its processes' ids; see <see cref="ContainerProcesses"/>.</summary>
    public IReadOnlyList<int> Processes() => IsBlank ? [] : ContainerProcesses.Of(State, Cgroup);

    /// <summary>The cgroup, for what can't be done without one.</summary>
    /// <exception cref="WherryException">The container has none.</exception>
    public CgroupDirectories RequireCgroup(string purpose) =>
        !Cgroup.IsNone ? Cgroup : throw WherryException.Unsupported($"{purpose} takes a cgroup, and this container has none: the user who made it has been given none to put it into");

    /// <summary>There is a directory of that id in which a create was killed before it wrote anything; the state tells nothing then.</summary>
    public bool IsBlank => State.Id.Length == 0;

    /// <exception cref="WherryException">There is no such container.</exception>
    public static Container Open(string root, string id) => TryOpen(root, id) ?? throw WherryException.NotFound("container does not exist");

    /// <summary>The same, for a command that changes it.</summary>
    public static Container OpenLocked(string root, string id)
    {
        var container = Open(root, id);
        try
        {
            container.Lock();
            return container;
        }
        catch
        {
            container.Dispose();
            throw;
        }
    }

    /// <summary>Null when there is no such container.</summary>
    public static Container? TryOpen(string root, string id)
    {
        if (StateDirectory.TryOpen(root, ContainerId.Require(id)) is not { } directory)
        {
            return null;
        }

        try
        {
            return new Container(directory, directory.TryReadState() ?? new ContainerState());
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    /// <summary>Waits for other commands, then looks again: they may have changed or removed the container.</summary>
    public void Lock()
    {
        _directory.Lock();
        State = _directory.TryReadState() ?? new ContainerState();
    }

    public ContainerStatus Status()
    {
        if (State.Pid == 0)
        {
            return _directory.TryLock() ? ContainerStatus.Stopped : ContainerStatus.Creating;
        }

        if (!IsAlive())
        {
            return ContainerStatus.Stopped;
        }

        if (Freezer.IsFrozen(Cgroup))
        {
            return ContainerStatus.Paused;
        }

        // Its socket is closed the moment the first process becomes the program.
        using var waiting = _directory.TryConnect(wait: false, out var busy);
        return waiting is not null || busy ? ContainerStatus.Created : ContainerStatus.Running;
    }

    /// <summary>The first process lives, and is the one it was.</summary>
    public bool IsAlive() => ContainerProcesses.IsAlive(State);

    /// <summary>A descriptor of the first process; null when it has ended.</summary>
    public FileDescriptor? TryOpenProcess()
    {
        if (State.Pid == 0)
        {
            return null;
        }

        try
        {
            // First the descriptor, then the look whether it is the right one's.
            var process = ProcessSyscalls.OpenPidfd(State.Pid);
            if (IsAlive())
            {
                return process;
            }

            process.Dispose();
            return null;
        }
        catch (LinuxException e) when (e.ErrorNumber is Errno.ESRCH or Errno.EINVAL)
        {
            return null;
        }
    }

    public void Dispose() => _directory.Dispose();
}
