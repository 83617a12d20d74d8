using System.IO.Pipelines;
using System.Net.Sockets;
using Wherry.Linux.Sockets;

namespace Wherry.Api.Hijacking;

/// <summary>
/// A connection taken over from HTTP. Output goes straight to the socket rather than through Kestrel's pipe, so
/// that a completed flush means that the kernel has the bytes and the end can be told in order.
/// </summary>
internal sealed class HijackedStream : IAsyncDisposable
{
    /// <summary>How long a client may take to close its side after it was told the end.</summary>
    private static readonly TimeSpan CloseGrace = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan PresenceInterval = TimeSpan.FromMilliseconds(500);

    private readonly Socket _socket;
    private readonly NetworkStream _stream;
    private readonly CancellationTokenSource _gone = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _watch;

    public HijackedStream(PipeReader input, Socket socket, Task inputEnded)
    {
        Input = input;
        _socket = socket;
        _stream = new NetworkStream(socket, ownsSocket: false);
        Output = PipeWriter.Create(_stream, new StreamPipeWriterOptions(minimumBufferSize: 32 * 1024, leaveOpen: true));
        _watch = WatchAsync(inputEnded);
    }

    public PipeReader Input { get; }

    public PipeWriter Output { get; }

    /// <summary>Cancelled when the client has closed the connection altogether, not merely its sending half.</summary>
    public CancellationToken ClientGone => _gone.Token;

    /// <summary>Tells the client the end, in order after all output, and lets go of the connection.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await Output.FlushAsync(ClientGone).ConfigureAwait(false);
            _socket.Shutdown(SocketShutdown.Send);

            // A socket closed with unread input resets the connection, and the client would report that instead
            // of the end it has just been sent: read on until it closes, too.
            using var grace = CancellationTokenSource.CreateLinkedTokenSource(ClientGone);
            grace.CancelAfter(CloseGrace);
            await DiscardInputAsync(grace.Token).ConfigureAwait(false);
        }
        catch (Exception gone) when (gone is IOException or SocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // The client did not wait for the end.
        }

        await _ended.CancelAsync().ConfigureAwait(false);
        await _watch.ConfigureAwait(false);
        await _stream.DisposeAsync().ConfigureAwait(false);
        _ended.Dispose();
        _gone.Dispose();
    }

    private async Task DiscardInputAsync(CancellationToken cancel)
    {
        while (true)
        {
            var read = await Input.ReadAsync(cancel).ConfigureAwait(false);
            Input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                return;
            }
        }
    }

    /// <summary>
    /// A client that has closed its sending half may still be listening, or be dead; only the socket's state
    /// tells, and nothing announces it. Without this look a quiet container would keep dead clients for ever.
    /// </summary>
    private async Task WatchAsync(Task inputEnded)
    {
        try
        {
            await inputEnded.WaitAsync(_ended.Token).ConfigureAwait(false);
            using var timer = new PeriodicTimer(PresenceInterval);
            do
            {
                if (PeerPresence.HasHungUp(_socket.SafeHandle))
                {
                    await _gone.CancelAsync().ConfigureAwait(false);
                    return;
                }
            }
            while (await timer.WaitForNextTickAsync(_ended.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // The session is over.
        }
        catch (ObjectDisposedException)
        {
            await _gone.CancelAsync().ConfigureAwait(false);
        }
    }
}
