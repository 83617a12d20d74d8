using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Wherry.Registry.Authentication;

/// <summary>Accepts bearer tokens: who issued them, for whom, until when, and signed with one of the keys.</summary>
/// <param name="keys">Public keys.</param>
/// <param name="issuer">What <c>iss</c> must say; null accepts any issuer with a key.</param>
/// <param name="service">What <c>aud</c> must name.</param>
public sealed class TokenVerifier(TokenKeys keys, string? issuer, string service)
{
    /// <summary>Characters. A token with a hundred repositories has some ten thousand; the server bounds headers to 32 KiB.</summary>
    private const int LongestToken = 32 * 1024;

    /// <summary>How far clocks may be apart.</summary>
    private static readonly TimeSpan Leeway = TimeSpan.FromSeconds(60);

    /// <summary>The token's holder; null where it is not to be trusted.</summary>
    public Identity? Verify(string token)
    {
        if (token.Length > LongestToken || token.Split('.') is not [var head, var body, var signature])
        {
            return null;
        }

        try
        {
            var header = JsonSerializer.Deserialize(Base64Url.DecodeFromChars(head), RegistryJson.Default.TokenHeader);
            if (header is null or { Critical: not null }
                || !keys.Verifies(header.Algorithm, Encoding.ASCII.GetBytes($"{head}.{body}"), Base64Url.DecodeFromChars(signature)))
            {
                return null;
            }

            var claims = JsonSerializer.Deserialize(Base64Url.DecodeFromChars(body), RegistryJson.Default.TokenClaims);
            return claims is not null && IsForUs(claims) ? Identity.WithToken(claims.Subject ?? "", new TokenGrants(claims.Access ?? [])) : null;
        }
        catch (Exception malformed) when (malformed is FormatException or JsonException)
        {
            return null;
        }
    }

    private bool IsForUs(TokenClaims claims)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var leeway = (long)Leeway.TotalSeconds;
        return (issuer is null || claims.Issuer == issuer)
            && claims.Expires is { } expires && now < expires + leeway
            && (claims.NotBefore is not { } from || now >= from - leeway)
            && claims.Audience is { } audience
            && (audience.ValueKind == JsonValueKind.Array
                ? audience.EnumerateArray().Any(entry => entry.ValueKind == JsonValueKind.String && entry.ValueEquals(service))
                : audience.ValueKind == JsonValueKind.String && audience.ValueEquals(service));
    }
}
