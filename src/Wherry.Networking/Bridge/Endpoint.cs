namespace Wherry.Networking.Bridge;

/// <summary>
/// A container's place on the bridge, as the engine keeps it in its record: all that the bridge
/// needs to take it up again after a restart.
/// </summary>
public sealed record Endpoint
{
    /// <summary>64 hexadecimal digits, as in Docker.</summary>
    public required string EndpointId { get; init; }

    public required string ContainerId { get; init; }

    /// <summary>The container's name when it was plugged in; only for messages.</summary>
    public string ContainerName { get; init; } = "";

    public required string MacAddress { get; init; }

    public required string Address { get; init; }

    public required int PrefixLength { get; init; }

    public required string Gateway { get; init; }

    /// <summary>The host's end of the veth pair.</summary>
    public required string HostInterface { get; init; }

    public IReadOnlyList<PublishedPort> Ports { get; init; } = [];
}

/// <summary>A published port as it was bound. A request without a host address yields one for <c>0.0.0.0</c> and one for <c>::</c>.</summary>
public sealed record PublishedPort(string Protocol, ushort ContainerPort, string HostIp, ushort HostPort);
