using System.IO.Pipelines;
using System.Threading.Channels;
using Wherry.Linux.Inotify;

namespace Wherry.Engine.Logs;

/// <summary>
/// Sends a container's json-file log to a client: every record once, in the order it was written, across
/// rotations, at the client's own pace and in memory that does not depend on the log's length.
/// </summary>
public static class LogReader
{
    /// <summary>Between looks at the files when the kernel gives no watch (inotify's limits are reached).</summary>
    private static readonly TimeSpan UnwatchedInterval = TimeSpan.FromMilliseconds(100);

    /// <param name="logPath">The current file; rotated ones are beside it with <c>.1</c>, <c>.2</c> … None need exist.</param>
    /// <param name="query">Which lines.</param>
    /// <param name="tty">The container has a terminal: plain text rather than multiplexed frames.</param>
    /// <param name="ended">Completes when the container has ended and its last line is in the file; how it completes does not matter.</param>
    /// <param name="output">The client; flushed at the end, not completed.</param>
    /// <param name="cancel">The client has gone.</param>
    public static async Task ReadAsync(string logPath, LogQuery query, bool tty, Task ended, PipeWriter output, CancellationToken cancel)
    {
        var writer = new LogFrameWriter(query, tty, output);
        using var lines = new LogLines();
        var files = new LogFiles(logPath);

        // Watching begins before reading: a change during the read is found by the next look, not lost.
        using var changes = query.Follow ? new LogChanges(logPath, ended) : null;
        var open = files.OpenAll();
        try
        {
            await ReadExistingAsync(open, query, lines, writer, cancel).ConfigureAwait(false);
            if (changes is not null)
            {
                ReleaseAllButNewest(open);
                await FollowAsync(files, open, lines, writer, changes, ended, query.Until, cancel).ConfigureAwait(false);
            }

            await writer.FlushAsync(cancel).ConfigureAwait(false);
        }
        finally
        {
            open.ForEach(file => file.Dispose());
        }
    }

    private static async Task ReadExistingAsync(
        List<OpenLog> open, LogQuery query, LogLines lines, LogFrameWriter writer, CancellationToken cancel)
    {
        // A writer faster than the client must not make the end unreachable: what is there now is what is sent.
        var lengths = open.ConvertAll(file => file.Length);
        var (first, offset) = query.Tail is { } tail
            ? await LogTail.FindAsync(open, lengths, tail, query, cancel).ConfigureAwait(false)
            : (0, 0);
        for (var i = first; i < open.Count && !writer.IsDone; i++)
        {
            lines.MoveTo(open[i], i == first ? offset : 0);
            var isNewest = i == open.Count - 1;
            await SendAsync(lines, writer, isNewest && !query.Follow ? lengths[i] : long.MaxValue, cancel).ConfigureAwait(false);
        }
    }

    private static void ReleaseAllButNewest(List<OpenLog> open)
    {
        for (var i = 0; i < open.Count - 1; i++)
        {
            open[i].Dispose();
        }

        open.RemoveRange(0, Math.Max(0, open.Count - 1));
    }

    private static async Task FollowAsync(
        LogFiles files, List<OpenLog> open, LogLines lines, LogFrameWriter writer, LogChanges changes, Task ended, TimeArgument? until, CancellationToken cancel)
    {
        while (!writer.IsDone)
        {
            // Asked before the last look: what was written before the end is then surely seen.
            var isOver = ended.IsCompleted || HasPassed(until);
            while (await MoveToNextFileAsync(files, open, lines, writer, cancel).ConfigureAwait(false))
            {
                // Each file is read to its end before the next is looked for.
            }

            await writer.FlushAsync(cancel).ConfigureAwait(false);
            if (isOver)
            {
                return;
            }

            await changes.WaitAsync(until, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Sends the rest of the current file and, if it was rotated away, goes on to the one after it.</summary>
    private static async Task<bool> MoveToNextFileAsync(
        LogFiles files, List<OpenLog> open, LogLines lines, LogFrameWriter writer, CancellationToken cancel)
    {
        if (lines.File is not { } current)
        {
            open.AddRange(files.OpenAll());
            if (open.Count == 0)
            {
                return false;
            }

            // The others are its successors' successors, and are looked for in their turn.
            open.Skip(1).ToList().ForEach(file => file.Dispose());
            open.RemoveRange(1, open.Count - 1);
            lines.MoveTo(open[0], 0);
            return true;
        }

        await SendAsync(lines, writer, long.MaxValue, cancel).ConfigureAwait(false);
        if (writer.IsDone || files.TryOpenSuccessor(current) is not { } successor)
        {
            return false;
        }

        open.Add(successor);

        // It is closed for writing now, but lines may have come between our last read and the rotation.
        await SendAsync(lines, writer, long.MaxValue, cancel).ConfigureAwait(false);
        lines.MoveTo(successor, 0);
        open.Remove(current);
        current.Dispose();
        return true;
    }

    private static async Task SendAsync(LogLines lines, LogFrameWriter writer, long limit, CancellationToken cancel)
    {
        do
        {
            while (WriteUntilFlush(lines, writer))
            {
                await writer.FlushAsync(cancel).ConfigureAwait(false);
            }
        }
        while (!writer.IsDone && await lines.FillAsync(limit, cancel).ConfigureAwait(false));
    }

    /// <returns>True when the client should be served before the next line, false when there is no next line.</returns>
    private static bool WriteUntilFlush(LogLines lines, LogFrameWriter writer)
    {
        while (!writer.IsDone && lines.TryNext(out var line))
        {
            writer.Write(line);
            if (writer.WantsFlush)
            {
                return true;
            }
        }

        return false;
    }

    private static bool HasPassed(TimeArgument? moment) =>
        moment is { } limit && TimeArgument.From(DateTimeOffset.UtcNow).UnixNanoseconds > limit.UnixNanoseconds;

    /// <summary>Wakes a follower: the files changed, the container ended, or the time asked for is over.</summary>
    private sealed class LogChanges : IDisposable
    {
        private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        private readonly CancellationTokenSource _disposed = new();
        private readonly IDisposable? _watch;

        public LogChanges(string logPath, Task ended)
        {
            _watch = DirectoryWatcher.Shared.TryWatch(Path.GetDirectoryName(logPath)!, Wake);

            // One continuation for the whole reading, taken back at its end: a container may live for years.
            _ = ended.ContinueWith(_ => Wake(), _disposed.Token, TaskContinuationOptions.None, TaskScheduler.Default);
        }

        public async Task WaitAsync(TimeArgument? until, CancellationToken cancel)
        {
            var timeout = _watch is null ? UnwatchedInterval : Timeout.InfiniteTimeSpan;
            if (until is { } limit)
            {
                var left = limit.ToDateTimeOffset() - DateTimeOffset.UtcNow + TimeSpan.FromMilliseconds(1);
                timeout = TimeSpan.FromMilliseconds(Math.Clamp(left.TotalMilliseconds, 1, timeout < TimeSpan.Zero ? 3_600_000 : timeout.TotalMilliseconds));
            }

            if (timeout < TimeSpan.Zero)
            {
                await _wake.Reader.ReadAsync(cancel).ConfigureAwait(false);
                return;
            }

            using var timer = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            timer.CancelAfter(timeout);
            try
            {
                await _wake.Reader.ReadAsync(timer.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                // Time to look.
            }
        }

        public void Dispose()
        {
            _watch?.Dispose();
            _disposed.Cancel();
            _disposed.Dispose();
        }

        private void Wake() => _wake.Writer.TryWrite(true);
    }
}
