using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Wherry.Registry.Names;

namespace Wherry.Registry.Authentication;

/// <summary>Gives out tokens with the rights that were asked for and are the asker's to have.</summary>
/// <param name="key">P-256, private.</param>
/// <param name="rules">Who may do what.</param>
/// <param name="issuer">The token's <c>iss</c>.</param>
/// <param name="service">The token's <c>aud</c>.</param>
/// <param name="lifetime">From now to <c>exp</c>.</param>
public sealed class TokenIssuer(ECDsa key, AccessRules rules, string issuer, string service, TimeSpan lifetime)
{
    /// <summary>Scopes beyond so many are not looked at; a pull needs one and a mount two.</summary>
    private const int MostScopes = 100;

    internal TokenAnswer Issue(string? user, IEnumerable<string> scopes)
    {
        var now = DateTimeOffset.UtcNow;
        var claims = new TokenClaims
        {
            Issuer = issuer,
            Subject = user ?? "",
            Audience = JsonSerializer.SerializeToElement(service, RegistryJson.Default.String),
            Expires = (now + lifetime).ToUnixTimeSeconds(),
            NotBefore = now.ToUnixTimeSeconds(),
            IssuedAt = now.ToUnixTimeSeconds(),
            Id = Guid.NewGuid().ToString("N"),
            Access = [.. scopes.Take(MostScopes).Select(scope => Grant(user, scope)).OfType<TokenAccess>()],
        };
        var head = Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(new TokenHeader { Type = "JWT", Algorithm = "ES256" }, RegistryJson.Default.TokenHeader));
        var body = Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(claims, RegistryJson.Default.TokenClaims));
        var signature = Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes($"{head}.{body}"), HashAlgorithmName.SHA256));
        var token = $"{head}.{body}.{signature}";
        return new TokenAnswer
        {
            Token = token,
            AccessToken = token,
            ExpiresIn = (int)lifetime.TotalSeconds,
            IssuedAt = now.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        };
    }

    /// <summary>Of <c>repository:NAME:ACTION,…</c> what the user may have; null for nothing.</summary>
    private TokenAccess? Grant(string? user, string scope)
    {
        var first = scope.IndexOf(':', StringComparison.Ordinal);
        var last = scope.LastIndexOf(':');
        if (first <= 0 || last <= first || scope[..first] != "repository")
        {
            return null;
        }

        var name = scope[(first + 1)..last];
        // The star stands for the registry's own operations, which are whoever's who may do everything everywhere.
        if (name != "*" && !RepositoryName.IsValid(name))
        {
            return null;
        }

        var asked = scope[(last + 1)..].Split(',').Aggregate(RepositoryAction.None, (sum, action) => sum | (RepositoryActions.TryParse(action) ?? RepositoryAction.None));
        var granted = asked & rules.Of(user, name);
        return granted == RepositoryAction.None ? null : new TokenAccess { Type = "repository", Name = name, Actions = granted.Names() };
    }
}
