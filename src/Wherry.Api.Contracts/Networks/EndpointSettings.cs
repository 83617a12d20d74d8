using System.Text.Json.Serialization;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace Wherry.Api.Contracts.Networks;

/// <summary>The networks a new container joins, by name.</summary>
public sealed record NetworkingConfig
{
    public Dictionary<string, EndpointSettings>? EndpointsConfig { get; init; }
}

/// <summary>A container's place on one network: what was asked, and what it got.</summary>
public sealed record EndpointSettings
{
    public EndpointIPAMConfig? IPAMConfig { get; init; }

    public IReadOnlyList<string>? Links { get; init; }

    public IReadOnlyList<string>? Aliases { get; init; }

    public string MacAddress { get; init => field = value ?? ""; } = "";

    public Dictionary<string, string>? DriverOpts { get; init; }

    public long GwPriority { get; init; }

    public string NetworkID { get; init => field = value ?? ""; } = "";

    public string EndpointID { get; init => field = value ?? ""; } = "";

    public string Gateway { get; init => field = value ?? ""; } = "";

    public string IPAddress { get; init => field = value ?? ""; } = "";

    public int IPPrefixLen { get; init; }

    public string IPv6Gateway { get; init => field = value ?? ""; } = "";

    public string GlobalIPv6Address { get; init => field = value ?? ""; } = "";

    public int GlobalIPv6PrefixLen { get; init; }

    public IReadOnlyList<string>? DNSNames { get; init; }
}

/// <summary>Addresses asked for.</summary>
public sealed record EndpointIPAMConfig
{
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? IPv4Address { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public string? IPv6Address { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public IReadOnlyList<string>? LinkLocalIPs { get; init; }
}

/// <summary>One address and port of the host.</summary>
public sealed record PortBinding
{
    /// <summary>Empty for every address.</summary>
    public string HostIp { get; init => field = value ?? ""; } = "";

    /// <summary>A number, a range <c>first-last</c> to choose from, or empty for any free port.</summary>
    public string HostPort { get; init => field = value ?? ""; } = "";
}
