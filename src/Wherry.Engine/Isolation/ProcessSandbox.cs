using System.Buffers.Binary;
using Wherry.Errors;
using Wherry.Linux.Processes;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Contracts.Protocol;

namespace Wherry.Engine.Isolation;

/// <summary>A container run as a host process, seen through its supervisor.</summary>
internal sealed class ProcessSandbox : ISandbox
{
    private const int KilledExitCode = 137;

    private readonly SandboxLocation _location;
    private readonly ShimConnection _control;
    private SandboxSnapshot _snapshot;
    private uint _lastExec;

    /// <param name="location">Where the supervisor is.</param>
    /// <param name="control">Taken over.</param>
    /// <param name="snapshot">As the supervisor has told it.</param>
    /// <param name="shimPid">The supervisor's process id where it is a child of this process, which then has to collect it.</param>
    public ProcessSandbox(SandboxLocation location, ShimConnection control, SandboxSnapshot snapshot, int? shimPid)
    {
        _location = location;
        _control = control;
        _snapshot = snapshot;

        // Tokens of an engine that was killed may still be in use: its successors start somewhere else.
        _lastExec = (uint)Random.Shared.Next();
        Exit = WaitForExitAsync(shimPid);
    }

    public string Id => _location.Id;

    public int? HostPid => _snapshot.Pid;

    public string? NetworkNamespacePath => _snapshot.OwnsNetworkNamespace ? $"/proc/{_snapshot.Pid}/ns/net" : null;

    public DateTimeOffset? StartedAt => _snapshot.StartedAt;

    public IReadOnlyList<string> Warnings => _snapshot.Warnings;

    public Task<ExitRecord> Exit { get; }

    public async Task StartAsync(CancellationToken cancel)
    {
        try
        {
            var answer = await _control.AskAsync(MessageKind.Start, null, cancel).ConfigureAwait(false);
            var reader = new WireReader(answer.Span);
            _snapshot = SandboxSnapshot.ReadFrom(ref reader);
        }
        catch (WherryException failure) when (failure is not SandboxStartException && _control.End.IsCompleted)
        {
            // What failed before it was asked to start is in the record its supervisor left.
            var record = await Exit.ConfigureAwait(false);
            throw new SandboxStartException(record.Error, record.ExitCode);
        }
    }

    public async Task SignalAsync(int signal, bool all, CancellationToken cancel)
    {
        await _control.AskAsync(
            MessageKind.Signal,
            frame =>
            {
                frame.Write(signal);
                frame.Write(all);
            },
            cancel).ConfigureAwait(false);
    }

    public Task ResizeAsync(int rows, int columns, CancellationToken cancel) => _control.AskAsync(
        MessageKind.Resize,
        frame =>
        {
            frame.Write(rows);
            frame.Write(columns);
        },
        cancel);

    public async Task<IStreamConnection> AttachAsync(StreamSelection streams, CancellationToken cancel)
    {
        var frame = new WireWriter(MessageKind.Attach, 1);
        frame.Write((byte)((streams.Stdin ? 1 : 0) | (streams.Stdout ? 2 : 0) | (streams.Stderr ? 4 : 0)));
        var (connection, _) = await StreamConnection.OpenAsync(_location.StateDirectory, frame.Finish(), cancel).ConfigureAwait(false);
        return connection;
    }

    public async Task<IExecProcess> ExecAsync(ExecRequest request, CancellationToken cancel)
    {
        var token = Interlocked.Increment(ref _lastExec);
        var exit = _control.ExpectExecExit(token);
        try
        {
            var frame = new WireWriter(MessageKind.Exec, 1);
            new ExecOrder(token, request).WriteTo(frame);
            var (connection, answer) = await StreamConnection.OpenAsync(_location.StateDirectory, frame.Finish(), cancel).ConfigureAwait(false);
            var pid = BinaryPrimitives.ReadInt32LittleEndian(answer);
            if (request.Detach || !request.Streams.Any)
            {
                await connection.DisposeAsync().ConfigureAwait(false);
                return new ExecProcess(_control, token, pid, exit, streams: null);
            }

            return new ExecProcess(_control, token, pid, exit, connection);
        }
        catch
        {
            _control.ForgetExec(token);
            throw;
        }
    }

    public Task PauseAsync(CancellationToken cancel) => _control.AskAsync(MessageKind.Pause, null, cancel);

    public Task ResumeAsync(CancellationToken cancel) => _control.AskAsync(MessageKind.Resume, null, cancel);

    public async Task<IReadOnlyList<int>> ListProcessesAsync(CancellationToken cancel)
    {
        var answer = await _control.AskAsync(MessageKind.ListProcesses, null, cancel).ConfigureAwait(false);
        return ReadIds(answer.Span);
    }

    public ValueTask DisposeAsync() => _control.DisposeAsync();

    private static int[] ReadIds(ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        var ids = new int[reader.ReadCount()];
        for (var i = 0; i < ids.Length; i++)
        {
            ids[i] = reader.ReadInt32();
        }

        return ids;
    }

    /// <summary>
    /// Collects a supervisor that is our child, or it stays a zombie. It ends with its last word, unless attached
    /// clients have yet to read theirs; no thread is held meanwhile.
    /// </summary>
    private static async Task CollectAsync(int pid)
    {
        for (var pause = 1; ProcessSyscalls.Wait(pid, block: false) is null && ProcessSyscalls.Kill(pid, 0); pause = Math.Min(pause * 2, 500))
        {
            await Task.Delay(pause).ConfigureAwait(false);
        }
    }

    private async Task<ExitRecord> WaitForExitAsync(int? shimPid)
    {
        var told = await _control.End.ConfigureAwait(false);
        if (shimPid is { } pid)
        {
            _ = CollectAsync(pid);
        }

        return told ?? ExitFiles.Read(_location) ?? new ExitRecord
        {
            ExitCode = KilledExitCode,
            StartedAt = StartedAt,
            FinishedAt = DateTimeOffset.UtcNow,
            Error = "the container's supervisor was killed, and the container with it",
        };
    }
}

/// <summary>A program run in a container besides its own.</summary>
internal sealed class ExecProcess(ShimConnection control, uint token, int pid, Task<int> exit, StreamConnection? streams) : IExecProcess
{
    public int Pid => pid;

    public IStreamConnection? Streams => streams;

    public Task<int> Exit => exit;

    public Task ResizeAsync(int rows, int columns, CancellationToken cancel) => control.AskAsync(
        MessageKind.ExecResize,
        frame =>
        {
            frame.Write(token);
            frame.Write(rows);
            frame.Write(columns);
        },
        cancel);

    public ValueTask DisposeAsync()
    {
        control.ForgetExec(token);
        return ValueTask.CompletedTask;
    }
}
