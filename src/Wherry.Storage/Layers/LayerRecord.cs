using System.Text.Json.Serialization;

namespace Wherry.Storage.Layers;

/// <summary>What <c>layer.json</c> says beside a layer's directory.</summary>
internal sealed record LayerRecord
{
    public required string DiffId { get; init; }

    public string? Parent { get; init; }

    public required long Size { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LayerRecord))]
internal sealed partial class LayerJson : JsonSerializerContext;
