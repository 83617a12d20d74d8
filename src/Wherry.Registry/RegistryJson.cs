using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Wherry.Registry.Authentication;
using Wherry.Registry.Collection;
using Wherry.Registry.Http;
using Wherry.Registry.Manifests;
using Wherry.Registry.Storage;

namespace Wherry.Registry;

/// <summary>Source-generated JSON of what the registry reads, answers and keeps.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    MaxDepth = 32)]
[JsonSerializable(typeof(ManifestModel))]
[JsonSerializable(typeof(ReferrerIndex))]
[JsonSerializable(typeof(ManifestRecord))]
[JsonSerializable(typeof(ErrorBody))]
[JsonSerializable(typeof(TagList))]
[JsonSerializable(typeof(RepositoryList))]
[JsonSerializable(typeof(TokenClaims))]
[JsonSerializable(typeof(TokenHeader))]
[JsonSerializable(typeof(TokenAnswer))]
[JsonSerializable(typeof(CollectionReport))]
internal sealed partial class RegistryJson : JsonSerializerContext
{
    /// <summary>The context for documents that others read as text: no needless escapes.</summary>
    public static RegistryJson Canonical => field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
