using System.Text;
using Microsoft.AspNetCore.Http;

namespace Wherry.Registry.Authentication;

/// <summary>How a registry finds out who asks.</summary>
public sealed record GatekeeperOptions
{
    /// <summary>Names and passwords; null for none.</summary>
    public HtpasswdFile? Passwords { get; init; }

    public AccessRules Rules { get; init; } = new([]);

    /// <summary>Checks bearer tokens; null for none.</summary>
    public TokenVerifier? Verifier { get; init; }

    /// <summary>Gives out tokens at <c>/token</c>; null where somebody else does, or nobody.</summary>
    public TokenIssuer? Issuer { get; init; }

    /// <summary>Where clients get tokens; null for this registry's own <c>/token</c>.</summary>
    public string? Realm { get; init; }

    /// <summary>What clients ask tokens for.</summary>
    public string Service { get; init; } = "wherry-registry";
}

/// <summary>Finds out who asks, decides whether they may, and tells them how to prove who they are.</summary>
public sealed class Gatekeeper(GatekeeperOptions options)
{
    private const int LongestCredentials = 4096;

    /// <summary>Whether anybody is asked at all.</summary>
    public bool IsOpen => options.Passwords is null && options.Verifier is null;

    /// <summary>Gives out tokens; null where this registry does not.</summary>
    public TokenIssuer? Issuer => options.Issuer;

    /// <summary>Who sent the request.</summary>
    /// <exception cref="RegistryException">UNAUTHORIZED: the credentials are wrong.</exception>
    internal async ValueTask<Identity> IdentifyAsync(HttpContext http)
    {
        if (IsOpen)
        {
            return Identity.Everybody;
        }

        if (http.Request.Headers.Authorization is not { Count: > 0 } values || values[0] is not { Length: > 0 } header)
        {
            return Identity.WithRules(null, options.Rules);
        }

        if (header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) && options.Verifier is { } verifier)
        {
            return verifier.Verify(header["Bearer ".Length..].Trim()) ?? throw Unauthorized("the token is not valid");
        }

        if (header.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase) && options.Passwords is not null)
        {
            var (name, password) = Decode(header["Basic ".Length..]) ?? throw Unauthorized("the credentials are malformed");
            return await LogInAsync(name, password, http.RequestAborted).ConfigureAwait(false);
        }

        throw Unauthorized("this kind of authentication is not accepted");
    }

    internal async ValueTask<Identity> LogInAsync(string name, string password, CancellationToken cancel) =>
        options.Passwords is { } passwords && await passwords.IsValidAsync(name, password, cancel).ConfigureAwait(false)
            ? Identity.WithRules(name, options.Rules)
            : throw Unauthorized("unknown user or wrong password");

    /// <summary>Lets the request through, or says why not.</summary>
    internal static void Require(Identity identity, string repository, RepositoryAction action)
    {
        if (!identity.May(repository, action))
        {
            throw Refusal(identity, repository);
        }
    }

    /// <summary>Lets through whoever has proved to be somebody; with tokens, a token without a name is proof enough.</summary>
    internal void RequireSomebody(Identity identity)
    {
        if (!IsOpen && identity.Name is null && !identity.HasToken)
        {
            throw Unauthorized("authentication required");
        }
    }

    internal static void RequireAdministrator(Identity identity)
    {
        if (!identity.IsAdministrator)
        {
            throw Refusal(identity, "the registry");
        }
    }

    /// <summary>What the client should do about a 401 (RFC 6750, section 3; Docker's token authentication).</summary>
    /// <param name="scope"><c>repository:NAME:ACTIONS</c>; null for none.</param>
    /// <param name="forBrowser">Browsers know nothing of tokens.</param>
    internal string Challenge(HttpContext http, string? scope, bool forBrowser)
    {
        if (options.Verifier is null || (forBrowser && options.Passwords is not null))
        {
            return "Basic realm=\"Wherry registry\", charset=\"UTF-8\"";
        }

        var realm = options.Realm ?? $"{http.Request.Scheme}://{http.Request.Host.ToUriComponent()}/token";
        var challenge = new StringBuilder($"Bearer realm=\"{realm}\",service=\"{options.Service}\"");
        if (scope is not null)
        {
            challenge.Append($",scope=\"{scope}\"");
        }

        if (http.Request.Headers.Authorization.Count > 0)
        {
            challenge.Append(scope is null ? ",error=\"invalid_token\"" : ",error=\"insufficient_scope\"");
        }

        return challenge.ToString();
    }

    /// <summary>Name and password of a Basic header (RFC 7617); null where it is none.</summary>
    internal static (string Name, string Password)? Decode(string encoded)
    {
        if (encoded.Length > LongestCredentials)
        {
            return null;
        }

        try
        {
            var text = Encoding.UTF8.GetString(Convert.FromBase64String(encoded.Trim()));
            var colon = text.IndexOf(':', StringComparison.Ordinal);
            return colon < 0 ? null : (text[..colon], text[(colon + 1)..]);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static RegistryException Unauthorized(string message) => new(401, ErrorCode.Unauthorized, message);

    /// <summary>Whoever may get further rights by saying who they are, or with another token, is asked to; others are refused.</summary>
    private static RegistryException Refusal(Identity identity, string what) => identity.Name is null || identity.HasToken
        ? new RegistryException(401, ErrorCode.Unauthorized, "authentication required", what)
        : new RegistryException(403, ErrorCode.Denied, "requested access to the resource is denied", what);
}
