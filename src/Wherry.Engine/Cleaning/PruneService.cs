using Wherry.Api.Contracts.Cleaning;
using Wherry.Engine.Containers;
using Wherry.Engine.Filters;
using Wherry.Errors;
using Wherry.Images;

namespace Wherry.Engine.Cleaning;

/// <summary>Removes what nothing uses, kind by kind. One pruning of a kind runs at a time, as in Docker.</summary>
public sealed class PruneService
{
    private readonly EngineParts _parts;
    private readonly ContainerService _containers;
    private readonly SemaphoreSlim _images = new(1, 1);
    private readonly SemaphoreSlim _volumes = new(1, 1);
    private readonly SemaphoreSlim _stopped = new(1, 1);

    internal PruneService(EngineParts parts, ContainerService containers)
    {
        _parts = parts;
        _containers = containers;
    }

    /// <summary>Removes containers that don't run.</summary>
    /// <param name="filters"><c>label</c>, <c>label!</c>, <c>until</c>.</param>
    /// <param name="cancel">Ends between containers; what was removed is told all the same.</param>
    public async Task<ContainersPruneResponse> ContainersAsync(FilterArguments filters, CancellationToken cancel)
    {
        var filter = new PruneFilter(filters, "until");
        using var turn = Take(_stopped, "containers");
        var deleted = new List<string>();
        var space = 0L;
        foreach (var container in _parts.Registry.Snapshot())
        {
            var record = container.Record;
            if (cancel.IsCancellationRequested)
            {
                break;
            }

            if (record.Life.IsAlive || !filter.Matches(record.Created, record.Config.Labels))
            {
                continue;
            }

            try
            {
                var size = _parts.Layers.DiffSize(_parts.SnapshotOf(record));
                await _containers.RemoveAsync(record.Id, force: false, removeVolumes: false, CancellationToken.None).ConfigureAwait(false);
                deleted.Add(record.Id);
                space += size;
            }
            catch (WherryException failure)
            {
                // Started or removed by someone else meanwhile.
                _parts.Log($"prune container {record.Name}: {failure.Message}");
            }
        }

        return new ContainersPruneResponse { ContainersDeleted = deleted.Count == 0 ? null : deleted, SpaceReclaimed = space };
    }

    /// <summary>Removes volumes that no container mounts.</summary>
    /// <param name="filters"><c>label</c>, <c>label!</c>, <c>all</c>.</param>
    /// <param name="all">Named ones too, whatever the filter says: clients before API 1.42 mean that.</param>
    /// <param name="cancel">Ends between volumes.</param>
    public VolumesPruneResponse Volumes(FilterArguments filters, bool all, CancellationToken cancel)
    {
        var filter = new PruneFilter(filters, "all");
        all |= filters.Flag("all") ?? false;
        using var turn = Take(_volumes, "volumes");
        var deleted = new List<string>();
        var space = 0L;
        foreach (var volume in _parts.Volumes.Records())
        {
            if (cancel.IsCancellationRequested)
            {
                break;
            }

            if ((!all && !volume.IsAnonymous) || !filter.MatchesLabels(volume.Labels) || _containers.UsersOfVolume(volume.Name).Count > 0)
            {
                continue;
            }

            try
            {
                var size = _parts.Volumes.SizeOf(volume.Name);
                _parts.Volumes.Remove(volume.Name, force: false, _containers.UsersOfVolume(volume.Name));
                deleted.Add(volume.Name);
                space += size;
            }
            catch (WherryException failure) when (failure.Kind is ErrorKind.Conflict or ErrorKind.NotFound)
            {
                // A container took it, or someone removed it, between our look and our hand.
            }
        }

        return new VolumesPruneResponse { VolumesDeleted = deleted.Count == 0 ? null : deleted, SpaceReclaimed = space };
    }

    /// <summary>Removes images without a name or, where <c>dangling=false</c> is asked, all that no container was made of.</summary>
    /// <param name="filters"><c>dangling</c>, <c>label</c>, <c>label!</c>, <c>until</c>.</param>
    /// <param name="cancel">Ends between images.</param>
    public ImagePruning Images(FilterArguments filters, CancellationToken cancel)
    {
        var filter = new PruneFilter(filters, "dangling", "until");
        var danglingOnly = filters.Flag("dangling") ?? true;
        return Images(danglingOnly, image => filter.Matches(image.Created, image.Config.Config?.Labels), cancel);
    }

    internal ImagePruning Images(bool danglingOnly, Func<Image, bool> matches, CancellationToken cancel)
    {
        using var turn = Take(_images, "images");
        return _parts.Images.Prune(danglingOnly, matches, _containers.UsersOf, cancel);
    }

    private static IDisposable Take(SemaphoreSlim gate, string what) =>
        gate.Wait(0) ? new Turn(gate) : throw WherryException.Conflict($"a prune operation is already running ({what})");

    private sealed class Turn(SemaphoreSlim gate) : IDisposable
    {
        public void Dispose() => gate.Release();
    }
}
