using Wherry.Engine.Cleaning;
using Wherry.Engine.Containers;
using Wherry.Engine.Execs;
using Wherry.Engine.Hosts;
using Wherry.Engine.Isolation;
using Wherry.Engine.Networks;
using Wherry.Engine.Security;
using Wherry.Engine.State;
using Wherry.Engine.Validation;
using Wherry.Engine.Volumes;
using Wherry.Images;
using Wherry.Images.Distribution;
using Wherry.Linux.Cgroups;
using Wherry.Networking.Bridge;
using Wherry.Storage.Layers;

namespace Wherry.Engine;

/// <summary>
/// One engine: the only writer of its data root. Disposing ends the engine's work and leaves the containers
/// running under their supervisors.
/// </summary>
public sealed class WherryEngine : IAsyncDisposable
{
    private readonly EngineParts _parts;
    private ImageCollector? _collector;

    private WherryEngine(EngineParts parts)
    {
        _parts = parts;
        Containers = new ContainerService(parts);
        Execs = new ExecService(parts);
        Containers.ExecIdsOf = Execs.RunningIdsOf;
        Networks = new NetworkService(parts);
        Registries = new RegistryClient(parts.Images, parts.Options.Registries);
        System = new SystemService(parts, Containers);
        Prune = new PruneService(parts, Containers);
        DiskUsage = new DiskUsage(parts, Containers);
    }

    public ContainerService Containers { get; }

    public ExecService Execs { get; }

    public ImageStore Images => _parts.Images;

    /// <summary>Of layers and containers' roots.</summary>
    public string StorageDriver => _parts.Layers.DriverName;

    public RegistryClient Registries { get; }

    public VolumeStore Volumes => _parts.Volumes;

    public NetworkService Networks { get; }

    public SystemService System { get; }

    public PruneService Prune { get; }

    public DiskUsage DiskUsage { get; }

    /// <summary>Opens the data root and brings the world and its records into agreement before it returns.</summary>
    /// <param name="options">Where things are; the caller holds the data root's lock.</param>
    /// <param name="log">Receives one line per event worth a person's attention; called from any thread.</param>
    /// <param name="cancel">Gives up opening.</param>
    public static async Task<WherryEngine> OpenAsync(EngineOptions options, Action<string> log, CancellationToken cancel)
    {
        if (options.Rootless is not null)
        {
            // A path from the root of the tree: what the user may write is somewhere below.
            options = options with { CgroupParent = $"{TakeDelegated(options.CgroupParent.Trim('/') + ".engine", log)}/{options.CgroupParent.Trim('/')}" };
        }

        Directory.CreateDirectory(options.DataRoot);
        File.SetUnixFileMode(options.DataRoot, TraversableMode);
        Directory.CreateDirectory(options.ExecRoot);
        File.SetUnixFileMode(options.ExecRoot, TraversableMode);
        var layers = LayerStore.Open(options.DataRoot, options.StorageDriver, log);
        RootSize.Require(options.RootSize, layers);
        var parts = new EngineParts(
            options,
            new ContainerStore(options.DataRoot),
            new ContainerRegistry(),
            ImageStore.Open(options.DataRoot, layers),
            layers,
            VolumeStore.Open(options.DataRoot, log),
            new BridgeNetwork(
                new BridgeOptions
                {
                    BridgeName = options.BridgeName,
                    Bip = options.Bip,
                    Mtu = options.Rootless?.Mtu ?? UplinkMtu.Read(),
                    NamespacePath = options.Rootless?.NetworkNamespacePath,
                },
                log),
            new ProcessIsolation(options.ShimPath),
            AppArmorProfiles.WithDefault(options.Rootless is null ? HostFacts.Probe() : HostFacts.Probe().ForRootless(options.CgroupParent), log),
            log);
        parts.Seccomp.Clear();
        var engine = new WherryEngine(parts);
        await new Reconciliation(parts, engine.Containers.End, engine.Containers.Removal).RunAsync(cancel).ConfigureAwait(false);
        engine._collector = new ImageCollector(parts, engine.Prune);
        return engine;
    }

    private static string? TakeDelegated(string leaf, Action<string> log)
    {
        var cgroups = CgroupHost.Detect();
        var delegated = cgroups.FindDelegated();
        if (delegated is not null && !cgroups.TryVacate(delegated, leaf))
        {
            log($"the cgroup /{delegated} has processes that can't be moved out of the way: limits of containers will be refused");
        }

        return delegated;
    }

    public ValueTask DisposeAsync() => _collector?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>0711: ordinary users may reach what they are told the path of, and list nothing.</summary>
    private const UnixFileMode TraversableMode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
}
