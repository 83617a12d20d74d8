using System.Text.Json.Serialization;

namespace Wherry.Images.Records;

/// <summary>
/// What <c>images/&lt;id&gt;.json</c> says. All else is in the content it names. Names are part of it, so that an image
/// and its names appear at once; one that has just moved here from another image may be in both after a crash, and
/// the later time wins.
/// </summary>
internal sealed record ImageRecord
{
    public required string Id { get; init; }

    public required string Manifest { get; init; }

    public string? Parent { get; init; }

    public DateTimeOffset? LastTagged { get; init; }

    /// <summary>Full reference to the time it began to name this image.</summary>
    public required IReadOnlyDictionary<string, DateTimeOffset> References { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ImageRecord))]
internal sealed partial class RecordJson : JsonSerializerContext;
