using Wherry.Engine.Specs;
using Wherry.Engine.State;
using Wherry.Errors;

namespace Wherry.Engine.Containers;

public sealed partial class ContainerService
{
    private const int DefaultStopSeconds = 10;
    private const int SigKill = 9;

    /// <summary>How long the kernel is given to end a process that got SIGKILL; only a stuck device takes longer.</summary>
    private static readonly TimeSpan KillPatience = TimeSpan.FromSeconds(10);

    /// <exception cref="WherryException">NotModified when it runs already.</exception>
    public async Task StartAsync(string idOrName, CancellationToken cancel)
    {
        var container = _parts.Registry.Get(idOrName);
        using var held = await container.LockAsync(cancel).ConfigureAwait(false);
        await StartLockedAsync(container, cancel).ConfigureAwait(false);
    }

    /// <summary>Asks with the stop signal, waits, then kills. A negative time waits for ever.</summary>
    /// <exception cref="WherryException">NotModified when it does not run.</exception>
    public async Task StopAsync(string idOrName, string? signal, int? timeoutSeconds, CancellationToken cancel)
    {
        var container = _parts.Registry.Get(idOrName);
        if (!container.Life.IsAlive)
        {
            throw new WherryException(ErrorKind.NotModified, $"container {container.Record.Name} is already stopped");
        }

        await StopAsync(container, signal, timeoutSeconds, cancel).ConfigureAwait(false);
    }

    public async Task RestartAsync(string idOrName, string? signal, int? timeoutSeconds, CancellationToken cancel)
    {
        var container = _parts.Registry.Get(idOrName);
        if (container.Life.IsAlive)
        {
            await StopAsync(container, signal, timeoutSeconds, cancel).ConfigureAwait(false);
        }

        using var held = await container.LockAsync(cancel).ConfigureAwait(false);
        if (!container.Life.IsAlive)
        {
            await StartLockedAsync(container, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Sends a signal, SIGKILL by default. A kill is complete when the container has ended.</summary>
    public async Task KillAsync(string idOrName, string? signal, CancellationToken cancel)
    {
        var container = _parts.Registry.Get(idOrName);
        var number = string.IsNullOrEmpty(signal) ? SigKill : Signals.Parse(signal);
        if (!container.Life.IsAlive)
        {
            throw WherryException.Conflict($"cannot kill container: {idOrName}: container {container.Id} is not running");
        }

        if (number == SigKill)
        {
            await KillAsync(container, cancel).ConfigureAwait(false);
            return;
        }

        using var held = await container.LockAsync(cancel).ConfigureAwait(false);
        await container.RequireSandbox().SignalAsync(number, all: false, cancel).ConfigureAwait(false);
    }

    public async Task RemoveAsync(string idOrName, bool force, bool removeVolumes, CancellationToken cancel)
    {
        var container = _parts.Registry.Get(idOrName);
        if (force && container.Life.IsAlive)
        {
            await KillAsync(container, cancel).ConfigureAwait(false);
        }

        using var held = await container.LockAsync(cancel).ConfigureAwait(false);
        if (container.IsRemoving)
        {
            // Removed by its own end (--rm) or by someone else while this waited: as asked.
            return;
        }

        if (container.Life.IsAlive)
        {
            var state = container.Life.Status == ContainerStatus.Paused ? "paused" : "running";
            throw WherryException.Conflict(
                $"cannot remove container \"/{container.Record.Name}\": container is {state}: stop the container before removing or force remove");
        }

        await _removal.RemoveAsync(container, removeVolumes).ConfigureAwait(false);
    }

    private async Task StartLockedAsync(Container container, CancellationToken cancel)
    {
        if (container.IsRemoving)
        {
            throw WherryException.Conflict($"container {container.Record.Name} is marked for removal and cannot be started");
        }

        if (container.Life.Status == ContainerStatus.Paused)
        {
            throw WherryException.Conflict("cannot start a paused container, try unpause instead");
        }

        if (container.Life.IsAlive)
        {
            throw new WherryException(ErrorKind.NotModified, $"container {container.Record.Name} is already running");
        }

        try
        {
            var warnings = await new ContainerStart(_parts, container).RunAsync(cancel).ConfigureAwait(false);
            foreach (var warning in warnings)
            {
                _parts.Log($"container {container.Record.Name} ({container.ShortId}): {warning}");
            }
        }
        catch when (container.Record.Host.AutoRemove == true)
        {
            await _removal.RemoveAsync(container, removeVolumes: true).ConfigureAwait(false);
            throw;
        }

        _end.Watch(container, container.Sandbox!);
    }

    private async Task StopAsync(Container container, string? signal, int? timeoutSeconds, CancellationToken cancel)
    {
        var asked = string.IsNullOrEmpty(signal) ? container.Record.Config.StopSignal : signal;
        var number = string.IsNullOrEmpty(asked) ? Signals.Terminate : Signals.Parse(asked);
        var seconds = timeoutSeconds ?? container.Record.Config.StopTimeout ?? DefaultStopSeconds;
        var ended = container.NextExit;
        using (await container.LockAsync(cancel).ConfigureAwait(false))
        {
            if (!container.Life.IsAlive)
            {
                return;
            }

            var sandbox = container.RequireSandbox();
            await sandbox.SignalAsync(number, all: false, cancel).ConfigureAwait(false);
            if (container.Life.Status == ContainerStatus.Paused)
            {
                // A frozen process gets its signal only when it thaws.
                await sandbox.ResumeAsync(cancel).ConfigureAwait(false);
                SaveStatus(container, ContainerStatus.Running);
            }
        }

        if (seconds < 0)
        {
            await ended.WaitAsync(cancel).ConfigureAwait(false);
            return;
        }

        if (!await EndedWithinAsync(ended, TimeSpan.FromSeconds(seconds), cancel).ConfigureAwait(false))
        {
            await KillAsync(container, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>SIGKILL, and the wait for its effect.</summary>
    private async Task KillAsync(Container container, CancellationToken cancel)
    {
        var ended = container.NextExit;
        using (await container.LockAsync(cancel).ConfigureAwait(false))
        {
            if (!container.Life.IsAlive)
            {
                return;
            }

            var sandbox = container.RequireSandbox();
            await sandbox.SignalAsync(SigKill, all: false, cancel).ConfigureAwait(false);
            if (container.Life.Status == ContainerStatus.Paused)
            {
                await sandbox.ResumeAsync(cancel).ConfigureAwait(false);
            }
        }

        if (!await EndedWithinAsync(ended, KillPatience, cancel).ConfigureAwait(false))
        {
            throw WherryException.System(
                $"container {container.Record.Name} ({container.ShortId}) did not end within {KillPatience.TotalSeconds:0} s of SIGKILL: a process may hang in the kernel");
        }
    }

    private static async Task<bool> EndedWithinAsync(Task ended, TimeSpan time, CancellationToken cancel)
    {
        try
        {
            await ended.WaitAsync(time, cancel).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}
