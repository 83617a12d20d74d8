using System.Text.Json;
using System.Text.Json.Serialization;

namespace Wherry.Registry.Authentication;

/// <summary>A token's header (RFC 7515).</summary>
internal sealed record TokenHeader
{
    [JsonPropertyName("typ")]
    public string? Type { get; init; }

    [JsonPropertyName("alg")]
    public string? Algorithm { get; init; }

    [JsonPropertyName("kid")]
    public string? KeyId { get; init; }

    [JsonPropertyName("crit")]
    public IReadOnlyList<string>? Critical { get; init; }
}

/// <summary>A token's claims (RFC 7519, and <c>access</c> of Docker's token authentication).</summary>
internal sealed record TokenClaims
{
    [JsonPropertyName("iss")]
    public string? Issuer { get; init; }

    [JsonPropertyName("sub")]
    public string? Subject { get; init; }

    /// <summary>One string or a list of them.</summary>
    [JsonPropertyName("aud")]
    public JsonElement? Audience { get; init; }

    [JsonPropertyName("exp")]
    public long? Expires { get; init; }

    [JsonPropertyName("nbf")]
    public long? NotBefore { get; init; }

    [JsonPropertyName("iat")]
    public long? IssuedAt { get; init; }

    [JsonPropertyName("jti")]
    public string? Id { get; init; }

    [JsonPropertyName("access")]
    public IReadOnlyList<TokenAccess>? Access { get; init; }
}

/// <summary>One right in a token.</summary>
internal sealed record TokenAccess
{
    /// <summary><c>repository</c> or <c>registry</c>.</summary>
    public string? Type { get; init; }

    public string? Name { get; init; }

    public IReadOnlyList<string>? Actions { get; init; }
}

/// <summary>The token endpoint's answer.</summary>
internal sealed record TokenAnswer
{
    public required string Token { get; init; }

    /// <summary>The same under OAuth's name.</summary>
    [JsonPropertyName("access_token")]
    public required string AccessToken { get; init; }

    /// <summary>Seconds.</summary>
    [JsonPropertyName("expires_in")]
    public required int ExpiresIn { get; init; }

    [JsonPropertyName("issued_at")]
    public required string IssuedAt { get; init; }
}

/// <summary>What a token's holder may do, and nothing else.</summary>
public sealed class TokenGrants
{
    private readonly IReadOnlyList<TokenAccess> _access;

    internal TokenGrants(IReadOnlyList<TokenAccess> access) => _access = access;

    /// <summary>The actions a repository's name was granted word for word.</summary>
    public RepositoryAction Of(string repository) => _access
        .Where(access => access.Type == "repository" && access.Name == repository)
        .SelectMany(access => access.Actions ?? [])
        .Aggregate(RepositoryAction.None, (sum, action) => sum | (RepositoryActions.TryParse(action) ?? RepositoryAction.None));
}
