using Wherry.Api.Contracts.Containers;
using Wherry.Engine.State;
using Wherry.Errors;
using Wherry.Runtime.Contracts;

namespace Wherry.Engine.Containers;

/// <summary>
/// One container in the engine's memory: its record, its sandbox while it has one, and those who wait for it.
/// Whoever changes it holds <see cref="LockAsync"/>; whoever only looks reads <see cref="Record"/>, an immutable
/// snapshot.
/// </summary>
internal sealed class Container(ContainerRecord record) : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly Lock _waiters = new();
    private readonly List<PendingAttach> _pendingAttaches = [];
    private readonly TaskCompletionSource<ContainerWaitResponse> _removed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource<ContainerWaitResponse> _nextExit = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Id => Record.Id;

    public ContainerRecord Record { get; private set; } = record;

    public ContainerLife Life => Record.Life;

    /// <summary>The live side, owned by this container from the start to the end of its watch.</summary>
    public ISandbox? Sandbox { get; set; }

    /// <summary>The signal that a stop sent is not an error of the program's; kept for the exit's bookkeeping.</summary>
    public bool IsRemoving => Life.Status == ContainerStatus.Removing;

    /// <summary>Completes when the container has ended and the engine has taken note.</summary>
    public Task<ContainerWaitResponse> NextExit
    {
        get
        {
            lock (_waiters)
            {
                return _nextExit.Task;
            }
        }
    }

    public Task<ContainerWaitResponse> Removed => _removed.Task;

    /// <summary>Serializes the changes of this container and of no other.</summary>
    public async Task<IDisposable> LockAsync(CancellationToken cancel)
    {
        await _gate.WaitAsync(cancel).ConfigureAwait(false);
        return new Gate(_gate);
    }

    /// <summary>Replaces the record; the caller holds the lock and has written it to disk or knows why not.</summary>
    public void Replace(ContainerRecord record) => Record = record;

    public ISandbox RequireSandbox()
    {
        if (Sandbox is { } sandbox && Life.Status is ContainerStatus.Running or ContainerStatus.Paused)
        {
            return Sandbox!;
        }

        throw WherryException.Conflict($"container {Record.Name} ({ShortId}) is not running");
    }

    public string ShortId => Id[..12];

    /// <summary>Attaches that came before the start are connected by it, so that no output is missed.</summary>
    public void AddPending(PendingAttach attach)
    {
        lock (_waiters)
        {
            _pendingAttaches.Add(attach);
        }
    }

    public void RemovePending(PendingAttach attach)
    {
        lock (_waiters)
        {
            _pendingAttaches.Remove(attach);
        }
    }

    public IReadOnlyList<PendingAttach> TakePending()
    {
        lock (_waiters)
        {
            var taken = _pendingAttaches.ToArray();
            _pendingAttaches.Clear();
            return taken;
        }
    }

    /// <summary>Wakes everyone who waits for this run's end.</summary>
    public void SignalExit(ContainerWaitResponse response)
    {
        TaskCompletionSource<ContainerWaitResponse> ended;
        lock (_waiters)
        {
            ended = _nextExit;
            _nextExit = new TaskCompletionSource<ContainerWaitResponse>(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        ended.TrySetResult(response);
    }

    /// <summary>Wakes everyone who waits for the removal, and for an exit that will not come any more.</summary>
    public void SignalRemoved()
    {
        var response = new ContainerWaitResponse { StatusCode = Life.ExitCode };
        _removed.TrySetResult(response);
        SignalExit(response);
        foreach (var attach in TakePending())
        {
            attach.Abandon();
        }
    }

    public void Dispose() => _gate.Dispose();

    private sealed class Gate(SemaphoreSlim semaphore) : IDisposable
    {
        private SemaphoreSlim? _held = semaphore;

        public void Dispose() => Interlocked.Exchange(ref _held, null)?.Release();
    }
}
