using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Sockets;
using Wherry.Runtime.Contracts.Protocol;

namespace Wherry.Runtime.Stages;

/// <summary>
/// The stage's end of its channel to the supervisor. It is close-on-exec: that the channel ends without a word
/// is how the supervisor knows that the program has been executed.
/// </summary>
public sealed class StageChannel(FileDescriptor socket) : IDisposable
{
    private FileDescriptor _socket = socket;

    private const int LongestText = 4 * 1024;

    /// <summary>No message between supervisor and stage is longer.</summary>
    public const int MaxMessage = 16 * 1024;

    private readonly byte[] _buffer = new byte[MaxMessage];

    public FileDescriptor Socket => _socket;

    /// <summary>Waits for a message of that kind; false when the supervisor has gone.</summary>
    public bool Receive(MessageKind expected, out ReadOnlySpan<byte> payload)
    {
        var kind = Receive(out payload);
        return kind is null || kind == expected
            ? kind is not null
            : throw WherryException.System($"the supervisor said {kind} where {expected} was due");
    }

    /// <summary>Waits for a message; null when the supervisor has gone.</summary>
    public MessageKind? Receive(out ReadOnlySpan<byte> payload)
    {
        var length = UnixSockets.ReceiveMessage(_socket, _buffer, wait: true, out var attachment);
        attachment?.Dispose();
        payload = default;
        if (length < Frame.HeaderSize)
        {
            return null;
        }

        var frame = Frame.Parse(_buffer);
        payload = _buffer.AsSpan(Frame.HeaderSize, frame.PayloadLength);
        return frame.Kind;
    }

    /// <summary>Goes on with another socket, which it takes over.</summary>
    public void Continue(FileDescriptor other)
    {
        _socket.Dispose();
        _socket = other;
    }

    public void SendReady(IReadOnlyList<string> warnings, FileDescriptor? terminal)
    {
        var writer = new WireWriter(MessageKind.StageReady, 0);
        writer.Write(warnings);
        UnixSockets.SendMessage(_socket, writer.Finish().Span, terminal);
    }

    public void SendFailure(FailedAnswer failure)
    {
        var writer = new WireWriter(MessageKind.Failed, 0);
        (failure with { Message = failure.Message[..Math.Min(failure.Message.Length, LongestText)] }).WriteTo(writer);
        UnixSockets.SendMessage(_socket, writer.Finish().Span);
    }

    public void Dispose() => _socket.Dispose();
}
