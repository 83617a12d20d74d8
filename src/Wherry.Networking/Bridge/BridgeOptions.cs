namespace Wherry.Networking.Bridge;

/// <summary>What makes one engine's bridge its own; engines with different names do not touch each other.</summary>
public sealed record BridgeOptions
{
    /// <summary>The bridge interface, at most 15 bytes (IFNAMSIZ). An existing bridge of that name is used as it is.</summary>
    public string BridgeName { get; init; } = "wherry0";

    /// <summary>The bridge's address with prefix length (<c>--bip</c>), or null to keep the one it has, or else to choose a free subnet.</summary>
    public string? Bip { get; init; }

    /// <summary>The nftables table (family ip) that holds everything of this bridge and nothing else.</summary>
    public string TableName => "wherry_" + BridgeName;

    /// <summary>
    /// The network namespace the bridge lives in, e.g. <c>/proc/PID/ns/net</c>; null for the engine's own. From another no
    /// packet comes out by itself: ports are then published by relays on the engine's side.
    /// </summary>
    public string? NamespacePath { get; init; }

    /// <summary>The links' MTU in bytes, or null for the kernel's 1500.</summary>
    public int? Mtu { get; init; }
}
