using System.Text.Json.Serialization;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace Wherry.Api.Contracts.Networks;

/// <summary>
/// A container's networks. The fields from <see cref="Bridge"/> on repeat the default bridge's endpoint for
/// clients of API 1.51 and older; they are absent from newer answers.
/// </summary>
public sealed record NetworkSettings
{
    public string SandboxID { get; init => field = value ?? ""; } = "";

    /// <summary>Path of the network namespace.</summary>
    public string SandboxKey { get; init => field = value ?? ""; } = "";

    /// <summary>Keys are <c>port/protocol</c>; null where a port is exposed but not published.</summary>
    public Dictionary<string, IReadOnlyList<PortBinding>?> Ports { get; init => field = value ?? []; } = [];

    public Dictionary<string, EndpointSettings> Networks { get; init => field = value ?? []; } = [];

    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Bridge { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public bool? HairpinMode { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public string? LinkLocalIPv6Address { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public int? LinkLocalIPv6PrefixLen { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public string? EndpointID { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Gateway { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public string? IPAddress { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public int? IPPrefixLen { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public string? IPv6Gateway { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public string? GlobalIPv6Address { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public int? GlobalIPv6PrefixLen { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public string? MacAddress { get; init; }
}
