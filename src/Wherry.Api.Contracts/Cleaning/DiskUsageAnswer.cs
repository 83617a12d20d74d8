using System.Text.Json.Serialization;
using Wherry.Api.Contracts.Containers;
using Wherry.Api.Contracts.Images;
using Wherry.Api.Contracts.Json;
using Wherry.Api.Contracts.Volumes;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace Wherry.Api.Contracts.Cleaning;

/// <summary>
/// Answer of <c>GET /system/df</c>. The lists are how it was told up to API 1.51, the usages since 1.52; each client
/// gets the form it knows.
/// </summary>
public sealed record DiskUsageAnswer
{
    /// <summary>Bytes of all layers, each counted once.</summary>
    [JsonIgnore(Condition = WhenWritingNull)]
    public long? LayersSize { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public IReadOnlyList<ImageSummary>? Images { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public IReadOnlyList<ContainerSummary>? Containers { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public IReadOnlyList<Volume>? Volumes { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public IReadOnlyList<EmptyObject>? BuildCache { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public ObjectUsage<ImageSummary>? ImageUsage { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public ObjectUsage<ContainerSummary>? ContainerUsage { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public ObjectUsage<Volume>? VolumeUsage { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public ObjectUsage<EmptyObject>? BuildCacheUsage { get; init; }
}

/// <summary>What objects of one kind take; sizes in bytes.</summary>
public sealed record ObjectUsage<T>
{
    public long ActiveCount { get; init; }

    public long TotalCount { get; init; }

    public long Reclaimable { get; init; }

    public long TotalSize { get; init; }

    /// <summary>The objects, where the client asked for them (<c>verbose</c>).</summary>
    [JsonIgnore(Condition = WhenWritingNull)]
    public IReadOnlyList<T>? Items { get; init; }
}
