using Wherry.Api.Contracts.Containers;
using Wherry.Engine.State;
using Wherry.Images;

namespace Wherry.Engine.Containers;

/// <summary>What a commit makes of a container.</summary>
/// <param name="Reference">The new image's name; null leaves it without one.</param>
/// <param name="Author">Who made it.</param>
/// <param name="Comment">Shown in the history.</param>
/// <param name="Changes">Dockerfile lines such as <c>CMD ["x"]</c>.</param>
/// <param name="Pause">Freeze a running container while its files are read.</param>
/// <param name="Config">Replaces the container's configuration where given.</param>
public sealed record CommitQuery(
    string? Reference,
    string? Author,
    string? Comment,
    IReadOnlyList<string> Changes,
    bool Pause,
    ContainerConfig? Config);

public sealed partial class ContainerService
{
    /// <summary>Makes an image of a container's image and what it has written since.</summary>
    /// <returns>The image's id.</returns>
    public async Task<string> CommitAsync(string idOrName, CommitQuery query, CancellationToken cancel)
    {
        var container = _parts.Registry.Get(idOrName);
        using var held = await container.LockAsync(cancel).ConfigureAwait(false);
        var record = container.Record;

        // Pausing is what clients ask for unless told otherwise: where it can't be had, the image is made without.
        var freeze = query.Pause && container.Life.Status == ContainerStatus.Running && _parts.Host.CanPause;
        if (freeze)
        {
            await container.RequireSandbox().PauseAsync(cancel).ConfigureAwait(false);
        }

        try
        {
            var request = new CommitRequest
            {
                ParentImageId = record.ImageId,
                Snapshot = _parts.SnapshotOf(record),
                Config = CommittedConfig.Make(record.Config, query.Config),
                Changes = query.Changes,
                Author = query.Author,
                Comment = query.Comment,
                Reference = query.Reference,
                ContainerId = record.Id,
            };
            var image = await _parts.Images.CommitAsync(request, cancel).ConfigureAwait(false);
            return image.Id;
        }
        finally
        {
            if (freeze && container.Sandbox is { } sandbox)
            {
                // Not cancellable: a client that goes must not leave the container frozen.
                await sandbox.ResumeAsync(CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    /// <exception cref="Wherry.Errors.WherryException">Conflict when it does not run; Unsupported for other columns than those of <c>ps -ef</c>.</exception>
    public async Task<ContainerTopResponse> TopAsync(string idOrName, string? psArguments, CancellationToken cancel)
    {
        var container = _parts.Registry.Get(idOrName);
        ProcessTable.RequireDefaultColumns(psArguments);
        var pids = await container.RequireSandbox().ListProcessesAsync(cancel).ConfigureAwait(false);
        return ProcessTable.Read(pids);
    }
}
