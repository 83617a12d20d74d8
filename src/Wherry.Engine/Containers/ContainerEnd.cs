using Wherry.Api.Contracts.Containers;
using Wherry.Engine.State;
using Wherry.Runtime.Contracts;

namespace Wherry.Engine.Containers;

/// <summary>Waits for a running container's end and does what follows from it.</summary>
internal sealed class ContainerEnd(EngineParts parts, ContainerRemoval removal)
{
    /// <summary>Watches in the background until the sandbox's program has ended; never throws.</summary>
    public void Watch(Container container, ISandbox sandbox) => _ = Task.Run(() => WatchAsync(container, sandbox));

    private async Task WatchAsync(Container container, ISandbox sandbox)
    {
        try
        {
            var exit = await sandbox.Exit.ConfigureAwait(false);
            using (await container.LockAsync(CancellationToken.None).ConfigureAwait(false))
            {
                await FinishAsync(container, exit).ConfigureAwait(false);
            }
        }
        catch (Exception failure)
        {
            parts.Log($"container {container.Record.Name} ({container.ShortId}): after its end: {failure}");
        }
    }

    /// <summary>Takes note of an end: frees what the run held, records how it ended, tells who waits. The caller holds the lock.</summary>
    public async Task FinishAsync(Container container, ExitRecord exit)
    {
        var life = container.Life;
        if (container.Sandbox is { } sandbox)
        {
            container.Sandbox = null;
            await sandbox.DisposeAsync().ConfigureAwait(false);
        }

        await parts.Isolation.CleanUpAsync(parts.LocationOf(container.Record), CancellationToken.None).ConfigureAwait(false);
        if (life.Endpoint is { } endpoint)
        {
            await parts.Bridge.DisconnectAsync(endpoint).ConfigureAwait(false);
        }

        var ended = container.Record with
        {
            Life = life with
            {
                Status = life.Status == ContainerStatus.Removing ? life.Status : ContainerStatus.Exited,
                Pid = null,
                Endpoint = null,
                ExitCode = exit.ExitCode,
                Error = exit.Error,
                OomKilled = exit.OomKilled,
                StartedAt = exit.StartedAt ?? life.StartedAt,
                FinishedAt = exit.FinishedAt,
            },
        };
        container.Replace(ended);
        var response = new ContainerWaitResponse { StatusCode = exit.ExitCode };
        if (ended.Host.AutoRemove == true && !container.IsRemoving)
        {
            container.SignalExit(response);
            await removal.RemoveAsync(container, removeVolumes: true).ConfigureAwait(false);
            return;
        }

        if (!container.IsRemoving)
        {
            parts.Store.Save(ended);
        }

        container.SignalExit(response);
    }
}
