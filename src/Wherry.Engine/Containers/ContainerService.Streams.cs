using System.IO.Pipelines;
using Wherry.Engine.Logs;
using Wherry.Engine.State;
using Wherry.Errors;
using Wherry.Runtime.Contracts;

namespace Wherry.Engine.Containers;

/// <summary>What a client that attaches wants.</summary>
/// <param name="Logs">Play back what has been logged first.</param>
/// <param name="Stream">Go on with what comes from now on.</param>
/// <param name="Stdin">Send input.</param>
/// <param name="Stdout">Receive standard output.</param>
/// <param name="Stderr">Receive standard error.</param>
/// <param name="DetachKeys">As in <c>--detach-keys</c>; null for the default.</param>
public sealed record AttachQuery(bool Logs, bool Stream, bool Stdin, bool Stdout, bool Stderr, string? DetachKeys);

public sealed partial class ContainerService
{
    /// <summary>
    /// Prepares an attach, with every error that can be foreseen. A container that does not run yet is attached
    /// to when it starts, before its program runs.
    /// </summary>
    public async Task<AttachSession> AttachAsync(string idOrName, AttachQuery query, CancellationToken cancel)
    {
        var container = _parts.Registry.Get(idOrName);
        var tty = container.Record.Config.Tty == true;
        var detach = tty ? DetachSequence.Parse(query.DetachKeys) : null;
        var streams = new StreamSelection(
            query.Stdin && container.Record.Config.OpenStdin == true,
            query.Stdout,
            query.Stderr);
        using var held = await container.LockAsync(cancel).ConfigureAwait(false);
        if (container.Life.Status == ContainerStatus.Paused)
        {
            throw WherryException.Conflict($"container {container.Id} is paused, unpause the container before attach");
        }

        if (container.IsRemoving)
        {
            throw WherryException.Conflict($"container {container.Id} is marked for removal");
        }

        var replay = query.Logs ? ReplayLog(container, query) : null;
        if (!query.Stream || !streams.Any)
        {
            return new AttachSession(tty, streams, Task.FromResult<IStreamConnection?>(null), replay: replay);
        }

        if (container.Sandbox is { } sandbox)
        {
            var connection = await sandbox.AttachAsync(streams, cancel).ConfigureAwait(false);
            return new AttachSession(tty, streams, Task.FromResult<IStreamConnection?>(connection), detach, replay);
        }

        var pending = new PendingAttach(streams);
        container.AddPending(pending);
        return new AttachSession(tty, streams, pending.Connection, detach, replay, abandon: () =>
        {
            container.RemovePending(pending);
            pending.Abandon();
        });
    }

    /// <summary>
    /// Writes a container's log. <paramref name="open"/> is called once, after all that can be refused has been
    /// checked, and told whether the container has a terminal.
    /// </summary>
    public async Task WriteLogsAsync(string idOrName, LogQuery query, Func<bool, PipeWriter> open, CancellationToken cancel)
    {
        var container = _parts.Registry.Get(idOrName);
        if (container.Record.Host.LogConfig?.Type == "none")
        {
            throw WherryException.Unsupported("configured logging driver does not support reading");
        }

        if (!query.Stdout && !query.Stderr)
        {
            throw WherryException.Invalid("Bad parameters: you must choose at least one stream");
        }

        var tty = container.Record.Config.Tty == true;
        await LogReader.ReadAsync(
            _parts.LogPathOf(container.Record), query, tty, Ended(container), open(tty), cancel).ConfigureAwait(false);
    }

    private static Task Ended(Container container) => container.Life.IsAlive ? container.NextExit : Task.CompletedTask;

    private Func<PipeWriter, CancellationToken, Task> ReplayLog(Container container, AttachQuery query)
    {
        var log = new LogQuery { Stdout = query.Stdout, Stderr = query.Stderr };
        return (output, cancel) => LogReader.ReadAsync(
            _parts.LogPathOf(container.Record),
            log,
            container.Record.Config.Tty == true,
            Task.CompletedTask,
            output,
            cancel);
    }
}
