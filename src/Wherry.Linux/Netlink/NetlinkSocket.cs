using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;

namespace Wherry.Linux.Netlink;

/// <summary>
/// A netlink socket of one protocol. It belongs for ever to the network namespace of the thread that opened it.
/// Thread-safe: one exchange at a time. The kernel handles a request inside the sender's own system call, so when
/// the send returns every answer is already queued and nothing here ever waits.
/// </summary>
public sealed class NetlinkSocket : IDisposable
{
    public const int Route = 0;
    public const int Netfilter = 12;

    private const int EMSGSIZE = 90;
    private const ushort MessageError = 2;
    private const ushort MessageDone = 3;
    private const ushort FirstProtocolType = 16;
    private const int HeaderSize = 16;

    // The kernel fills a dump's datagrams up to 32 kB where the reader offers that much.
    private const int ReceiveSize = 32 * 1024;
    private const ushort ErrorCapped = 0x100;
    private const ushort ErrorHasAttributes = 0x200;
    private const ushort ErrorText = 1;

    private readonly Lock _gate = new();
    private readonly FileDescriptor _socket;
    private uint _sequence = 1;

    private NetlinkSocket(FileDescriptor socket) => _socket = socket;

    public delegate void MessageHandler(ushort type, ReadOnlySpan<byte> payload);

    /// <param name="protocol"><see cref="Route"/> or <see cref="Netfilter"/>.</param>
    public static NetlinkSocket Open(int protocol)
    {
        // SAFETY: plain calls with values; the descriptor is owned from here on.
        var fd = NetlinkSyscalls.Socket(NetlinkSyscalls.AF_NETLINK, NetlinkSyscalls.SOCK_RAW | NetlinkSyscalls.SOCK_CLOEXEC, protocol);
        if (fd < 0)
        {
            throw new LinuxException($"open netlink socket (protocol {protocol})", Marshal.GetLastPInvokeError());
        }

        // Both only improve error reports, so a kernel without them is no failure.
        _ = NetlinkSyscalls.SetSocketOption(fd, NetlinkSyscalls.SOL_NETLINK, NetlinkSyscalls.NETLINK_EXT_ACK, 1, sizeof(int));
        _ = NetlinkSyscalls.SetSocketOption(fd, NetlinkSyscalls.SOL_NETLINK, NetlinkSyscalls.NETLINK_CAP_ACK, 1, sizeof(int));
        return new NetlinkSocket(new FileDescriptor(fd));
    }

    /// <summary>
    /// Sends the batch in one call and throws the first error among its answers. Messages behind a failed one may have
    /// been carried out (rtnetlink) or not (a netfilter batch is atomic).
    /// </summary>
    public void Execute(NetlinkBatch batch) => Exchange(batch, onMessage: null);

    /// <summary>Sends the batch and gives every data message of the answer, multi-part or single, to <paramref name="onMessage"/>.</summary>
    public void Query(NetlinkBatch batch, MessageHandler onMessage) => Exchange(batch, onMessage);

