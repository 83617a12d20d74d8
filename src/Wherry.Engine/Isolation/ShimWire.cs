using System.Net.Sockets;
using Wherry.Linux.Files;
using Wherry.Runtime.Contracts.Protocol;

namespace Wherry.Engine.Isolation;

/// <summary>Reaching a supervisor's socket, and reading its frames.</summary>
internal static class ShimWire
{
    /// <summary>
    /// Connects to a supervisor. The state directory's path may be longer than a socket address holds, so the
    /// socket is reached through a descriptor of the directory.
    /// </summary>
    /// <returns>Null when nobody listens.</returns>
    public static async Task<Socket?> ConnectAsync(string stateDirectory, CancellationToken cancel)
    {
        if (!File.Exists(Path.Combine(stateDirectory, StateFiles.Socket)))
        {
            return null;
        }

        using var directory = FileSyscalls.Open(stateDirectory, OpenFlags.PathOnly | OpenFlags.Directory | OpenFlags.CloseOnExec);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            var address = new UnixDomainSocketEndPoint($"{FileSyscalls.ProcPath(directory)}/{StateFiles.Socket}");
            await socket.ConnectAsync(address, cancel).ConfigureAwait(false);
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <returns>Null at the end of the stream.</returns>
    /// <exception cref="InvalidDataException">What comes is no frame.</exception>
    public static async ValueTask<(Frame Frame, byte[] Payload)?> ReadFrameAsync(Stream stream, CancellationToken cancel)
    {
        var header = new byte[Frame.HeaderSize];
        if (await stream.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, cancel).ConfigureAwait(false) < header.Length)
        {
            return null;
        }

        var frame = Frame.Parse(header);
        var payload = new byte[frame.PayloadLength];
        await stream.ReadExactlyAsync(payload, cancel).ConfigureAwait(false);
        return (frame, payload);
    }

    /// <summary>The failure that a <see cref="MessageKind.Failed"/> frame carries.</summary>
    public static Exception ReadFailure(ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        return FailedAnswer.ReadFrom(ref reader).ToException();
    }
}
