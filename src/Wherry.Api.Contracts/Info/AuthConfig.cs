using System.Text.Json.Serialization;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace Wherry.Api.Contracts.Info;

/// <summary>Credentials for a registry.</summary>
public sealed record AuthConfig
{
    [JsonPropertyName("username")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Username { get; init; }

    [JsonPropertyName("password")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Password { get; init; }

    [JsonPropertyName("auth")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Auth { get; init; }

    [JsonPropertyName("serveraddress")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? ServerAddress { get; init; }

    [JsonPropertyName("identitytoken")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? IdentityToken { get; init; }

    [JsonPropertyName("registrytoken")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? RegistryToken { get; init; }
}