    /// <summary>Waits for an exchange under way; later ones throw <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _socket.Dispose();
        }
    }

    private void Exchange(NetlinkBatch batch, MessageHandler? onMessage)
    {
        if (batch.Count == 0)
        {
            return;
        }

        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_socket.IsClosed, this);
            var first = _sequence;
            _sequence += (uint)batch.Count;
            batch.Number(first);
            Send(batch);
            var buffer = ArrayPool<byte>.Shared.Rent(ReceiveSize);
            try
            {
                NetlinkException? failure = null;
                while (Receive(batch, buffer) is var length and > 0)
                {
                    // After an error the queue is still drained, or the next exchange would read this one's answers.
                    var problem = Read(buffer.AsSpan(0, length), batch, first, onMessage);
                    failure ??= problem;
                }

                if (failure is not null)
                {
                    throw failure;
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }

    private unsafe void Send(NetlinkBatch batch)
    {
        var room = 0;
        fixed (byte* data = batch.Written)
        {
            while (true)
            {
                // SAFETY: the buffer is pinned and its length is what was written.
                var sent = NetlinkSyscalls.Send(_socket.Number, data, (nuint)batch.Length, 0);
                if (sent >= 0)
                {
                    return;
                }

                switch (Marshal.GetLastPInvokeError())
                {
                    case Errno.EINTR:
                        break;
                    case EMSGSIZE when room < 2 * batch.Length:
                        // A batch may be longer than the default send buffer (200 kB); root may have any size.
                        room = 4 * batch.Length;
                        _ = NetlinkSyscalls.SetSocketOption(_socket.Number, NetlinkSyscalls.SOL_SOCKET, NetlinkSyscalls.SO_SNDBUFFORCE, room, sizeof(int));
                        break;
                    case var errno:
                        throw new NetlinkException(Names(batch), errno);
                }
            }
        }
    }

    /// <summary>The next datagram's length, or 0 when the queue is empty.</summary>
    private unsafe int Receive(NetlinkBatch batch, byte[] buffer)
    {
        fixed (byte* data = buffer)
        {
            while (true)
            {
                // SAFETY: the buffer is pinned; MSG_TRUNC reports a datagram's true size, compared with ours below.
                var received = NetlinkSyscalls.Receive(
                    _socket.Number, data, (nuint)buffer.Length, NetlinkSyscalls.MSG_DONTWAIT | NetlinkSyscalls.MSG_TRUNC);
                if (received >= 0)
                {
                    return received <= buffer.Length
                        ? (int)received
                        : throw new NetlinkException(Names(batch), Errno.ENOBUFS, "the answer is longer than the receive buffer");
                }

                switch (Marshal.GetLastPInvokeError())
                {
                    case Errno.EINTR:
                        continue;
                    case Errno.EAGAIN:
                        return 0;
                    case var errno:
                        throw new NetlinkException(Names(batch), errno, "reading the kernel's answer");
                }
            }
        }
    }

    private static string Names(NetlinkBatch batch) => batch.Doing(0) ?? "netlink";

    private static NetlinkException? Read(ReadOnlySpan<byte> datagram, NetlinkBatch batch, uint first, MessageHandler? onMessage)
    {
        NetlinkException? failure = null;
        while (datagram.Length >= HeaderSize)
        {
            var length = MemoryMarshal.Read<uint>(datagram);
            if (length < HeaderSize || length > datagram.Length)
            {
                break;
            }

            var message = datagram[..(int)length];
            var type = MemoryMarshal.Read<ushort>(message[4..]);
            var index = MemoryMarshal.Read<uint>(message[8..]) - first;
            if (index < batch.Count)
            {
                if (type == MessageError)
                {
                    failure ??= Failure(message, batch.Doing((int)index));
                }
                else if (type == MessageDone && message.Length >= HeaderSize + 4
                    && MemoryMarshal.Read<int>(message[HeaderSize..]) is var status and < 0)
                {
                    failure ??= new NetlinkException(batch.Doing((int)index) ?? "netlink", -status);
                }
                else if (type >= FirstProtocolType)
                {
                    onMessage?.Invoke(type, message[HeaderSize..]);
                }
            }

            datagram = datagram[Math.Min(datagram.Length, (int)((length + 3) & ~3u))..];
        }

        return failure;
    }

    private static NetlinkException? Failure(ReadOnlySpan<byte> message, string? doing)
    {
        var error = MemoryMarshal.Read<int>(message[HeaderSize..]);
        if (error == 0 || doing is null)
        {
            return null;
        }

        string? text = null;
        var flags = MemoryMarshal.Read<ushort>(message[6..]);
        if ((flags & ErrorHasAttributes) != 0 && message.Length >= HeaderSize + 4 + HeaderSize)
        {
            // nlmsgerr: the errno, the request's header, its payload unless capped, then the attributes.
            var echoed = (flags & ErrorCapped) != 0 ? HeaderSize : (int)((MemoryMarshal.Read<uint>(message[(HeaderSize + 4)..]) + 3) & ~3u);
            var attributes = new NetlinkAttributes(message[Math.Min(message.Length, HeaderSize + 4 + echoed)..]);
            while (attributes.Next())
            {
                if (attributes.Type == ErrorText)
                {
                    text = Encoding.UTF8.GetString(attributes.Value.TrimEnd((byte)0));
                }
            }
        }

        return new NetlinkException(doing, -error, text);
    }
}
