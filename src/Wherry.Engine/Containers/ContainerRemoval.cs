using Wherry.Engine.State;
using Wherry.Errors;

namespace Wherry.Engine.Containers;

/// <summary>Takes a container at rest out of the engine and off the disk.</summary>
internal sealed class ContainerRemoval(EngineParts parts)
{
    /// <summary>
    /// The first step, a rename, decides: after it the container is gone whatever happens, and what a crash
    /// leaves is swept at the next start. The caller holds the container's lock.
    /// </summary>
    public Task RemoveAsync(Container container, bool removeVolumes)
    {
        var record = container.Record;
        container.Replace(record with { Life = record.Life with { Status = ContainerStatus.Removing } });
        parts.Images.NoteUse(record.ImageId); // until now it was in use
        var leftover = parts.Store.BeginRemove(record.Id);
        parts.Registry.Remove(container);
        Delete(record.Id, leftover);
        RemoveAnonymousVolumes(record, removeVolumes);
        container.SignalRemoved();
        return Task.CompletedTask;
    }

    /// <summary>Deletes a container's snapshot, and the directory that no longer bears its name.</summary>
    public void Delete(string id, string directory)
    {
        try
        {
            var snapshot = parts.SnapshotDirectoryOf(id);
            parts.Layers.RemoveSnapshot(snapshot);
            if (Directory.Exists(snapshot))
            {
                Directory.Delete(snapshot);
            }

            if (Directory.Exists(directory))
            {
                Directory.Delete(directory, recursive: true);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or WherryException)
        {
            parts.Log($"delete {directory}: {failure.Message}; it is tried again when the engine starts");
        }
    }

    /// <summary>Another container may have taken the volume over by <c>--volumes-from</c>.</summary>
    private IReadOnlyList<string> UsersOf(string volume) =>
    [
        .. from container in parts.Registry.Snapshot()
           where container.Record.Mounts.Any(mount => mount.Name == volume)
           select container.Id,
    ];

    private void RemoveAnonymousVolumes(ContainerRecord record, bool asked)
    {
        if (!asked)
        {
            return;
        }

        foreach (var mount in record.Mounts.Where(mount => mount.IsAnonymous))
        {
            try
            {
                parts.Volumes.Remove(mount.Name!, force: true, UsersOf(mount.Name!));
            }
            catch (WherryException failure)
            {
                parts.Log($"remove volume {mount.Name} of container {record.Name}: {failure.Message}");
            }
        }
    }
}
