using System.Text.Json;
using System.Text.Json.Serialization;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace Wherry.Api.Contracts.Streams;

/// <summary>One line of a progress stream. An error, which can only come last, sets <see cref="ErrorDetail"/> and <see cref="Error"/>.</summary>
public sealed record JsonMessage
{
    [JsonPropertyName("stream")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Stream { get; init; }

    [JsonPropertyName("status")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Status { get; init; }

    [JsonPropertyName("progressDetail")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public ProgressDetail? ProgressDetail { get; init; }

    /// <summary>The progress as text, for clients that show it as it comes.</summary>
    [JsonPropertyName("progress")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Progress { get; init; }

    /// <summary>Which item the line is about; later lines with the same ID replace earlier ones.</summary>
    [JsonPropertyName("id")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Id { get; init; }

    [JsonPropertyName("errorDetail")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public ErrorDetail? ErrorDetail { get; init; }

    [JsonPropertyName("error")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Error { get; init; }

    [JsonPropertyName("aux")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public JsonElement? Aux { get; init; }
}

/// <summary>Progress in bytes.</summary>
public sealed record ProgressDetail
{
    [JsonPropertyName("current")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public long? Current { get; init; }

    [JsonPropertyName("total")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public long? Total { get; init; }
}

/// <summary>What went wrong in a stream whose status had been sent.</summary>
public sealed record ErrorDetail
{
    [JsonPropertyName("code")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public int? Code { get; init; }

    [JsonPropertyName("message")]
    public string Message { get; init => field = value ?? ""; } = "";
}
