using Wherry.Api.Contracts.Containers;
using Wherry.Engine.State;
using Wherry.Errors;

namespace Wherry.Engine.Containers;

/// <summary>What a wait waits for (Docker's <c>condition</c>).</summary>
public enum WaitCondition
{
    NotRunning,
    NextExit,
    Removed,
}

/// <summary>
/// Everything that can be asked of containers. One file of this class per duty; each change of a container is
/// made under that container's own lock, so that one container's trouble never blocks another's.
/// </summary>
public sealed partial class ContainerService
{
    private readonly EngineParts _parts;
    private readonly ContainerRemoval _removal;
    private readonly ContainerEnd _end;

    internal ContainerService(EngineParts parts)
    {
        _parts = parts;
        _removal = new ContainerRemoval(parts);
        _end = new ContainerEnd(parts, _removal);
    }

    internal ContainerEnd End => _end;

    internal ContainerRemoval Removal => _removal;

    /// <summary>
    /// Completes with the exit code when the condition holds. The wait is registered before this returns its
    /// task, so that what happens afterwards can't be missed.
    /// </summary>
    public Task<ContainerWaitResponse> WaitAsync(string idOrName, WaitCondition condition, CancellationToken cancel)
    {
        var container = _parts.Registry.Get(idOrName);
        var ended = condition switch
        {
            WaitCondition.Removed => container.Removed,
            WaitCondition.NotRunning when !container.Life.IsAlive =>
                Task.FromResult(new ContainerWaitResponse { StatusCode = container.Life.ExitCode }),
            _ => container.NextExit,
        };
        return ended.WaitAsync(cancel);
    }

    public async Task RenameAsync(string idOrName, string newName, CancellationToken cancel)
    {
        var container = _parts.Registry.Get(idOrName);
        var name = newName.TrimStart('/');
        Validation.ContainerNames.Validate(name);
        using var held = await container.LockAsync(cancel).ConfigureAwait(false);
        var old = container.Record.Name;
        if (old == name)
        {
            throw WherryException.Invalid("Renaming a container with the same name as its current name");
        }

        _parts.Registry.ReserveName(name, container.Id);
        try
        {
            var renamed = container.Record with { Name = name };
            _parts.Store.Save(renamed);
            container.Replace(renamed);
        }
        catch
        {
            _parts.Registry.ReleaseName(name);
            throw;
        }

        _parts.Registry.ReleaseName(old);
    }

    public async Task ResizeAsync(string idOrName, int height, int width, CancellationToken cancel)
    {
        var container = _parts.Registry.Get(idOrName);
        await container.RequireSandbox().ResizeAsync(height, width, cancel).ConfigureAwait(false);
    }

    public async Task PauseAsync(string idOrName, CancellationToken cancel)
    {
        var container = _parts.Registry.Get(idOrName);
        using var held = await container.LockAsync(cancel).ConfigureAwait(false);
        if (container.Life.Status == ContainerStatus.Paused)
        {
            throw WherryException.Conflict($"container {container.Record.Name} is already paused");
        }

        await container.RequireSandbox().PauseAsync(cancel).ConfigureAwait(false);
        SaveStatus(container, ContainerStatus.Paused);
    }

    public async Task UnpauseAsync(string idOrName, CancellationToken cancel)
    {
        var container = _parts.Registry.Get(idOrName);
        using var held = await container.LockAsync(cancel).ConfigureAwait(false);
        if (container.Life.Status != ContainerStatus.Paused)
        {
            throw WherryException.Conflict($"container {container.Record.Name} is not paused");
        }

        await container.RequireSandbox().ResumeAsync(cancel).ConfigureAwait(false);
        SaveStatus(container, ContainerStatus.Running);
    }

    private void SaveStatus(Container container, ContainerStatus status)
    {
        var record = container.Record with { Life = container.Life with { Status = status } };
        _parts.Store.Save(record);
        container.Replace(record);
    }
}
