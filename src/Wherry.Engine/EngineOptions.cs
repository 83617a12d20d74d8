using Wherry.Engine.UserNamespaces;
using Wherry.Images.Distribution;

namespace Wherry.Engine;

/// <summary>Where an engine keeps things and what it calls them; two engines that share none of these don't touch each other.</summary>
public sealed record EngineOptions
{
    /// <summary>State that survives a reboot.</summary>
    public string DataRoot { get; init; } = "/var/lib/wherry";

    /// <summary>Sockets and live state, gone at reboot.</summary>
    public string ExecRoot { get; init; } = "/run/wherry";

    public string BridgeName { get; init; } = "wherry0";

    /// <summary>The bridge's own address and prefix, e.g. <c>172.20.0.1/16</c>; null chooses a free subnet.</summary>
    public string? Bip { get; init; }

    /// <summary>The cgroup under which containers' cgroups are made.</summary>
    public string CgroupParent { get; init; } = "wherry";

    /// <summary>overlay, btrfs or vfs; null for the one that made the layers, or else the best the file system can do.</summary>
    public string? StorageDriver { get; init; }

    /// <summary>Bytes that a container can write over its image where it asks for no size itself; null for what the disk has.</summary>
    public long? RootSize { get; init; }

    /// <summary>Set where an ordinary user runs the engine; null for root's.</summary>
    public RootlessOptions? Rootless { get; init; }

    /// <summary>The user namespace mode (<see cref="UserNamespaceMode"/>) of containers that ask for none.</summary>
    public string UserNamespaces { get; init; } = "host";

    /// <summary>What user namespaces get their ids from; null for what the host's files say.</summary>
    public SubordinateIds? SubordinateIds { get; init; }

    /// <summary>The supervisor's executable.</summary>
    public required string ShimPath { get; init; }

    public bool Debug { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>When images go by themselves.</summary>
    public Cleaning.ImageGcOptions ImageGc { get; init; } = new();

    /// <summary>Mirrors, insecure registries, signatures.</summary>
    public RegistryOptions Registries { get; init; } = new();
}

/// <summary>What an engine without root has of the host.</summary>
/// <param name="NetworkNamespacePath">Where its bridge is, apart from the host's network.</param>
/// <param name="Resolver">The name server that containers reach; null where there is no way out.</param>
/// <param name="Mtu">Of the way out, in bytes.</param>
public sealed record RootlessOptions(string NetworkNamespacePath, string? Resolver, int Mtu);
