using System.Net;
using System.Text;
using System.Text.Json;
using Wherry.Errors;

namespace Wherry.Images.Distribution.Http;

/// <summary>A registry refused a request, or could not be reached.</summary>
internal sealed class RegistryException : WherryException
{
    private const int LargestBody = 64 * 1024;
    private const int LongestText = 500;

    internal RegistryException(ErrorKind kind, string message, HttpStatusCode? status = null, IReadOnlyList<string>? codes = null, Exception? inner = null)
        : base(kind, message, inner)
    {
        Status = status;
        Codes = codes ?? [];
    }

    /// <summary>Null when no answer came.</summary>
    internal HttpStatusCode? Status { get; }

    /// <summary>The registry's own codes (distribution-spec, "Error Codes"): <c>MANIFEST_UNKNOWN</c>.</summary>
    internal IReadOnlyList<string> Codes { get; }

    /// <summary>What the registry said, without where and what was asked.</summary>
    internal string Reason { get; private init; } = "";

    /// <summary>Whether another place may have a better answer.</summary>
    internal bool IsWorthAnotherEndpoint => Status is null or HttpStatusCode.NotFound or HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError;

    /// <summary>No answer at all came from there, as from a server that does not speak TLS.</summary>
    internal bool IsUnreachable => Status is null;

    internal bool Says(string code) => Codes.Contains(code, StringComparer.OrdinalIgnoreCase);

    internal static async Task<RegistryException> FromAsync(HttpResponseMessage response, Endpoint endpoint, string doing, CancellationToken cancel)
    {
        var status = response.StatusCode;
        var (codes, said) = Parse(await ReadAsync(response, cancel));
        var reason = said.Length > 0 ? said : $"HTTP status {(int)status} {response.ReasonPhrase}";
        return new RegistryException(KindOf(status), $"{doing} at registry {endpoint}: {reason}{Advice(status, response)}", status, codes) { Reason = reason };
    }

    private static ErrorKind KindOf(HttpStatusCode status) => status switch
    {
        HttpStatusCode.Unauthorized => ErrorKind.Unauthorized,
        HttpStatusCode.Forbidden => ErrorKind.Forbidden,
        HttpStatusCode.NotFound => ErrorKind.NotFound,
        HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError => ErrorKind.Unavailable,
        HttpStatusCode.RequestEntityTooLarge => ErrorKind.TooLarge,
        _ => ErrorKind.System,
    };

    private static string Advice(HttpStatusCode status, HttpResponseMessage response) => status switch
    {
        HttpStatusCode.Unauthorized => ": log in with 'docker login' or 'wherry login'",
        HttpStatusCode.Forbidden => ": these credentials don't allow it",
        HttpStatusCode.TooManyRequests => response.Headers.RetryAfter is { } after
            ? $": the registry's rate limit is reached, it asks to wait {(long)Http.Backoff.Asked(after).TotalSeconds} s"
            : ": the registry's rate limit is reached: try again later, or log in",
        _ => "",
    };

    private static async Task<byte[]> ReadAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        try
        {
            using var body = await response.Content.ReadAsStreamAsync(cancel);
            var buffer = new byte[LargestBody];
            var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancel);
            return buffer[..length];
        }
        catch (Exception broken) when (broken is IOException or HttpRequestException)
        {
            return [];
        }
    }

    /// <summary>Reads <c>{"errors":[{"code","message","detail"}]}</c>, and what others say instead.</summary>
    internal static (IReadOnlyList<string> Codes, string Said) Parse(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 32 });
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                return ([], "");
            if (root.TryGetProperty("errors", out var errors) && errors.ValueKind == JsonValueKind.Array)
            {
                var items = errors.EnumerateArray().Take(8).Where(item => item.ValueKind == JsonValueKind.Object).ToList();
                var codes = items.Select(item => Text(item, "code")).Where(code => code.Length > 0).ToList();
                return (codes, string.Join("; ", items.Select(Describe).Where(text => text.Length > 0)));
            }
            var message = Text(root, "message");
            return ([], message.Length > 0 ? message : Text(root, "details"));
        }
        catch (JsonException)
        {
            return ([], "");
        }
    }

    private static string Describe(JsonElement error)
    {
        var code = Text(error, "code").ToLowerInvariant().Replace('_', ' ');
        var message = Text(error, "message");
        return (code, message) switch
        {
            (_, "") => code,
            ("", _) => message,
            _ when message.StartsWith(code, StringComparison.OrdinalIgnoreCase) => message,
            _ => $"{code}: {message}",
        };
    }

    /// <summary>What a stranger wrote is shown without control characters, and not at any length.</summary>
    private static string Text(JsonElement element, string name)
    {
        if (!element.TryGetProperty(name, out var value) || value.ValueKind != JsonValueKind.String)
            return "";
        var text = new StringBuilder();
        foreach (var c in value.GetString()!.Take(LongestText))
            text.Append(char.IsControl(c) ? ' ' : c);
        return text.ToString().Trim();
    }
}
