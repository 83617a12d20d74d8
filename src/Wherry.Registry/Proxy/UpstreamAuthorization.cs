using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Wherry.Registry.Proxy;

/// <summary>Credentials for another registry: Basic, or tokens from the service it names (Docker's token authentication).</summary>
internal sealed class UpstreamAuthorization(HttpClient client, string? user, string? password)
{
    private const int MostTokens = 1000;
    private const int LargestAnswer = 64 * 1024;

    private readonly ConcurrentDictionary<string, (string Token, long Until)> _tokens = new(StringComparer.Ordinal);
    private volatile bool _isBasic;

    /// <summary>What to send with a request; null for nothing yet.</summary>
    internal AuthenticationHeaderValue? For(string repository) =>
        _isBasic ? Basic()
        : _tokens.TryGetValue(repository, out var kept) && kept.Until > Environment.TickCount64 ? new AuthenticationHeaderValue("Bearer", kept.Token)
        : null;

    /// <summary>Gets what a 401 asks for; false where there is no way to.</summary>
    internal async Task<bool> AnswerAsync(string repository, HttpHeaderValueCollection<AuthenticationHeaderValue> challenges, CancellationToken cancel)
    {
        _tokens.TryRemove(repository, out _);
        foreach (var challenge in challenges)
        {
            if (string.Equals(challenge.Scheme, "Bearer", StringComparison.OrdinalIgnoreCase))
            {
                var parameters = Parse(challenge.Parameter ?? "");
                return parameters.TryGetValue("realm", out var realm) && await FetchAsync(repository, realm, parameters.GetValueOrDefault("service"), cancel).ConfigureAwait(false);
            }

            if (string.Equals(challenge.Scheme, "Basic", StringComparison.OrdinalIgnoreCase) && user is not null && !_isBasic)
            {
                _isBasic = true;
                return true;
            }
        }

        return false;
    }

    private async Task<bool> FetchAsync(string repository, string realm, string? service, CancellationToken cancel)
    {
        if (!Uri.TryCreate(realm, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https")
            || (address.Scheme == "http" && client.BaseAddress!.Scheme == "https"))
        {
            throw new UpstreamException($"the token service {realm} can't be trusted with credentials");
        }

        var query = $"scope={Uri.EscapeDataString($"repository:{repository}:pull")}" + (service is null ? "" : $"&service={Uri.EscapeDataString(service)}");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{realm}{(address.Query.Length == 0 ? '?' : '&')}{query}");
        request.Headers.Authorization = user is null ? null : Basic();
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancel).ConfigureAwait(false);
        if (!answer.IsSuccessStatusCode || answer.Content.Headers.ContentLength > LargestAnswer)
        {
            return false;
        }

        try
        {
            using var document = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync(cancel).ConfigureAwait(false));
            var root = document.RootElement;
            var token = (root.TryGetProperty("token", out var named) || root.TryGetProperty("access_token", out named)) ? named.GetString() : null;
            if (string.IsNullOrEmpty(token))
            {
                return false;
            }

            var seconds = root.TryGetProperty("expires_in", out var expires) && expires.TryGetInt32(out var given) && given >= 60 ? given : 60;
            if (_tokens.Count >= MostTokens)
            {
                _tokens.Clear();
            }

            // A little before its end, so that it doesn't end on its way.
            _tokens[repository] = (token, Environment.TickCount64 + ((seconds - 10) * 1000L));
            return true;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    private AuthenticationHeaderValue Basic() => new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));

    /// <summary><c>name="value"</c>, separated by commas; a value may hold commas as well.</summary>
    internal static Dictionary<string, string> Parse(string text)
    {
        var found = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var rest = text.AsSpan();
        while (rest.IndexOf('=') is var equals and > 0)
        {
            var name = rest[..equals].Trim(" ,").ToString();
            rest = rest[(equals + 1)..].TrimStart();
            int end;
            if (rest.StartsWith("\""))
            {
                rest = rest[1..];
                end = rest.IndexOf('"');
            }
            else
            {
                end = rest.IndexOf(',');
            }

            end = end < 0 ? rest.Length : end;
            found[name] = rest[..end].ToString();
            rest = rest[Math.Min(end + 1, rest.Length)..];
        }

        return found;
    }
}
