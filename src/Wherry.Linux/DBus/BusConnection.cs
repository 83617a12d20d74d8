using System.Text;
using Wherry.Linux.Polling;
using Wherry.Linux.Sockets;

namespace Wherry.Linux.DBus;

/// <summary>
/// A connection to a message bus or, for services that have a socket of their own, to a service. For one thread;
/// every wait has a bound.
/// </summary>
public sealed class BusConnection : IDisposable
{
    private const int LongestLine = 1024;

    private static readonly TimeSpan PatienceWithPing = TimeSpan.FromMilliseconds(100);

    private readonly FileDescriptor _socket;
    private readonly EventPoll _poll = new();
    private readonly Queue<BusMessage> _signals = new();
    private readonly TimeSpan _patience;
    private byte[] _received = new byte[4096];
    private int _count;
    private uint _lastSerial;

    private BusConnection(FileDescriptor socket, TimeSpan patience)
    {
        _socket = socket;
        _patience = patience;
        _poll.Watch(socket.Number, PollEvents.Readable, 0);
    }

    /// <summary>Connects and is let in; null where nobody listens.</summary>
    /// <param name="path">A socket's.</param>
    /// <param name="patience">How long to wait for each answer.</param>
    /// <exception cref="BusException">The other side does not want us, or does not speak D-Bus.</exception>
    public static BusConnection? TryOpen(string path, TimeSpan patience)
    {
        var result = UnixSockets.TryConnect(path, out var socket);
        if (result is -Errno.ENOENT or -Errno.ECONNREFUSED)
        {
            return null;
        }

        var connection = new BusConnection(socket ?? throw new LinuxException($"connect to {path}", -result), patience);
        try
        {
            connection.Authenticate();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Has a service with a socket of its own show that it reads our calls. sd-bus may take the first of them in together
    /// with the end of the authentication, and then does not look at it before something more comes.
    /// </summary>
    /// <exception cref="BusException">It never answers.</exception>
    public void Wake()
    {
        var ping = new BusMessage { Kind = BusMessageKind.Call, Path = "/", Interface = "org.freedesktop.DBus.Peer", Member = "Ping" };
        var end = Environment.TickCount64 + (long)_patience.TotalMilliseconds;
        while (true)
        {
            try
            {
                Call(ping, PatienceWithPing);
                return;
            }
            catch (BusException e) when (e.Name == BusException.NoReply && Environment.TickCount64 < end)
            {
                // The next one gets the answer to this one, which nobody waits for any more, out as well.
            }
        }
    }

    /// <summary>Calls a method and waits for its answer; signals that come meanwhile are kept for <see cref="WaitForSignal"/>.</summary>
    /// <exception cref="BusException">The answer is an error, or none came in time.</exception>
    public BusMessage Call(BusMessage call) => Call(call, _patience);

    private BusMessage Call(BusMessage call, TimeSpan patience)
    {
        var serial = ++_lastSerial;
        Send((call with { Serial = serial }).ToBytes());
        var end = Environment.TickCount64 + (long)patience.TotalMilliseconds;
        while (true)
        {
            var message = Receive(end);
            if (message.Kind == BusMessageKind.Signal)
            {
                _signals.Enqueue(message);
            }
            else if (message.Kind == BusMessageKind.Return && message.ReplySerial == serial)
            {
                return message;
            }
            else if (message.Kind == BusMessageKind.Error && message.ReplySerial == serial)
            {
                throw new BusException(TextOf(message), message.ErrorName);
            }
        }
    }

    /// <summary>Waits for a signal, which may have come already; those before it are dropped.</summary>
    /// <param name="isIt">Tells it from others.</param>
    /// <exception cref="BusException">It did not come in time.</exception>
    public void WaitForSignal(Predicate<BusMessage> isIt)
    {
        var end = Environment.TickCount64 + (long)_patience.TotalMilliseconds;
        while (true)
        {
            var message = _signals.TryDequeue(out var kept) ? kept : Receive(end);
            if (message.Kind == BusMessageKind.Signal && isIt(message))
            {
                return;
            }
        }
    }

    public void Dispose()
    {
        _poll.Dispose();
        _socket.Dispose();
    }

    // The kernel tells the other side who we are. A name is not added: in a user namespace ours is not what the other side sees.
    private void Authenticate()
    {
        Send("\0AUTH EXTERNAL\r\nDATA\r\n"u8);
        var answer = ReceiveLine();
        if (answer.StartsWith("DATA", StringComparison.Ordinal))
        {
            answer = ReceiveLine();
        }

        if (!answer.StartsWith("OK ", StringComparison.Ordinal))
        {
            throw new BusException($"not let in: \"{answer}\"");
        }

        Send("BEGIN\r\n"u8);
    }

    private string ReceiveLine()
    {
        var end = Environment.TickCount64 + (long)_patience.TotalMilliseconds;
        while (true)
        {
            var length = _received.AsSpan(0, _count).IndexOf("\r\n"u8);
            if (length >= 0)
            {
                var line = Encoding.ASCII.GetString(_received, 0, length);
                Consume(length + 2);
                return line;
            }

            if (_count > LongestLine)
            {
                throw new BusException("what answers does not speak D-Bus");
            }

            ReceiveMore(end);
        }
    }

    private BusMessage Receive(long end)
    {
        while (_count < BusMessage.FixedSize)
        {
            ReceiveMore(end);
        }

        var length = BusMessage.LengthOf(_received);
        while (_count < length)
        {
            ReceiveMore(end);
        }

        var message = BusMessage.Parse(_received.AsSpan(0, length));
        Consume(length);
        return message;
    }

    // Room grows with what has come, not with what a header promises.
    private void ReceiveMore(long end)
    {
        if (_count == _received.Length)
        {
            Array.Resize(ref _received, _received.Length * 2);
        }

        int received;
        while ((received = UnixSockets.Receive(_socket.Number, _received.AsSpan(_count))) == -Errno.EAGAIN)
        {
            var left = end - Environment.TickCount64;
            if (left <= 0)
            {
                throw new BusException($"D-Bus: no answer in {_patience.TotalSeconds:0.#} seconds", BusException.NoReply);
            }

            _poll.Wait((int)left);
        }

        _count += received > 0 ? received : throw new BusException("the connection ended before an answer came");
    }

    private void Consume(int count)
    {
        _received.AsSpan(count, _count - count).CopyTo(_received);
        _count -= count;
    }

    private void Send(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var sent = UnixSockets.Send(_socket.Number, bytes, wait: true);
            bytes = sent > 0 ? bytes[sent..] : throw new LinuxException("send to D-Bus", -sent);
        }
    }

    // An error's first argument is, if it has one, its text.
    private static string TextOf(BusMessage error)
    {
        if (!error.Signature.StartsWith('s'))
        {
            return error.ErrorName;
        }

        var reader = new BusReader(error.Body);
        return reader.ReadString();
    }
}
