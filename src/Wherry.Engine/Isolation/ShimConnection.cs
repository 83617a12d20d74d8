using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net.Sockets;
using Wherry.Errors;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Contracts.Protocol;

namespace Wherry.Engine.Isolation;

/// <summary>
/// A control connection to a supervisor: requests are answered by tag, in any order; events come in between.
/// Owns its socket.
/// </summary>
internal sealed class ShimConnection : IAsyncDisposable
{
    private readonly NetworkStream _stream;
    private readonly ConcurrentDictionary<uint, TaskCompletionSource<ReadOnlyMemory<byte>>> _pending = new();
    private readonly ConcurrentDictionary<uint, TaskCompletionSource<int>> _execExits = new();
    private readonly TaskCompletionSource<ExitRecord?> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly Task _reading;
    private uint _lastTag;
    private volatile bool _closed;

    public ShimConnection(Socket socket)
    {
        _stream = new NetworkStream(socket, ownsSocket: true);
        _reading = Task.Run(ReadAsync);
    }

    /// <summary>Completes when the supervisor has said how the container ended, or with null when it has gone without a word.</summary>
    public Task<ExitRecord?> End => _end.Task;

    /// <returns>The answer's payload.</returns>
    /// <exception cref="WherryException">The supervisor refused, or has gone.</exception>
    public async Task<ReadOnlyMemory<byte>> AskAsync(MessageKind kind, Action<WireWriter>? write, CancellationToken cancel)
    {
        var tag = Interlocked.Increment(ref _lastTag);
        var answer = new TaskCompletionSource<ReadOnlyMemory<byte>>(TaskCreationOptions.RunContinuationsAsynchronously);
        _pending[tag] = answer;
        try
        {
            if (_closed)
            {
                throw Gone();
            }

            var frame = new WireWriter(kind, tag);
            write?.Invoke(frame);
            await SendAsync(frame.Finish(), cancel).ConfigureAwait(false);
            return await answer.Task.WaitAsync(cancel).ConfigureAwait(false);
        }
        finally
        {
            _pending.TryRemove(tag, out _);
        }
    }

    /// <summary>The exit code that will be told for the exec so named; registered before it is asked for.</summary>
    public Task<int> ExpectExecExit(uint token) =>
        _execExits.GetOrAdd(token, _ => new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void ForgetExec(uint token) => _execExits.TryRemove(token, out _);

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync().ConfigureAwait(false);
        await _reading.ConfigureAwait(false);
        _writing.Dispose();
    }

    private async Task SendAsync(ReadOnlyMemory<byte> frame, CancellationToken cancel)
    {
        // The wait can be given up; a frame once begun is written whole, or the connection would be out of step.
        await _writing.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            await _stream.WriteAsync(frame, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException)
        {
            throw Gone();
        }
        finally
        {
            _writing.Release();
        }
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await ShimWire.ReadFrameAsync(_stream, CancellationToken.None).ConfigureAwait(false) is var (frame, payload))
            {
                Dispatch(frame, payload);
            }
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException or InvalidDataException)
        {
            // Out of step or gone: either way nothing more can be learnt here.
        }

        _closed = true;
        foreach (var (_, waiting) in _pending)
        {
            waiting.TrySetException(Gone());
        }

        foreach (var (_, waiting) in _execExits)
        {
            waiting.TrySetException(Gone());
        }

        _end.TrySetResult(null);
    }

    private void Dispatch(Frame frame, byte[] payload)
    {
        switch (frame.Kind)
        {
            case MessageKind.Done when _pending.TryGetValue(frame.Tag, out var waiting):
                waiting.TrySetResult(payload);
                break;
            case MessageKind.Failed when _pending.TryGetValue(frame.Tag, out var waiting):
                waiting.TrySetException(ShimWire.ReadFailure(payload));
                break;
            case MessageKind.Exited:
                var exit = new WireReader(payload);
                _end.TrySetResult(ExitRecordWire.ReadFrom(ref exit));
                break;
            case MessageKind.ExecExited:
                var token = BinaryPrimitives.ReadUInt32LittleEndian(payload);
                if (_execExits.TryRemove(token, out var exec))
                {
                    exec.TrySetResult(BinaryPrimitives.ReadInt32LittleEndian(payload.AsSpan(4)));
                }

                break;
        }
    }

    private static WherryException Gone() => new(ErrorKind.Conflict, "the container's supervisor has ended");
}
