using System.Buffers.Binary;
using Wherry.Linux;
using Wherry.Linux.Polling;
using Wherry.Linux.Sockets;
using Wherry.Runtime.Contracts;
using Wherry.Shim.Supervision;

namespace Wherry.Shim.Streams;

/// <summary>
/// One attached connection: gets a program's output, gives it input. What its socket does not take at once
/// waits here, and while anything waits the program's output is not read: a slow client slows the program
/// down rather than fill our memory.
/// </summary>
public sealed class StreamClient : IPollHandler
{
    /// <summary>Docker's frame head: stream type, three zero bytes, big-endian length.</summary>
    public const int HeaderSize = 8;

    private readonly EventLoop _loop;
    private readonly FileDescriptor _socket;
    private readonly ProgramStreams _program;
    private readonly StreamSelection _selection;
    private readonly bool _multiplexed;
    private byte[] _waiting = [];
    private int _waitingStart;
    private int _waitingEnd;
    private bool _inputOpen;
    private bool _inputHeld;
    private bool _finishing;
    private bool _closed;

    public StreamClient(EventLoop loop, FileDescriptor socket, ProgramStreams program, StreamSelection selection, bool multiplexed)
    {
        _loop = loop;
        _socket = socket;
        _program = program;
        _selection = selection;
        _multiplexed = multiplexed;
        _inputOpen = true;
        UpdateInterest();
    }

    /// <summary>It has output waiting that its socket would not take.</summary>
    public bool IsBehind => _waitingEnd > _waitingStart;

    public bool WantsInput => _selection.Stdin;

    public bool Wants(OutputKind kind) => kind == OutputKind.Stdout ? _selection.Stdout : _selection.Stderr;

    /// <summary>Sends output, or keeps what can't be sent yet.</summary>
    /// <param name="kind">Which stream.</param>
    /// <param name="chunk">The output, behind <see cref="HeaderSize"/> bytes of room for a head.</param>
    public void Send(OutputKind kind, Span<byte> chunk)
    {
        if (_closed)
        {
            return;
        }

        var message = chunk[HeaderSize..];
        if (_multiplexed)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(chunk, (byte)kind);
            BinaryPrimitives.WriteInt32BigEndian(chunk[4..], message.Length);
            message = chunk;
        }

        if (!IsBehind)
        {
            var sent = UnixSockets.Send(_socket.Number, message);
            if (sent is < 0 and not -Errno.EAGAIN)
            {
                Close();
                return;
            }

            message = message[Math.Max(sent, 0)..];
        }

        if (message.Length > 0)
        {
            Keep(message);
            UpdateInterest();
        }
    }

    /// <summary>No more output comes: closes once all is sent.</summary>
    public void Finish()
    {
        _finishing = true;
        if (!IsBehind)
        {
            Close();
        }
    }

    /// <summary>Stops or resumes taking input, as the program takes it in.</summary>
    public void HoldInput(bool hold)
    {
        if (!_closed && _inputHeld != hold)
        {
            _inputHeld = hold;
            UpdateInterest();
        }
    }

    public void OnEvents(PollEvents events)
    {
        if ((events & PollEvents.Writable) != 0)
        {
            SendWaiting();
        }

        if (!_closed && (events & PollEvents.Readable) != 0)
        {
            TakeInput();
        }

        if (!_closed && (events & (PollEvents.HungUp | PollEvents.Error)) != 0)
        {
            // Both directions are shut: nothing more can reach it.
            Close();
        }
    }

    private void TakeInput()
    {
        var buffer = _program.Scratch;
        var received = UnixSockets.Receive(_socket.Number, buffer);
        if (received == -Errno.EAGAIN)
        {
            return;
        }

        if (received <= 0)
        {
            _inputOpen = false;
            UpdateInterest();
            if (_selection.Stdin)
            {
                _program.InputEnded();
            }
        }
        else if (_selection.Stdin)
        {
            _program.Input(buffer[..received]);
        }
    }

    private void SendWaiting()
    {
        while (IsBehind)
        {
            var sent = UnixSockets.Send(_socket.Number, _waiting.AsSpan(_waitingStart, _waitingEnd - _waitingStart));
            if (sent == -Errno.EAGAIN)
            {
                return;
            }

            if (sent < 0)
            {
                Close();
                return;
            }

            _waitingStart += sent;
        }

        _waiting = [];
        _waitingStart = _waitingEnd = 0;
        if (_finishing)
        {
            Close();
            return;
        }

        UpdateInterest();
        _program.ClientCaughtUp();
    }

    private void Keep(ReadOnlySpan<byte> message)
    {
        if (_waiting.Length - _waitingEnd < message.Length)
        {
            var grown = new byte[_waitingEnd - _waitingStart + message.Length];
            _waiting.AsSpan(_waitingStart, _waitingEnd - _waitingStart).CopyTo(grown);
            _waitingEnd -= _waitingStart;
            _waitingStart = 0;
            _waiting = grown;
        }

        message.CopyTo(_waiting.AsSpan(_waitingEnd));
        _waitingEnd += message.Length;
    }

    private void UpdateInterest()
    {
        var events = PollEvents.HungUp;
        if (_inputOpen && !_inputHeld)
        {
            events |= PollEvents.Readable;
        }

        if (IsBehind)
        {
            events |= PollEvents.Writable;
        }

        _loop.Watch(_socket.Number, events, this);
    }

    private void Close()
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        _waitingStart = _waitingEnd = 0;
        _waiting = [];
        _loop.Forget(_socket.Number);

        // Input left unread would turn the close into a reset, which destroys output the peer has not read yet.
        UnixSockets.Shutdown(_socket.Number, 0);
        while (UnixSockets.Receive(_socket.Number, _program.Scratch) > 0)
        {
        }

        _socket.Dispose();
        _program.Left(this, hadInput: _selection.Stdin && _inputOpen);
    }
}
