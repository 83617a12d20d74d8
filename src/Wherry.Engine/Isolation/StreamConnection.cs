using System.Net.Sockets;
using Wherry.Errors;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Contracts.Protocol;

namespace Wherry.Engine.Isolation;

/// <summary>A connection to a supervisor that has turned into a program's streams. Owns its socket.</summary>
internal sealed class StreamConnection : IStreamConnection
{
    private readonly Socket _socket;
    private readonly NetworkStream _stream;

    private StreamConnection(Socket socket, NetworkStream stream)
    {
        _socket = socket;
        _stream = stream;
    }

    public Stream Stream => _stream;

    /// <summary>Sends one request over a connection of its own, after whose answer the streams follow.</summary>
    /// <returns>The connection, and the answer's payload.</returns>
    /// <exception cref="WherryException">The supervisor refused, or has gone.</exception>
    public static async Task<(StreamConnection Connection, byte[] Answer)> OpenAsync(
        string stateDirectory, ReadOnlyMemory<byte> request, CancellationToken cancel)
    {
        var socket = await ShimWire.ConnectAsync(stateDirectory, cancel).ConfigureAwait(false)
            ?? throw WherryException.Conflict("the container is not running: its supervisor has ended");
        var stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            await stream.WriteAsync(request, cancel).ConfigureAwait(false);
            var answer = await ShimWire.ReadFrameAsync(stream, cancel).ConfigureAwait(false)
                ?? throw WherryException.Conflict("the container's supervisor ended while it was asked");
            if (answer.Frame.Kind == MessageKind.Failed)
            {
                throw ShimWire.ReadFailure(answer.Payload);
            }

            return (new StreamConnection(socket, stream), answer.Payload);
        }
        catch (IOException)
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw WherryException.Conflict("the container's supervisor ended while it was asked");
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public void CompleteInput()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            // The other side has ended first; there is nobody left to tell.
        }
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();
}
