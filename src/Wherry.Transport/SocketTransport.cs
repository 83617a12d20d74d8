using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
#if NET10_0_OR_GREATER
using System.Buffers;
using System.Runtime.CompilerServices;
#endif

namespace Wherry.Transport;

/// <summary>Kestrel's socket transport over sockets that are bound already, with buffers from <see cref="BlockPool"/>.</summary>
public static class SocketTransport
{
    /// <param name="bound">By local address; the transport owns them from the time it listens.</param>
    /// <param name="bufferSize">Bytes that may wait per connection and direction before the other side does; null for Kestrel's default.</param>
    /// <param name="loggers">Kestrel's own.</param>
    public static IConnectionListenerFactory Create(IReadOnlyDictionary<EndPoint, Socket> bound, (long Read, long? Write) bufferSize, ILoggerFactory loggers)
    {
        var options = new SocketTransportOptions { CreateBoundListenSocket = address => bound[address], MaxReadBufferSize = bufferSize.Read };
        if (bufferSize.Write is { } write)
        {
            options.MaxWriteBufferSize = write;
        }

#if NET10_0_OR_GREATER
        SetMemoryPoolFactory(options, new PoolFactory());
#endif
        return new SocketTransportFactory(Options.Create(options), loggers);
    }

#if NET10_0_OR_GREATER
    // A service container would set it from an IMemoryPoolFactory it was given; these servers do without one. Should the
    // framework's next version have another setter, no server starts, which no test survives.
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_MemoryPoolFactory")]
    private static extern void SetMemoryPoolFactory(SocketTransportOptions options, IMemoryPoolFactory<byte> factory);

    private sealed class PoolFactory : IMemoryPoolFactory<byte>
    {
        public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => BlockPool.Instance;
    }
#endif
}
