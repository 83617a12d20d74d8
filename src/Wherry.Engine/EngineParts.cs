using Wherry.Engine.Containers;
using Wherry.Engine.Security;
using Wherry.Engine.State;
using Wherry.Engine.UserNamespaces;
using Wherry.Engine.Validation;
using Wherry.Engine.Volumes;
using Wherry.Images;
using Wherry.Networking.Bridge;
using Wherry.Runtime.Contracts;
using Wherry.Storage.Layers;

namespace Wherry.Engine;

/// <summary>What the engine's services share. All of it is thread-safe and lives as long as the engine.</summary>
internal sealed record EngineParts(
    EngineOptions Options,
    ContainerStore Store,
    ContainerRegistry Registry,
    ImageStore Images,
    LayerStore Layers,
    VolumeStore Volumes,
    BridgeNetwork Bridge,
    IIsolation Isolation,
    HostFacts Host,
    Action<string> Log)
{
    public SeccompProfiles Seccomp { get; } = new(Options.ExecRoot);

    public UserNamespaceChoice UserNamespaces { get; } = new(Options, Registry, new UserNamespaceSupport(Options.DataRoot, Layers.DriverName));

    /// <summary>Where a container's supervisor is found, derived from its record alone.</summary>
    public SandboxLocation LocationOf(ContainerRecord record) => new(
        record.Id,
        Store.DirectoryOf(record.Id),
        Path.Combine(Options.ExecRoot, "containers", record.Id),
        CgroupsPathOf(record));

    /// <summary>
    /// What a container has written over its image. Outside the container's own directory, whose name changes
    /// while it is made and removed: the layer store knows a snapshot by its path.
    /// </summary>
    public Snapshot SnapshotOf(ContainerRecord record) => new(SnapshotDirectoryOf(record.Id), record.TopChainId);

    public string SnapshotDirectoryOf(string id) => Path.Combine(Options.DataRoot, "snapshots", id);

    public string LogPathOf(ContainerRecord record) => Path.Combine(Store.DirectoryOf(record.Id), record.Id + "-json.log");

    private string CgroupsPathOf(ContainerRecord record)
    {
        var parent = string.IsNullOrEmpty(record.Host.CgroupParent) ? Options.CgroupParent
            : Options.Rootless is null ? record.Host.CgroupParent
            : $"{Options.CgroupParent}/{record.Host.CgroupParent.Trim('/')}";
        return "/" + parent.Trim('/') + "/" + record.Id;
    }
}
