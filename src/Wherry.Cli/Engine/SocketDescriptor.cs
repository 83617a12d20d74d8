using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Wherry.Cli.Terminals;

namespace Wherry.Cli.Engine;

/// <summary>
/// A connected stream socket, read and written by blocking calls: one thread may send while another receives. A unix
/// socket is made by the system call itself, because the first <see cref="Socket"/> of a process costs several
/// tenths of a millisecond and a thread; TCP, where names are looked up, is left to it.
/// </summary>
internal sealed unsafe partial class SocketDescriptor : IDisposable
{
    private const int Unix = 1;
    private const int Stream = 1;
    private const int CloseOnExec = 0x80000;
    private const int NoSignal = 0x4000;
    private const int WriteSide = 1;
    private const int PathLength = 108;
    private const int ConnectionReset = 104;
    private const int NotConnected = 107;

    private readonly SafeHandle _handle;
    private readonly Socket? _owner;

    private SocketDescriptor(SafeHandle handle, Socket? owner)
    {
        _handle = handle;
        _owner = owner;
    }

    /// <exception cref="SocketException">Nobody listens there, or we may not connect.</exception>
    internal static SocketDescriptor Connect(EngineAddress address)
        => address.SocketPath is { } path ? ConnectUnix(path) : ConnectTcp(address.Host!, address.Port);

    internal void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            nint count;
            // SAFETY: the span is pinned for the call and its own length bounds what is read.
            fixed (byte* start = bytes)
            {
                count = SendTo(_handle, start, bytes.Length, NoSignal);
            }

            if (count >= 0)
            {
                bytes = bytes[(int)count..];
            }
            else if (Marshal.GetLastPInvokeError() is var error && error != Libc.EINTR)
            {
                throw error is Libc.EPIPE or ConnectionReset or NotConnected
                    ? new ConnectionLostException()
                    : new IOException($"send to the engine: {Marshal.GetPInvokeErrorMessage(error)}");
            }
        }
    }

    /// <summary>Reads what has arrived; 0 at the end.</summary>
    internal int Receive(Span<byte> target)
    {
        while (true)
        {
            nint count;
            // SAFETY: the span is pinned for the call and its own length bounds what is written.
            fixed (byte* start = target)
            {
                count = ReceiveFrom(_handle, start, target.Length, 0);
            }

            if (count >= 0)
            {
                return (int)count;
            }

            switch (Marshal.GetLastPInvokeError())
            {
                case Libc.EINTR:
                    continue;
                case ConnectionReset or NotConnected:
                    return 0;
                case var error:
                    throw new IOException($"receive from the engine: {Marshal.GetPInvokeErrorMessage(error)}");
            }
        }
    }

    /// <summary>Tells the other side that nothing more will be sent. One that closed first already knows.</summary>
    internal void FinishSending() => _ = Shutdown(_handle, WriteSide);

    /// <summary>Waits until there is something to read (or the end), at most the given time.</summary>
    internal bool WaitReadable(int milliseconds)
    {
        var entry = new Libc.PollEntry { Descriptor = (int)_handle.DangerousGetHandle(), Events = 1 };
        // SAFETY: one entry on this frame; the handle is open, for its owner is the caller.
        return Libc.Poll(&entry, 1, milliseconds) > 0;
    }

    public void Dispose()
    {
        _owner?.Dispose();
        _handle.Dispose();
    }

    private static SocketDescriptor ConnectUnix(string path)
    {
        var bytes = Encoding.UTF8.GetBytes(path);
        if (bytes.Length >= PathLength)
        {
            throw new SocketException((int)SocketError.AddressNotAvailable);
        }

        // struct sockaddr_un: the family, then the path with its terminating zero.
        Span<byte> address = stackalloc byte[2 + PathLength];
        address.Clear();
        address[0] = Unix;
        bytes.CopyTo(address[2..]);

        var handle = new SafeFileHandle(Create(Unix, Stream | CloseOnExec, 0), ownsHandle: true);
        int result;
        // SAFETY: the address lives on this frame and its length is given.
        fixed (byte* start = address)
        {
            result = handle.IsInvalid ? -1 : ConnectTo(handle, start, (uint)address.Length);
        }

        if (result == 0)
        {
            return new SocketDescriptor(handle, owner: null);
        }

        var error = Marshal.GetLastPInvokeError();
        handle.Dispose();
        throw new SocketException(error);
    }

    private static SocketDescriptor ConnectTcp(string host, int port)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(host, port);
            socket.NoDelay = true;
            return new SocketDescriptor(socket.SafeHandle, socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial nint Create(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    private static partial int ConnectTo(SafeHandle socket, byte* address, uint length);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint SendTo(SafeHandle socket, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint ReceiveFrom(SafeHandle socket, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "shutdown", SetLastError = true)]
    private static partial int Shutdown(SafeHandle socket, int how);
}
