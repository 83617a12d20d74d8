namespace Wherry.Networking.Bridge;

/// <summary>What the engine asks when it plugs a container into the bridge.</summary>
public sealed record EndpointRequest
{
    public required string ContainerId { get; init; }

    /// <summary>Names the container in error messages and in the rules' comments.</summary>
    public required string ContainerName { get; init; }

    /// <summary>A path that opens the namespace, e.g. <c>/proc/PID/ns/net</c>; it is opened once, at the start.</summary>
    public required string NetworkNamespacePath { get; init; }

    public IReadOnlyList<PortRequest> Ports { get; init; } = [];

    /// <summary>An IPv4 address in the bridge's subnet, or null for any.</summary>
    public string? RequestedAddress { get; init; }

    /// <summary>The container's link-layer address, or null to derive it from the IPv4 address.</summary>
    public string? MacAddress { get; init; }

    public string? Hostname { get; init; }
}

/// <summary>One port to publish.</summary>
/// <param name="Protocol"><c>tcp</c>, <c>udp</c> or <c>sctp</c>.</param>
/// <param name="ContainerPort">The port inside the container.</param>
/// <param name="HostIp">The host address to publish on; null or empty for all of them, IPv4 and IPv6.</param>
/// <param name="HostPort">The host's port; 0 to have a free one chosen.</param>
public sealed record PortRequest(string Protocol, ushort ContainerPort, string? HostIp, ushort HostPort);
