using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Wherry.Oci.Images;

/// <summary>Source-generated JSON of the image-spec's documents; unknown members are left out.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    MaxDepth = 32,
    Converters = [typeof(Rfc3339Converter)])]
[JsonSerializable(typeof(Manifest))]
[JsonSerializable(typeof(ImageIndex))]
[JsonSerializable(typeof(ImageLayout))]
[JsonSerializable(typeof(ImageConfig))]
[JsonSerializable(typeof(ExecutionParameters))]
[JsonSerializable(typeof(DockerArchiveEntry[]))]
public sealed partial class ImageJson : JsonSerializerContext
{
    /// <summary>The context for documents whose digest becomes a name: no needless escapes, as other tools write them.</summary>
    public static ImageJson Canonical => field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}

/// <summary>An image in a docker-archive's <c>manifest.json</c>.</summary>
public sealed record DockerArchiveEntry
{
    [JsonPropertyName("Config")]
    public required string Config { get; init; }

    [JsonPropertyName("RepoTags")]
    public IReadOnlyList<string>? RepoTags { get; init; }

    /// <summary>Members of the archive, lowest layer first.</summary>
    [JsonPropertyName("Layers")]
    public IReadOnlyList<string> Layers { get => field ?? []; init; } = [];
}
