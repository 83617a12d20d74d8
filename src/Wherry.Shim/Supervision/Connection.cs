using Wherry.Linux;
using Wherry.Linux.Polling;
using Wherry.Linux.Sockets;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Contracts.Protocol;
using Wherry.Shim.Streams;

namespace Wherry.Shim.Supervision;

/// <summary>A connection that speaks frames, until it is handed over to carry a program's streams.</summary>
public sealed class Connection : IPollHandler
{
    private readonly EventLoop _loop;
    private readonly FileDescriptor _socket;
    private readonly Supervisor _supervisor;
    private byte[] _input = new byte[512];
    private int _inputLength;
    private byte[] _waiting = [];
    private bool _open = true;

    /// <param name="socket">Owned from now on.</param>
    public Connection(EventLoop loop, FileDescriptor socket, Supervisor supervisor, bool isControl)
    {
        _loop = loop;
        _socket = socket;
        _supervisor = supervisor;
        IsControl = isControl;
        _loop.Watch(socket.Number, PollEvents.Readable, this);
    }

    /// <summary>It is told events.</summary>
    public bool IsControl { get; private set; }

    public bool IsBehind => _waiting.Length > 0;

    public void BecomeControl() => IsControl = true;

    public void OnEvents(PollEvents events)
    {
        if ((events & PollEvents.Writable) != 0)
        {
            SendWaiting();
        }

        if (_open && (events & ~PollEvents.Writable) != 0)
        {
            Receive();
        }
    }

    public void SendDone(uint tag) => Send(new WireWriter(MessageKind.Done, tag).Finish().Span);

    public void SendFailure(uint tag, FailedAnswer failure)
    {
        var writer = new WireWriter(MessageKind.Failed, tag);
        failure.WriteTo(writer);
        Send(writer.Finish().Span);
    }

    /// <summary>Sends a frame, keeping what the socket does not take at once.</summary>
    public void Send(ReadOnlySpan<byte> frame)
    {
        if (!_open)
        {
            return;
        }

        var sent = IsBehind ? 0 : UnixSockets.Send(_socket.Number, frame);
        if (sent is < 0 and not -Errno.EAGAIN)
        {
            Close();
            return;
        }

        frame = frame[Math.Max(sent, 0)..];
        if (frame.Length > 0)
        {
            _waiting = [.. _waiting, .. frame];
            if (_waiting.Length > Frame.MaxPayload)
            {
                // An engine that reads nothing for so long is not coming back to this connection.
                Close();
                return;
            }

            _loop.Watch(_socket.Number, PollEvents.Readable | PollEvents.Writable, this);
        }
    }

    /// <summary>From here on the connection carries a program's streams; this object is done.</summary>
    public void HandOver(ProgramStreams program, StreamSelection streams, bool multiplexed)
    {
        // The answer is a few bytes on a fresh connection; it can't be waiting.
        _open = false;
        _loop.Forget(_socket.Number);
        _supervisor.Forget(this);
        program.Attach(_socket, streams, multiplexed);
        if (_inputLength > 0)
        {
            program.Input(_input.AsSpan(0, _inputLength));
        }
    }

    private void Receive()
    {
        if (_inputLength == _input.Length)
        {
            Array.Resize(ref _input, _input.Length * 4);
        }

        var received = UnixSockets.Receive(_socket.Number, _input.AsSpan(_inputLength));
        if (received == -Errno.EAGAIN)
        {
            return;
        }

        if (received <= 0)
        {
            Close();
            return;
        }

        _inputLength += received;
        try
        {
            TakeFrames();
        }
        catch (InvalidDataException)
        {
            Close();
        }
    }

    private void TakeFrames()
    {
        while (_open && _inputLength >= Frame.HeaderSize)
        {
            var frame = Frame.Parse(_input);
            var whole = Frame.HeaderSize + frame.PayloadLength;
            if (_inputLength < whole)
            {
                if (_input.Length < whole)
                {
                    Array.Resize(ref _input, whole);
                }

                return;
            }

            // Moved out of the way first: a connection that is handed over takes the rest along as input.
            var payload = _input.AsSpan(Frame.HeaderSize, frame.PayloadLength).ToArray();
            _inputLength -= whole;
            _input.AsSpan(whole, _inputLength).CopyTo(_input);
            _supervisor.Handle(this, frame, payload);
        }

        if (_inputLength == 0 && _input.Length > 4096)
        {
            _input = new byte[512];
        }
    }

    private void SendWaiting()
    {
        var sent = UnixSockets.Send(_socket.Number, _waiting);
        if (sent is < 0 and not -Errno.EAGAIN)
        {
            Close();
            return;
        }

        _waiting = _waiting[Math.Max(sent, 0)..];
        if (_waiting.Length == 0)
        {
            _loop.Watch(_socket.Number, PollEvents.Readable, this);
        }
    }

    private void Close()
    {
        if (_open)
        {
            _open = false;
            _waiting = [];
            _loop.Forget(_socket.Number);
            _socket.Dispose();
            _supervisor.Forget(this);
        }
    }
}
