using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Wherry.Errors;

namespace Wherry.Images.Distribution.Http;

/// <summary>
/// Answers one endpoint's challenges: basic with the user's password, bearer with tokens from the realm the registry
/// names (distribution's token specification, with refresh tokens by OAuth2).
/// </summary>
/// <remarks>Thread-safe. Tokens live as long as the session that asked for them.</remarks>
internal sealed class Authorizer(Transport transport, Endpoint endpoint, RegistryCredentials? credentials)
{
    private const int LargestAnswer = 1 << 20;
    private const string ClientId = "wherry";

    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly Dictionary<string, (AuthenticationHeaderValue Header, DateTime Until)> _tokens = new(StringComparer.Ordinal);
    private IReadOnlyList<Challenge>? _challenges;

    /// <summary>A refresh token that the realm gave in exchange for a password, when it was asked for one.</summary>
    internal string? IdentityToken { get; private set; }

    /// <summary>What to send along with a request of these scopes; null before the endpoint has ever asked.</summary>
    internal async Task<AuthenticationHeaderValue?> HeaderAsync(IReadOnlyList<string> scopes, CancellationToken cancel)
    {
        if (!string.IsNullOrEmpty(credentials?.RegistryToken))
            return new AuthenticationHeaderValue("Bearer", credentials.RegistryToken);
        return _challenges is null ? null : await AnswerAsync(scopes, fresh: false, wantsIdentity: false, cancel);
    }

    /// <summary>What to send after a challenge. Null when there is nothing to answer it with, or it was answered already.</summary>
    internal async Task<AuthenticationHeaderValue?> ChallengedAsync(HttpResponseMessage response, IReadOnlyList<string> scopes, bool wantsIdentity, CancellationToken cancel)
    {
        if (!string.IsNullOrEmpty(credentials?.RegistryToken))
            return null;
        _challenges = [.. response.Headers.TryGetValues("WWW-Authenticate", out var fields) ? fields.SelectMany(Challenge.Parse) : []];
        // The token that was sent, if any, was not good enough: perhaps it has run out.
        var used = response.RequestMessage?.Headers.Authorization;
        return await AnswerAsync(scopes, fresh: used is not null, wantsIdentity, cancel);
    }

    private async Task<AuthenticationHeaderValue?> AnswerAsync(IReadOnlyList<string> scopes, bool fresh, bool wantsIdentity, CancellationToken cancel)
    {
        if (_challenges!.FirstOrDefault(challenge => challenge.Scheme == "bearer" && challenge["realm"] is not null) is { } bearer)
            return await BearerAsync(bearer, scopes, fresh, wantsIdentity, cancel);
        return _challenges!.Any(challenge => challenge.Scheme == "basic") && credentials is { HasPassword: true } ? Basic(credentials) : null;
    }

