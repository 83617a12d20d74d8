using System.Text.Json.Serialization;

namespace Wherry.Runtime.Contracts;

/// <summary>Source-generated JSON for the files a sandbox has beside its bundle's configuration.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SandboxOptions))]
[JsonSerializable(typeof(ExitRecord))]
public sealed partial class SandboxJson : JsonSerializerContext;
