using Wherry.Engine.Networks;
using Wherry.Engine.Specs;
using Wherry.Engine.State;
using Wherry.Engine.Validation;
using Wherry.Engine.Volumes;
using Wherry.Errors;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;
using Wherry.Storage.Layers;

namespace Wherry.Engine.Containers;

/// <summary>From a container's record to what its isolation is asked to make.</summary>
internal sealed class SandboxPlan(EngineParts parts, ContainerRecord record)
{
    /// <summary>Writes the container's /etc files and describes its sandbox.</summary>
    /// <exception cref="WherryException">Conflict: a container whose namespaces are joined does not run.</exception>
    public SandboxRequest Make()
    {
        var location = parts.LocationOf(record);
        var peer = Peer.Running(parts.Registry, record.Host.NetworkMode, "network");
        if (peer is null)
        {
            NetworkFiles.Write(parts, record, NetworkMode.Parse(record.Host.NetworkMode));
        }

        BindSources.Ensure(record.Mounts);
        var snapshot = parts.SnapshotOf(record);
        var donor = Peer.Running(parts.Registry, record.Host.IpcMode, "IPC");
        var inputs = InputsOf(parts, record, peer) with
        {
            Devices = HostDevices.Resolve(record.Host),
            PidNamespacePath = Peer.PathOf(Peer.Running(parts.Registry, record.Host.PidMode, "PID namespace"), "pid"),
            IpcNamespacePath = Peer.PathOf(donor, "ipc"),
            UserNamespacePath = record.Ids is null ? null : Peer.PathOf(Peer.Running(parts.Registry, record.Host.UsernsMode, "the user namespace"), "user"),
        };
        var seccomp = parts.Seccomp.For(record.Host, DefaultCapabilities.For(record.Host, parts.Host), parts.Host);
        return new SandboxRequest
        {
            Location = location,
            Spec = SpecBuilder.Build(inputs with { Seccomp = seccomp?.Config, BlockIo = BlockIoPlan.Resolve(record.Host) }),
            Options = new SandboxOptions
            {
                Rootfs = [RootfsOf(snapshot)],
                User = record.Config.User.Length > 0 ? record.Config.User : null,
                AdditionalGroups = record.Host.GroupAdd ?? [],
                Init = record.Host.Init == true,
                OpenStdin = record.Config.OpenStdin,
                StdinOnce = record.Config.StdinOnce,
                Log = LogOf(),
                CopyUps = [.. CopyUps()],
                SharedMemoryOf = Peer.PathOf(donor, "mnt"),
                SeccompCache = seccomp?.CacheFile,
                NoSuidRoot = SecurityOptions.Parse(record.Host.SecurityOpt).NoSuid,
                AskedByName = SpecBuilder.AskedByName(record.Host),
            },
        };
    }

    /// <summary>
    /// The container's specification again, for what is derived from it later, such as an exec's process; without the
    /// host's devices, which may be gone by then.
    /// </summary>
    public static Spec SpecOf(EngineParts parts, ContainerRecord record) => SpecBuilder.Build(InputsOf(parts, record, peer: null));

    private static SpecInputs InputsOf(EngineParts parts, ContainerRecord record, Container? peer)
    {
        var directory = parts.Store.DirectoryOf(record.Id);
        return new SpecInputs
        {
            Id = record.Id,
            Config = record.Config,
            Host = record.Host,
            RootPath = parts.SnapshotOf(record).RootFs,
            ContainerDirectory = peer is null ? directory : parts.Store.DirectoryOf(peer.Id),
            NetworkNamespacePath = Peer.PathOf(peer, "net"),
            Ids = record.Ids?.Map,
            CgroupsPath = parts.LocationOf(record).CgroupsPath,
            HostFacts = parts.Host,
            Mounts = record.Mounts,
        };
    }

    private RootfsMount RootfsOf(Snapshot snapshot)
    {
        var mount = parts.Layers.Mount(snapshot);
        return new RootfsMount
        {
            Type = mount.Kind switch
            {
                SnapshotMountKind.Overlay => "overlay",
                SnapshotMountKind.FuseOverlay => "fuse-overlayfs",
                _ => "bind",
            },
            Program = mount.Program,
            LowerDirectories = mount.Lower,
            UpperDirectory = mount.Upper,
            WorkDirectory = mount.Work,
            IdMapped = record.Ids is not null,
            Options = mount.Options,
        };
    }

    private LogFile? LogOf()
    {
        var options = LogOptions.Parse(record.Host.LogConfig);
        return options.IsKept ? new LogFile(parts.LogPathOf(record), options.MaxSizeBytes, options.MaxFiles) : null;
    }

    private IEnumerable<VolumeCopyUp> CopyUps() =>
        from mount in record.Mounts
        where mount.CopyUp
        select new VolumeCopyUp(mount.Source!, mount.Destination);
}
