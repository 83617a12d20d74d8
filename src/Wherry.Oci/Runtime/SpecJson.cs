using System.Text.Json.Serialization;

namespace Wherry.Oci.Runtime;

/// <summary>Source-generated JSON for <see cref="Spec"/>; no reflection, so it works under native AOT.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(Spec))]
[JsonSerializable(typeof(Process))]
[JsonSerializable(typeof(SeccompConfig))]
public sealed partial class SpecJson : JsonSerializerContext;
