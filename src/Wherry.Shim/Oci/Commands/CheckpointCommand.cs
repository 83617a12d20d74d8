using System.Globalization;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Cgroups;
using Wherry.Linux.Files;
using Wherry.Runtime.Checkpoints;
using Wherry.Shim.Oci.Checkpoints;
using Wherry.Shim.Oci.CommandLine;
using Wherry.Shim.Oci.Containers;

namespace Wherry.Shim.Oci.Commands;

/// <summary><c>checkpoint</c>: writes images of a container's processes, and removes the container unless it is to run on.</summary>
public sealed class CheckpointCommand : ICommand
{
    private const string Log = "dump.log";

    public OptionTable Options => new("checkpoint [options] ID",
    [
        .. CheckpointOptions.Options,
        "parent-path= Earlier images, of which only what has changed is written; relative to the image path",
        "leave-running Let the container run on",
        "pre-dump Write images of memory alone, for a later checkpoint",
        "page-server= ADDRESS:PORT of a criu page-server that takes the memory; with lazy-pages where it is asked for",
        "status-fd= Descriptor that is written a zero byte when the pages of lazy-pages are served",
    ]);

    public int Run(GlobalOptions global, ParsedOptions parsed)
    {
        var id = parsed.RequireId("checkpoint");
        CheckpointOptions.Require(parsed);
        using var status = LazyPages.Require(parsed);
        var program = CriuProcess.Find(global.Criu);
        using var container = Container.OpenLocked(global.Root, id);
        RequireProgram(container);
        CheckpointCheck.Require(container.Spec);
        var settings = CriuSettings.Find(container.Spec);
        CheckpointCheck.RequireOneTree(container.State.Pid, container.Cgroup.Processes());
        var path = CheckpointOptions.ImagePath(parsed);
        var parent = parsed.Text("parent-path") is { Length: > 0 } given ? given : null;
        if (parent is not null)
        {
            ImageDirectory.RequireParent(path, parent);
        }

        var wasFrozen = Freezer.IsFrozen(container.Cgroup);
        var options = CheckpointOptions.Apply(parsed, OptionsFor(container) with
        {
            Settings = settings,
            LeaveRunning = parsed.IsOn("leave-running") || parsed.IsOn("pre-dump"),
            Parent = parent,
            TracksMemory = parent is not null || parsed.IsOn("pre-dump"),
            PageServer = CheckpointOptions.PageServer(parsed),
        });
        var images = ImageDirectory.Make(path, CheckpointOptions.WorkPath(parsed), Log);
        try
        {
            Dump(program, container, images, options, parsed.IsOn("pre-dump"), () => Serve(container, status, global.Log));
        }
        catch (Exception e)
        {
            if (!wasFrozen && container.IsAlive())
            {
                // CRIU thaws what it has frozen, unless it was killed.
                Freezer.TryThaw(container.Cgroup);
            }

            images.Undo(Log);
            if (e is CriuException failure)
            {
                throw CriuLog.Explain(failure, images.LogPath(Log));
            }

            throw;
        }

        if (!options.LeaveRunning)
        {
            if (options.LazyPages)
            {
                container.Lock();
            }

            Removal.Remove(global, container);
        }

        return 0;
    }

    private static void RequireProgram(Container container)
    {
        if (container.Status() is not (ContainerStatus.Running or ContainerStatus.Paused) and var status)
        {
            throw WherryException.Conflict($"Container cannot be checkpointed in {status.Text()} state");
        }
    }

    private static CriuOptions OptionsFor(Container container) => new()
    {
        Log = Log,
        Root = container.State.Rootfs,
        Pid = container.State.Pid,
        FreezeCgroup = container.Cgroup.V1("freezer") ?? container.Cgroup.Unified,
    };

    private static void Dump(string program, Container container, ImageDirectory images, CriuOptions options, bool memoryOnly, Action onServed)
    {
        var record = CheckpointRecord.Of(container.Spec) with
        {
            Streams = OutsideStreams.Find(container.State.Pid),
            Mounts = OutsideMount.Find(container.State.Pid, container.Spec, container.Cgroup),
        };
        using var directory = images.OpenImages();
        using var work = images.OpenWork();
        options = options with
        {
            Images = directory.Number,
            Work = work.Number,
            External = [.. OutsideStreams.External(record.Streams), .. Network(container.State.Pid, record)],
            ExternalMounts = [.. record.Mounts.Select(mount => (mount.Point, mount.Point))],
        };
        using var criu = CriuProcess.Start(program, []);
        criu.RequireVersion();
        using var signals = options.LazyPages ? LazyPages.TakeSignals() : null;
        if (signals is not null)
        {
            criu.RequireLazyPages();
            criu.GiveUpWith(container.State.Pid, signals);
        }

        if (memoryOnly)
        {
            criu.PreDump(options);
            return;
        }

        // Before the processes end, so that there is no checkpoint without.
        images.WriteRecord(record);
        criu.Dump(options, (step, _, descriptor) =>
        {
            descriptor?.Dispose();
            if (step == "status-ready" && options.LazyPages)
            {
                onServed();
            }
        });
    }

    // Until somebody elsewhere has all pages, which may be never: other commands are not to wait for that.
    private static void Serve(Container container, FileDescriptor? status, OciLog log)
    {
        container.Directory.Unlock();
        if (status is not null)
        {
            LazyPages.TellReady(status, log);
        }
    }

    private static string[] Network(int pid, CheckpointRecord record) => record.JoinsNetwork
        ? [string.Create(CultureInfo.InvariantCulture, $"net[{NamespaceInode(pid)}]:{RestoredContainer.NetworkName}")]
        : [];

    private static ulong NamespaceInode(int pid)
    {
        using var ns = FileSyscalls.Open(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/ns/net"), OpenFlags.ReadOnly);
        return FileStatus.Of(ns).Inode;
    }
}
