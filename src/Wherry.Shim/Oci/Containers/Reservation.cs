using Wherry.Errors;
using Wherry.Linux.Cgroups;
using Wherry.Linux.Processes;
using Wherry.Linux.Signals;
using Wherry.Runtime.Bundles;
using Wherry.Shim.Oci.CommandLine;

namespace Wherry.Shim.Oci.Containers;

/// <summary>
/// The id, state directory and cgroup of a container that is on its way to a first process. Every step leaves what
/// <c>delete --force</c> can clean, however this process ends.
/// </summary>
public sealed class Reservation : IDisposable
{
    private readonly GlobalOptions _global;

    private Reservation(GlobalOptions global, Bundle bundle, CgroupDirectories cgroup, StateDirectory directory, ContainerState state)
    {
        _global = global;
        Bundle = bundle;
        Cgroup = cgroup;
        Directory = directory;
        State = state;
    }

    public Bundle Bundle { get; }

    public CgroupDirectories Cgroup { get; }

    public StateDirectory Directory { get; }

    public ContainerState State { get; private set; }

    /// <summary>Takes the id, and its lock.</summary>
    /// <exception cref="WherryException">The id is taken, or the cgroup is others' or frozen.</exception>
    public static Reservation Make(GlobalOptions global, string id, Bundle bundle, Placement placement)
    {
        var directory = StateDirectory.Make(global.Root, id);
        var reservation = new Reservation(global, bundle, placement.Cgroup, directory, StateOf(id, bundle, placement));
        try
        {
            reservation.RequireFreshCgroup();
            return reservation;
        }
        catch
        {
            // Nothing is ours yet but the directory; least of all the processes in that cgroup.
            directory.Remove();
            reservation.Dispose();
            throw;
        }
    }

    /// <summary>Writes down what the container is, before anything else is made for it.</summary>
    /// <param name="filter">Its compiled seccomp filter; null without.</param>
    public void Record(byte[]? filter)
    {
        Directory.Write(StateDirectory.ConfigFile, Bundle.ReadConfig(Bundle.Directory));
        if (filter is not null)
        {
            Directory.Write(StateDirectory.FilterFile, filter);
        }

        WriteState();
    }

    /// <summary>Notes the first process, a child of ours; <see cref="WriteState"/> writes it down.</summary>
    public void SetProcess(int pid) => State = State with { Pid = pid, StartTime = ProcessStat.TryRead(pid)?.StartTime ?? 0 };

    public void WriteState() => Directory.WriteState(State);

    /// <summary>Lets other commands change the container from now on.</summary>
    public void Unlock() => Directory.Unlock();

    /// <summary>Removes the container, whose program has ended.</summary>
    public void Remove()
    {
        Directory.Lock();
        Removal.Remove(_global, Directory, State, Cgroup, Bundle.Spec);
    }

    /// <summary>Undoes all that was made, and disposes this.</summary>
    public void Abandon()
    {
        if (State.Pid > 0)
        {
            // Our child, not yet reaped, so the id is still its own.
            ProcessSyscalls.Kill(State.Pid, SignalNumber.Kill);
            ProcessSyscalls.Wait(State.Pid, block: true);
        }

        Removal.Remove(_global, Directory, State, Cgroup, Bundle.Spec);
        Dispose();
    }

    public void Dispose() => Directory.Dispose();

    private static ContainerState StateOf(string id, Bundle bundle, Placement placement) => new()
    {
        Id = id,
        OciVersion = bundle.Spec.OciVersion,
        Bundle = bundle.Directory,
        Rootfs = Path.GetFullPath(bundle.RootPath),
        CgroupsPath = placement.Path,
        Unit = placement.Unit,
        Created = DateTimeOffset.UtcNow,
        Annotations = bundle.Spec.Annotations ?? new Dictionary<string, string>(),
        Namespaces = bundle.Linux.Namespaces,
    };

    private void RequireFreshCgroup()
    {
        if (Cgroup.Processes() is { Count: > 0 } strangers)
        {
            throw WherryException.Conflict($"container's cgroup is not empty: {strangers.Count} process(es) found in {State.CgroupsPath}");
        }

        // The first process would stop in it for good, and its maker with it.
        if (Freezer.IsFrozen(Cgroup))
        {
            throw WherryException.Conflict($"container's cgroup unexpectedly frozen: {State.CgroupsPath}");
        }
    }
}
