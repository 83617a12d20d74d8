using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Sockets;
using Wherry.Runtime.Contracts.Protocol;
using Wherry.Runtime.Stages;

namespace Wherry.Shim.Oci.Containers;

/// <summary>The word a first process waits for.</summary>
public static class Word
{
    /// <summary>Gives it, and returns once the program is executed, which closes the connection.</summary>
    /// <exception cref="WherryException">It could not be executed.</exception>
    public static void Give(FileDescriptor connection)
    {
        UnixSockets.SendMessage(connection, new WireWriter(MessageKind.StageGo, 0).Finish().Span);
        var buffer = new byte[StageChannel.MaxMessage];
        var length = UnixSockets.ReceiveMessage(connection, buffer, wait: true, out var attachment);
        attachment?.Dispose();
        if (length >= Frame.HeaderSize && Frame.Parse(buffer) is { Kind: MessageKind.Failed } frame)
        {
            var reader = new WireReader(buffer.AsSpan(Frame.HeaderSize, frame.PayloadLength));
            throw WherryException.System($"unable to start container process: {FailedAnswer.ReadFrom(ref reader).Message}");
        }
    }
}