    private async Task<AuthenticationHeaderValue> BearerAsync(Challenge challenge, IReadOnlyList<string> scopes, bool fresh, bool wantsIdentity, CancellationToken cancel)
    {
        var wanted = scopes.Count > 0 ? scopes : challenge["scope"] is { Length: > 0 } asked ? asked.Split(' ', StringSplitOptions.RemoveEmptyEntries) : [];
        var key = string.Join(' ', wanted);
        await _gate.WaitAsync(cancel);
        try
        {
            if (!fresh && _tokens.TryGetValue(key, out var known) && known.Until > DateTime.UtcNow)
                return known.Header;
            var made = await RequestTokenAsync(challenge, wanted, wantsIdentity, cancel);
            _tokens[key] = made;
            return made.Header;
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task<(AuthenticationHeaderValue Header, DateTime Until)> RequestTokenAsync(Challenge challenge, IReadOnlyList<string> scopes, bool wantsIdentity, CancellationToken cancel)
    {
        if (!Uri.TryCreate(challenge["realm"], UriKind.Absolute, out var realm) || realm.Scheme is not ("http" or "https"))
            throw new RegistryException(ErrorKind.System, $"registry {endpoint} names no usable token server: \"{challenge["realm"]}\"", HttpStatusCode.Unauthorized);
        if (realm.Scheme == "http" && endpoint.Scheme == "https" && credentials is { IsEmpty: false })
            throw new RegistryException(ErrorKind.Forbidden, $"registry {endpoint} wants credentials sent in the clear, to {realm.Authority}: refused", HttpStatusCode.Unauthorized);
        using var request = string.IsNullOrEmpty(credentials?.IdentityToken)
            ? ByQuery(realm, challenge["service"], scopes, wantsIdentity)
            : ByRefresh(realm, challenge["service"], scopes, credentials.IdentityToken);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        timeout.CancelAfter(transport.Options.AnswerTimeout);
        try
        {
            using var response = await transport.SendAsync(request, endpoint.AnyCertificate, timeout.Token);
            if (!response.IsSuccessStatusCode)
                throw await RegistryException.FromAsync(response, endpoint with { Authority = realm.Authority }, $"ask for a token for {endpoint}", cancel);
            return Read(await BoundedBody.ReadAsync(response, LargestAnswer, timeout.Token));
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException || (failure is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            throw new RegistryException(ErrorKind.Unavailable, $"ask for a token for {endpoint} at {realm.Authority}: {RegistrySession.Describe(failure)}", inner: failure);
        }
    }

    private HttpRequestMessage ByQuery(Uri realm, string? service, IReadOnlyList<string> scopes, bool wantsIdentity)
    {
        var query = new StringBuilder(realm.Query.TrimStart('?'));
        Add(query, "service", service);
        foreach (var scope in scopes)
            Add(query, "scope", scope);
        if (wantsIdentity)
        {
            Add(query, "offline_token", "true");
            Add(query, "client_id", ClientId);
        }
        if (credentials is { HasPassword: true })
            Add(query, "account", credentials.Username);
        var request = new HttpRequestMessage(HttpMethod.Get, new UriBuilder(realm) { Query = query.ToString() }.Uri);
        if (credentials is { HasPassword: true })
            request.Headers.Authorization = Basic(credentials);
        return request;

        static void Add(StringBuilder query, string name, string? value)
        {
            if (!string.IsNullOrEmpty(value))
                query.Append(query.Length > 0 ? "&" : "").Append(name).Append('=').Append(Uri.EscapeDataString(value));
        }
    }

    private static HttpRequestMessage ByRefresh(Uri realm, string? service, IReadOnlyList<string> scopes, string identityToken) => new(HttpMethod.Post, realm)
    {
        Content = new FormUrlEncodedContent(
        [
            new("grant_type", "refresh_token"),
            new("service", service ?? ""),
            new("client_id", ClientId),
            new("scope", string.Join(' ', scopes)),
            new("refresh_token", identityToken),
        ]),
    };

    private (AuthenticationHeaderValue Header, DateTime Until) Read(byte[] body)
    {
        const int ShortestLife = 60; // seconds; what the token specification has for a missing expires_in
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            var token = Text(root, "token") ?? Text(root, "access_token");
            if (string.IsNullOrEmpty(token) || token.Any(c => char.IsControl(c) || char.IsWhiteSpace(c)))
                throw new RegistryException(ErrorKind.System, $"the token server of {endpoint} gave no token", HttpStatusCode.Unauthorized);
            IdentityToken = Text(root, "refresh_token") ?? IdentityToken;
            var life = root.TryGetProperty("expires_in", out var seconds) && seconds.ValueKind == JsonValueKind.Number && seconds.TryGetInt32(out var given) ? given : ShortestLife;
            return (new AuthenticationHeaderValue("Bearer", token), DateTime.UtcNow.AddSeconds(Math.Max(life, ShortestLife) * 0.9));
        }
        catch (Exception damaged) when (damaged is JsonException or InvalidOperationException)
        {
            throw new RegistryException(ErrorKind.System, $"the token server of {endpoint} answered something else than JSON", HttpStatusCode.Unauthorized, inner: damaged);
        }
    }

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static AuthenticationHeaderValue Basic(RegistryCredentials credentials) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credentials.Username}:{credentials.Password}")));
}
