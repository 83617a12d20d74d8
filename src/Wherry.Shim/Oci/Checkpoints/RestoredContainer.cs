using System.Globalization;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Mounts;
using Wherry.Linux.Processes;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Bundles;
using Wherry.Runtime.Cgroups;
using Wherry.Runtime.Checkpoints;
using Wherry.Runtime.Checks;
using Wherry.Runtime.LifecycleHooks;
using Wherry.Runtime.Mounts;
using Wherry.Runtime.Seccomp;
using Wherry.Shim.Oci.CommandLine;
using Wherry.Shim.Oci.Containers;

namespace Wherry.Shim.Oci.Checkpoints;

/// <summary>
/// A container on its way from a checkpoint to processes that run. CRIU makes namespaces and processes; ours are what a
/// new container has around them: state, cgroup with limits, root, hooks, terminal. A step that fails is undone.
/// </summary>
public sealed class RestoredContainer : IDisposable
{
    /// <summary>What CRIU is to call a network namespace that is another's.</summary>
    public const string NetworkName = "network";

    /// <summary>The name of CRIU's log.</summary>
    public const string Log = "restore.log";

    private readonly GlobalOptions _global;
    private readonly CreateOptions _options;
    private readonly Reservation _reservation;
    private readonly ContainerRoot? _root;
    private FileDescriptor? _master;
    private bool _consoleSent;

    private RestoredContainer(GlobalOptions global, CreateOptions options, Reservation reservation)
    {
        _global = global;
        _options = options;
        _reservation = reservation;
        _root = ContainerRoot.Of(reservation.Bundle.Spec);
    }

    public int Pid => _reservation.State.Pid;

    /// <param name="global">Where, and for its log.</param>
    /// <param name="options">How the container is to be made.</param>
    /// <param name="images">The checkpoint.</param>
    /// <param name="program">CRIU.</param>
    /// <param name="apply">Adds what the caller wants of CRIU.</param>
    /// <exception cref="WherryException">It failed; nothing is left.</exception>
    public static RestoredContainer Restore(GlobalOptions global, CreateOptions options, ImageDirectory images, string program, Func<CriuOptions, CriuOptions> apply)
    {
        var bundle = Bundle.Read(options.Bundle);
        BundleCheck.Require(bundle);
        CheckpointCheck.Require(bundle.Spec);
        var settings = CriuSettings.Find(bundle.Spec);
        var filter = SyscallFilter.Compile(bundle.Linux.Seccomp);
        options.RequireConsoleFor(bundle.Process.Terminal);
        var record = images.ReadRecord();
        record.RequireLike(bundle.Spec);
        using var placement = Placement.Of(global, bundle, options.Id);
        var mounts = record.Mounts.Select(mount => (mount.Point, mount.SourceIn(bundle.Spec, bundle.Directory, placement.Cgroup))).ToArray();
        var container = new RestoredContainer(global, options, Reservation.Make(global, options.Id, bundle, placement));
        try
        {
            container._reservation.Record(filter);
            container.WarnOfMissing(record);
            using var holder = placement.Make(options.Id, bundle.Linux.Resources);
            container.Run(program, images, record, holder, apply(new CriuOptions
            {
                Log = Log,
                Settings = settings,
                Root = Path.GetFullPath(bundle.RootPath),
                ExternalMounts = mounts,
            }));
            return container;
        }
        catch (CriuException e)
        {
            container.Abandon();
            throw CriuLog.Explain(container.WithReason(e), images.LogPath(Log));
        }
        catch
        {
            container.Abandon();
            throw;
        }
    }

    /// <summary>Waits in the foreground for the first process's end, then removes the container.</summary>
    /// <returns>Its exit code.</returns>
    public int Wait()
    {
        if (_master is not null)
        {
            Foreground.CopySize(_master);
        }

        return Foreground.Wait(_reservation, _master, keep: false);
    }

    /// <summary>Undoes all that was made, and disposes this.</summary>
    public void Abandon()
    {
        _reservation.Abandon();
        Dispose();
    }

    public void Dispose()
    {
        _master?.Dispose();
        _reservation.Dispose();
    }

