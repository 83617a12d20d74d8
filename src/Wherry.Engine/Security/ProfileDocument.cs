using System.Text.Json;
using System.Text.Json.Serialization;

namespace Wherry.Engine.Security;

/// <summary>Docker's profile format, which runtime-spec's own rules are a part of.</summary>
internal sealed record ProfileDocument
{
    public string? DefaultAction { get; init; }

    public uint? DefaultErrnoRet { get; init; }

    public IReadOnlyList<string>? Architectures { get; init; }

    public IReadOnlyList<FamilyDocument>? ArchMap { get; init; }

    public IReadOnlyList<string>? Flags { get; init; }

    public string? ListenerPath { get; init; }

    public string? ListenerMetadata { get; init; }

    public IReadOnlyList<RuleDocument>? Syscalls { get; init; }
}

internal sealed record FamilyDocument(string? Architecture, IReadOnlyList<string>? SubArchitectures);

internal sealed record RuleDocument
{
    /// <summary>The only name, in old profiles.</summary>
    public string? Name { get; init; }

    public IReadOnlyList<string>? Names { get; init; }

    public string? Action { get; init; }

    public uint? ErrnoRet { get; init; }

    public IReadOnlyList<ArgumentDocument>? Args { get; init; }

    public ConditionDocument? Includes { get; init; }

    public ConditionDocument? Excludes { get; init; }
}

internal sealed record ArgumentDocument(uint Index, ulong Value, ulong ValueTwo, string? Op);

internal sealed record ConditionDocument
{
    public IReadOnlyList<string>? Arches { get; init; }

    public IReadOnlyList<string>? Caps { get; init; }

    public string? MinKernel { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    ReadCommentHandling = JsonCommentHandling.Skip,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ProfileDocument))]
internal sealed partial class ProfileJson : JsonSerializerContext;
