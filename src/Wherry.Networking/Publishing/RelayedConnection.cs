using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace Wherry.Networking.Publishing;

/// <summary>
/// One client's TCP connection and its counterpart to the container. Each direction ends on its own (half-close), an error
/// in either resets both. While a direction is idle it holds no buffer.
/// </summary>
internal sealed class RelayedConnection(Socket client, ContainerSockets sockets) : IDisposable
{
    private const int BufferSize = 64 * 1024;
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    private readonly Socket _container = sockets.Make(SocketType.Stream, ProtocolType.Tcp);

    /// <summary>Runs until both directions have ended. Never throws: a broken connection is the peers' affair.</summary>
    public async Task RunAsync(IPEndPoint target, CancellationToken stop)
    {
        try
        {
            using (var limit = CancellationTokenSource.CreateLinkedTokenSource(stop))
            {
                limit.CancelAfter(ConnectTimeout);
                await _container.ConnectAsync(target, limit.Token);
            }

            client.NoDelay = true;
            _container.NoDelay = true;
            using var abort = CancellationTokenSource.CreateLinkedTokenSource(stop);
            await Task.WhenAll(PumpAsync(client, _container, abort), PumpAsync(_container, client, abort));
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            Reset();
        }
    }

    public void Dispose()
    {
        client.Dispose();
        _container.Dispose();
    }

    private static async Task PumpAsync(Socket from, Socket to, CancellationTokenSource abort)
    {
        try
        {
            while (true)
            {
                // Completes when there is something to read, without tying up a buffer meanwhile.
                await from.ReceiveAsync(Memory<byte>.Empty, abort.Token);
                var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
                try
                {
                    var length = await from.ReceiveAsync(buffer.AsMemory(), abort.Token);
                    if (length == 0)
                    {
                        to.Shutdown(SocketShutdown.Send);
                        return;
                    }

                    for (var rest = buffer.AsMemory(0, length); rest.Length > 0;)
                    {
                        rest = rest[await to.SendAsync(rest, abort.Token)..];
                    }
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                }
            }
        }
        catch
        {
            // The other direction must not wait for a peer that is gone.
            await abort.CancelAsync();
            throw;
        }
    }

    /// <summary>Tells both peers that the connection broke, instead of pretending an orderly end.</summary>
    private void Reset()
    {
        foreach (var socket in (ReadOnlySpan<Socket>)[client, _container])
        {
            try
            {
                socket.LingerState = new LingerOption(enable: true, seconds: 0);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // Already closed.
            }
        }
    }
}