    private Bundle Bundle => _reservation.Bundle;

    // CRIU makes the mounts that the container had, so one that the bundle has got since is not there.
    private void WarnOfMissing(CheckpointRecord record)
    {
        foreach (var mount in OutsideMount.Binds(Bundle.Spec).Where(mount => !record.Mounts.Any(had => had.Of == mount.Destination)))
        {
            _global.Log.Warning($"mount on {mount.Destination}: the checkpoint is of a container without it, so it is not made");
        }
    }

    private void Run(string program, ImageDirectory images, CheckpointRecord record, IDisposable? holder, CriuOptions options)
    {
        using var network = record.JoinsNetwork ? FileSyscalls.Open(CheckpointRecord.NetworkPath(Bundle.Spec)!, OpenFlags.ReadOnly) : null;
        var given = Inherited(record, network);
        try
        {
            // CRIU takes the root from a mount. In a namespace of its own the host never sees that, nor has to be rid of it.
            var (mounts, (directory, work, criu)) = MountNamespace.Create(() =>
            {
                MountRoot();
                if (Bundle.Process.NoNewPrivileges)
                {
                    // CRIU before 3.19 does not restore it. This thread is all but at its end, and what it makes inherits it:
                    // CRIU, and so every process of the container.
                    ProcessSyscalls.SetNoNewPrivileges();
                }

                // First the one whose files are to be written as the host's root.
                var work = images.OpenWork();
                if (_root is not null)
                {
                    images.ShowTo(_root);
                }

                return (images.OpenImages(), work, CriuProcess.Start(program, [.. given.Select(each => each.Descriptor)]));
            });
            using (mounts)
            using (directory)
            using (work)
            using (criu)
            {
                criu.RequireVersion();
                Join(criu.Pid);
                holder?.Dispose();
                criu.Restore(
                    options with
                    {
                        Images = directory.Number,
                        Work = work.Number,
                        Inherited = [.. given.Select((each, i) => (each.Key, CriuProcess.FirstInherited + i))],
                        CgroupRoots = CgroupsOf(criu.Pid),
                    },
                    Take);
            }
        }
        finally
        {
            given.ForEach(each => each.Descriptor.Dispose());
        }
    }

    private List<(string Key, FileDescriptor Descriptor)> Inherited(CheckpointRecord record, FileDescriptor? network)
    {
        var given = new List<(string Key, FileDescriptor Descriptor)>();
        for (var fd = 0; fd < Math.Min(record.Streams.Count, OutsideStreams.Count); fd++)
        {
            // Two streams that were one are one again.
            if (record.Streams[fd].Length > 0 && !given.Exists(each => each.Key == record.Streams[fd]))
            {
                given.Add((record.Streams[fd], Stream(fd)));
            }
        }

        if (network is not null)
        {
            given.Add((NetworkName, FileSyscalls.Duplicate(network)));
        }

        return given;
    }

    private FileDescriptor Stream(int fd)
    {
        var stream = FileSyscalls.Duplicate(fd);
        if (_root is null)
        {
            return stream;
        }

        using (stream)
        {
            return _root.Reach(stream);
        }
    }

    private CriuException WithReason(CriuException failure) => _root is { Unreached: [_, ..] unreached } && failure.Message.Contains("Permission denied", StringComparison.Ordinal)
        ? new CriuException($"{failure.Message}; in a user namespace CRIU opens images and streams as the container's root, who may not read these, on a file system without id-mapped mounts: {string.Join(", ", unreached)}")
        : failure;

    private void MountRoot()
    {
        using var root = RootFilesystem.Mount(Bundle.RootPath, [], null);
        foreach (var mount in Bundle.Spec.Mounts.Where(mount => !MountOptions.Of(mount).IsRemount && !LiesOnAnother(mount.Destination)))
        {
            // The root may be a fresh one, in which no container has been made before.
            Make(root, mount, mount.Destination);
        }

        MakeMountPointsInBinds();
    }

