using System.Text.Json;

namespace Wherry.Cli.Engine;

/// <summary>The engine answered a request with an error.</summary>
internal sealed class EngineException(int status, string message) : Exception(message)
{
    /// <summary>The HTTP status code.</summary>
    internal int Status { get; } = status;

    /// <summary>Reads the error body every route answers with: <c>{"message": "..."}</c>.</summary>
    internal static EngineException FromBody(int status, byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("message", out var message)
                && message.ValueKind == JsonValueKind.String)
            {
                return new EngineException(status, message.GetString()!.TrimEnd());
            }
        }
        catch (JsonException)
        {
            // Not the engine's own error body (a proxy's page, perhaps): shown as it is.
        }

        var text = System.Text.Encoding.UTF8.GetString(body).Trim();
        return new EngineException(status, text.Length == 0 ? $"the engine answered with status {status}" : text);
    }
}
