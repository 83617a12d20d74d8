using System.Text.Json.Serialization;

namespace Wherry.Engine.Volumes;

/// <summary>What is kept of a volume beside its data (<c>volume.json</c>).</summary>
public sealed record VolumeRecord
{
    public required string Name { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Named by the engine; <c>volume prune</c> takes such volumes first.</summary>
    public bool IsAnonymous { get; init; }
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(VolumeRecord))]
internal sealed partial class VolumeJson : JsonSerializerContext;