    // CRIU mounts on what it finds there; in a directory of the host's that is bound, nobody else makes it.
    private void MakeMountPointsInBinds()
    {
        foreach (var mount in Bundle.Spec.Mounts.Where(mount => !MountOptions.Of(mount).IsRemount))
        {
            var below = Bundle.Spec.Mounts.Where(other => Lies(mount.Destination, other.Destination)).MaxBy(other => other.Destination.Length);
            var source = below is not null && MountOptions.Of(below).IsBind ? Path.Combine(Bundle.Directory, below.Source ?? "") : "";
            if (Directory.Exists(source))
            {
                using var bound = RootDirectory.Open(source);
                Make(bound, mount, mount.Destination[below!.Destination.TrimEnd('/').Length..]);
            }
        }
    }

    private void Make(RootDirectory root, Mount mount, string path)
    {
        var isFile = MountOptions.Of(mount).IsBind && File.Exists(Path.Combine(Bundle.Directory, mount.Source ?? ""));
        (isFile ? root.OpenOrMakeFile(path) : root.OpenOrMakeDirectory(path)).Dispose();
    }

    private static bool Lies(string destination, string on) => destination.StartsWith(on.TrimEnd('/') + "/", StringComparison.Ordinal);

    private bool LiesOnAnother(string destination) =>
        Bundle.Spec.Mounts.Any(other => Lies(destination, other.Destination));

    // What CRIU makes is born where it is itself.
    private void Join(int pid)
    {
        foreach (var directory in _reservation.Cgroup.All)
        {
            FileSyscalls.WriteKernelFile(directory + "/cgroup.procs", pid.ToString(CultureInfo.InvariantCulture));
        }
    }

    // The images name cgroups by their old place.
    private static List<(string Controller, string Path)> CgroupsOf(int pid)
    {
        var roots = new List<(string Controller, string Path)>();
        foreach (var line in (FileSyscalls.TryReadText($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/cgroup") ?? "").Split('\n'))
        {
            // hierarchy:controller,controller:path
            if (line.Split(':', 3) is [_, var controllers, var path])
            {
                roots.AddRange(controllers.Split(',').Select(controller => (controller, path)));
            }
        }

        return roots;
    }

    private void Take(string step, int pid, FileDescriptor? descriptor)
    {
        switch (step)
        {
            case "setup-namespaces":
                RuntimeHooks.AtCreation(_reservation.State.Id, pid, Bundle.Directory, Bundle.Spec);
                break;
            case "orphan-pts-master" when _master is null && !_consoleSent:
                _master = descriptor ?? throw WherryException.System("CRIU has restored a terminal and not passed it on");
                SendConsole();
                return;
            case "post-restore":
                // All is there and stands still.
                _reservation.SetProcess(pid);
                CloseRoot(pid);
                Limit();
                _reservation.WriteState();
                break;
        }

        descriptor?.Dispose();
    }

    // CRIU has no eye for the root's own options, and writes in it while it restores.
    private void CloseRoot(int pid)
    {
        if (Bundle.Spec.Root?.Readonly is true)
        {
            MountNamespace.RunIn(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/ns/mnt"), () =>
            {
                using var root = FileSyscalls.Open("/", OpenFlags.PathOnly | OpenFlags.Directory);
                MountSyscalls.SetAttributes(root, MountAttributes.ReadOnly, MountAttributes.None, MountFlags.None, recursive: false, "/");
                return true;
            });
        }
    }

    // Not before: CRIU and what it runs were in the cgroup too, and more than the container's processes may need.
    private void Limit()
    {
        var warnings = new List<string>();
        var limits = new CgroupLimits(_reservation.Cgroup, [], warnings);
        limits.Apply(Bundle.Linux.Resources);
        limits.ApplyDevices(Bundle.Linux.Resources);
        CgroupOwner.Give(_reservation.Cgroup, Bundle.Spec);
        if (_global.Log.HasFile || !_options.Detach)
        {
            warnings.ForEach(_global.Log.Warning);
        }
    }

    private void SendConsole()
    {
        if (_options.ConsoleSocket is { } path)
        {
            DescriptorSocket.SendConsole(path, _master!);
            _master!.Dispose();
            _master = null;
            _consoleSent = true;
        }
    }
}
