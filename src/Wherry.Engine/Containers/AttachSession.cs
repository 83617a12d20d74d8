using System.IO.Pipelines;
using Wherry.Runtime.Contracts;

namespace Wherry.Engine.Containers;

/// <summary>
/// A client's side of an attach or exec: what it was promised before its HTTP connection is taken over, and the
/// copying afterwards.
/// </summary>
public sealed class AttachSession : IAsyncDisposable
{
    private readonly Task<IStreamConnection?> _connection;
    private readonly Func<PipeWriter, CancellationToken, Task>? _replay;
    private readonly DetachSequence? _detach;
    private readonly StreamSelection _streams;
    private readonly Action? _abandon;
    private readonly Task? _settled;

    internal AttachSession(
        bool tty,
        StreamSelection streams,
        Task<IStreamConnection?> connection,
        DetachSequence? detach = null,
        Func<PipeWriter, CancellationToken, Task>? replay = null,
        Action? abandon = null,
        Task? settled = null)
    {
        Tty = tty;
        _streams = streams;
        _connection = connection;
        _detach = detach;
        _replay = replay;
        _abandon = abandon;
        _settled = settled;
    }

    /// <summary>Output is raw rather than in multiplexed frames.</summary>
    public bool Tty { get; }

    /// <summary>
    /// Copies both ways until the program's output ends, the client goes, or detach keys are typed. Completes
    /// neither pipe; the caller owns them.
    /// </summary>
    public async Task RunAsync(PipeReader input, PipeWriter output, CancellationToken cancel)
    {
        if (_replay is not null)
        {
            await _replay(output, cancel).ConfigureAwait(false);
        }

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        if (await _connection.WaitAsync(ending.Token).ConfigureAwait(false) is not { } connection)
        {
            return;
        }

        var copyIn = CopyInputAsync(input, connection, ending.Token);
        var copyOut = CopyOutputAsync(connection, output, ending.Token);
        var detached = DetachedAsync(copyIn);
        await Task.WhenAny(copyOut, detached).ConfigureAwait(false);
        if (copyOut.IsCompletedSuccessfully && _settled is not null)
        {
            // Whoever sees the end of an exec's output asks for its exit code next: it has to be known by then.
            await Task.WhenAny(_settled, detached, Task.Delay(Timeout.Infinite, cancel)).ConfigureAwait(false);
        }

        await ending.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(Swallow(copyIn), Swallow(copyOut)).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        _abandon?.Invoke();
        if (_connection.IsCompletedSuccessfully && await _connection.ConfigureAwait(false) is { } connection)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Ends only if the client asked to be let go; an input that is merely over leaves the output running.</summary>
    private static async Task DetachedAsync(Task<bool> copyIn)
    {
        if (!await copyIn.ConfigureAwait(false))
        {
            await Task.Delay(Timeout.Infinite).ConfigureAwait(false);
        }
    }

    /// <returns>True when the client typed the detach keys.</returns>
    private async Task<bool> CopyInputAsync(PipeReader input, IStreamConnection connection, CancellationToken cancel)
    {
        if (!_streams.Stdin)
        {
            return false;
        }

        while (true)
        {
            var read = await input.ReadAsync(cancel).ConfigureAwait(false);
            try
            {
                foreach (var segment in read.Buffer)
                {
                    if (_detach is null)
                    {
                        await connection.Stream.WriteAsync(segment, cancel).ConfigureAwait(false);
                        continue;
                    }

                    var passed = _detach.Filter(segment.Span);
                    await connection.Stream.WriteAsync(passed, cancel).ConfigureAwait(false);
                    if (_detach.Completed)
                    {
                        return true;
                    }
                }
            }
            finally
            {
                // However it ended: a read that is not given back leaves a pipe that nobody can read again.
                input.AdvanceTo(read.Buffer.End);
            }

            if (read.IsCompleted || read.IsCanceled)
            {
                connection.CompleteInput();
                return false;
            }
        }
    }

    private static async Task CopyOutputAsync(IStreamConnection connection, PipeWriter output, CancellationToken cancel)
    {
        while (true)
        {
            var memory = output.GetMemory(32 * 1024);
            var count = await connection.Stream.ReadAsync(memory, cancel).ConfigureAwait(false);
            if (count == 0)
            {
                return;
            }

            output.Advance(count);
            var flushed = await output.FlushAsync(cancel).ConfigureAwait(false);
            if (flushed.IsCompleted)
            {
                return;
            }
        }
    }

    /// <summary>Once one direction has ended the session, how the other ends no longer matters.</summary>
    private static async Task Swallow(Task task)
    {
        try
        {
            await task.ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The client or the program went away: that is what ends a session.
        }
    }
}
