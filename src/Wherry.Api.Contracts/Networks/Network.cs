using System.Text.Json.Serialization;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace Wherry.Api.Contracts.Networks;

/// <summary>A network, as listed and inspected.</summary>
public sealed record Network
{
    public string Name { get; init => field = value ?? ""; } = "";

    public string Id { get; init => field = value ?? ""; } = "";

    /// <summary>RFC 3339 with nanoseconds.</summary>
    public string Created { get; init => field = value ?? ""; } = "";

    public string Scope { get; init => field = value ?? ""; } = "";

    public string Driver { get; init => field = value ?? ""; } = "";

    public bool EnableIPv4 { get; init; }

    public bool EnableIPv6 { get; init; }

    public IPAM IPAM { get; init => field = value ?? new(); } = new();

    public bool Internal { get; init; }

    public bool Attachable { get; init; }

    public bool Ingress { get; init; }

    public ConfigReference ConfigFrom { get; init => field = value ?? new(); } = new();

    public bool ConfigOnly { get; init; }

    /// <summary>By container ID; only when inspected.</summary>
    public Dictionary<string, EndpointResource> Containers { get; init => field = value ?? []; } = [];

    public Dictionary<string, string> Options { get; init => field = value ?? []; } = [];

    public Dictionary<string, string> Labels { get; init => field = value ?? []; } = [];
}

/// <summary>Where a network's configuration comes from.</summary>
public sealed record ConfigReference
{
    public string Network { get; init => field = value ?? ""; } = "";
}

/// <summary>How a network gives out addresses.</summary>
public sealed record IPAM
{
    public string Driver { get; init => field = value ?? ""; } = "";

    public Dictionary<string, string>? Options { get; init; }

    public IReadOnlyList<IPAMConfig> Config { get; init => field = value ?? []; } = [];
}

/// <summary>One subnet.</summary>
public sealed record IPAMConfig
{
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Subnet { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public string? IPRange { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Gateway { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public Dictionary<string, string>? AuxiliaryAddresses { get; init; }
}

/// <summary>A container on an inspected network. Addresses carry their prefix length.</summary>
public sealed record EndpointResource
{
    public string Name { get; init => field = value ?? ""; } = "";

    public string EndpointID { get; init => field = value ?? ""; } = "";

    public string MacAddress { get; init => field = value ?? ""; } = "";

    public string IPv4Address { get; init => field = value ?? ""; } = "";

    public string IPv6Address { get; init => field = value ?? ""; } = "";
}
