using System.Text.Json.Serialization;

namespace Wherry.Api.Contracts.Streams;

/// <summary>Body of every failed request.</summary>
public sealed record ErrorResponse
{
    [JsonPropertyName("message")]
    public string Message { get; init => field = value ?? ""; } = "";
}

/// <summary>An answer that is only an ID.</summary>
public sealed record IdResponse
{
    public string Id { get; init => field = value ?? ""; } = "";
}
