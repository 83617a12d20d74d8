using Wherry.Api.Contracts.Cleaning;
using Wherry.Api.Contracts.Containers;
using Wherry.Api.Contracts.Volumes;
using Wherry.Engine.Containers;
using Wherry.Engine.Filters;
using Wherry.Images;

namespace Wherry.Engine.Cleaning;

/// <summary>What takes the data root's space, and how much of it could be had back.</summary>
public sealed class DiskUsage
{
    private readonly EngineParts _parts;
    private readonly ContainerService _containers;

    internal DiskUsage(EngineParts parts, ContainerService containers)
    {
        _parts = parts;
        _containers = containers;
    }

    /// <summary>Bytes of all unpacked layers, each counted once.</summary>
    public long LayersSize() => _parts.Layers.TotalSize();

    /// <summary>Every image with its size, what of it other images have too, and how many containers were made of it.</summary>
    public IReadOnlyList<(Image Image, ImageSizes Sizes, int Containers)> Images()
    {
        var sizes = _parts.Images.Sizes();
        return [.. from image in _parts.Images.List() select (image, sizes.GetValueOrDefault(image.Id), _containers.UsersOf(image).Count)];
    }

    public IReadOnlyList<ContainerSummary> Containers() => _containers.List(new ContainerListQuery(All: true, Limit: 0, Size: true, FilterArguments.None));

    public IReadOnlyList<Volume> Volumes() =>
    [
        .. from volume in _parts.Volumes.List(FilterArguments.None, _ => false)
           select volume with
           {
               UsageData = new VolumeUsageData { Size = _parts.Volumes.SizeOf(volume.Name), RefCount = _containers.UsersOfVolume(volume.Name).Count },
           },
    ];

    /// <summary>Bytes that removing the images no container was made of would free: layers that others share stay.</summary>
    public long ReclaimableOfImages() => LayersSize() - _parts.Images.SizeOfLayersUnder(image => _containers.UsersOf(image).Count > 0);

    /// <summary>Counts and sums as clients of API 1.52 and newer want them.</summary>
    public static ObjectUsage<T> Summarize<T>(IReadOnlyCollection<T> items, Func<T, bool> active, long total, long reclaimable) =>
        new() { ActiveCount = items.Count(active), TotalCount = items.Count, TotalSize = total, Reclaimable = Math.Max(0, reclaimable) };
}
