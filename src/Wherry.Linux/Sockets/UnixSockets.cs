using System.Runtime.CompilerServices;
using System.Text;
using Wherry.Linux.Kernel;

namespace Wherry.Linux.Sockets;

/// <summary>Unix-domain sockets for programs that do without System.Net.</summary>
public static unsafe class UnixSockets
{
    private const int Family = 1;
    private const int Stream = 1;
    private const int SeqPacket = 5;
    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const int NoSignal = 0x4000;
    private const int DontWait = 0x40;
    private const int ReceiveCloseOnExec = 0x40000000;
    private const int SolSocket = 1;
    private const int SocketType = 3;
    private const int ScmRights = 1;
    private const int AddressSize = 110;

    /// <summary>A connected pair whose messages keep their borders.</summary>
    public static (FileDescriptor First, FileDescriptor Second) MessagePair() => Pair(SeqPacket);

    /// <summary>A connected pair of byte streams.</summary>
    public static (FileDescriptor First, FileDescriptor Second) StreamPair() => Pair(Stream);

    /// <summary>Listens for byte streams at a path of at most 107 bytes; relative to the working directory, which is how longer ones are reached.</summary>
    public static FileDescriptor Listen(string path, int backlog) => Listen(path, backlog, Stream | NonBlocking);

    /// <summary>The same for connections whose messages keep their borders; accepting waits.</summary>
    public static FileDescriptor ListenForMessages(string path, int backlog) => Listen(path, backlog, SeqPacket);

    private static FileDescriptor Listen(string path, int backlog, int type)
    {
        var socket = new FileDescriptor((int)Syscall.Check(
            Syscall.Call(SyscallNumber.Socket, Family, type | CloseOnExec, 0), "make a unix socket"));
        try
        {
            var address = stackalloc byte[AddressSize];
            var length = WriteAddress(address, path);
            Syscall.Check(Syscall.Call(SyscallNumber.Bind, socket.Number, (nint)address, length), $"bind a unix socket to {path}");
            Syscall.Check(Syscall.Call(SyscallNumber.Listen, socket.Number, backlog), $"listen at {path}");
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Connects to a listener of byte streams; minus errno on failure. The path as for <see cref="Listen(string, int)"/>.</summary>
    public static int TryConnect(string path, out FileDescriptor? connection) => TryConnect(path, Stream, out connection);

    /// <summary>Connects to a listener of messages; minus errno on failure.</summary>
    /// <param name="path">As for <see cref="Listen(string, int)"/>.</param>
    /// <param name="wait">Wait for room in the listener's backlog, and later for messages; otherwise EAGAIN.</param>
    /// <param name="connection">The caller's.</param>
    public static int TryConnectForMessages(string path, bool wait, out FileDescriptor? connection) =>
        TryConnect(path, SeqPacket | (wait ? 0 : NonBlocking), out connection);

    private static int TryConnect(string path, int type, out FileDescriptor? connection)
    {
        connection = null;
        var socket = new FileDescriptor((int)Syscall.Check(
            Syscall.Call(SyscallNumber.Socket, Family, type | CloseOnExec, 0), "make a unix socket"));
        var address = stackalloc byte[AddressSize];
        var length = WriteAddress(address, path);
        var result = (int)Syscall.Retry(SyscallNumber.Connect, socket.Number, (nint)address, length);
        if (result < 0)
        {
            socket.Dispose();
            return result;
        }

        connection = socket;
        return 0;
    }

    // SAFETY: struct sockaddr_un is 110 bytes: two of family, 108 of path.
    private static int WriteAddress(byte* address, string path)
    {
        new Span<byte>(address, AddressSize).Clear();
        Unsafe.WriteUnaligned(address, (ushort)Family);
        return Encoding.UTF8.TryGetBytes(path, new Span<byte>(address + 2, AddressSize - 3), out var length)
            ? length + 3
            : throw new LinuxException($"reach the socket {path}", Errno.ENAMETOOLONG);
    }

    /// <summary>The descriptor is open, and a socket.</summary>
    public static bool IsSocket(FileDescriptor descriptor)
    {
        var type = 0;
        var size = sizeof(int);
        return Syscall.Call(SyscallNumber.Getsockopt, descriptor.Number, SolSocket, SocketType, (nint)(&type), (nint)(&size)) == 0;
    }

    /// <summary>The next connection, non-blocking; null when none waits.</summary>
    public static FileDescriptor? Accept(FileDescriptor listener)
    {
        var fd = Syscall.Retry(SyscallNumber.Accept4, listener.Number, 0, 0, CloseOnExec | NonBlocking);
        return fd >= 0 ? new FileDescriptor((int)fd) : null;
    }

    /// <summary>Waits for the next connection.</summary>
    public static FileDescriptor AcceptBlocking(FileDescriptor listener) =>
        new((int)Syscall.Check(Syscall.Retry(SyscallNumber.Accept4, listener.Number, 0, 0, CloseOnExec), "accept a connection"));

    /// <summary>Sends what the socket takes at once; the result is the byte count or minus errno. Never raises SIGPIPE.</summary>
    public static int Send(int socket, ReadOnlySpan<byte> bytes, bool wait = false)
    {
        fixed (byte* start = bytes)
        {
            return (int)Syscall.Retry(SyscallNumber.Sendto, socket, (nint)start, bytes.Length, NoSignal | (wait ? 0 : DontWait));
        }
    }

    /// <summary>Receives what is there; 0 at the end of the stream, minus errno on failure.</summary>
    public static int Receive(int socket, Span<byte> buffer, bool wait = false)
    {
        fixed (byte* start = buffer)
        {
            return (int)Syscall.Retry(SyscallNumber.Recvfrom, socket, (nint)start, buffer.Length, wait ? 0 : DontWait);
        }
    }

    /// <param name="socket">The socket.</param>
    /// <param name="how">0 no more receiving, 1 no more sending, 2 neither.</param>
    public static void Shutdown(int socket, int how) => Syscall.Call(SyscallNumber.Shutdown, socket, how);

    /// <summary>Sends one message, with a descriptor when one is given.</summary>
    public static void SendMessage(FileDescriptor socket, ReadOnlySpan<byte> message, FileDescriptor? attachment = null)
    {
        var control = stackalloc byte[24];
        fixed (byte* start = message)
        {
            var vector = stackalloc nint[] { (nint)start, message.Length };
            var header = stackalloc nint[] { 0, 0, (nint)vector, 1, 0, 0, 0 };
            if (attachment is not null)
            {
                // SAFETY: struct cmsghdr {size_t len; int level; int type;} and one int, padded to 8.
                Unsafe.WriteUnaligned(control, (nint)20);
                Unsafe.WriteUnaligned(control + 8, SolSocket);
                Unsafe.WriteUnaligned(control + 12, ScmRights);
                Unsafe.WriteUnaligned(control + 16, attachment.Number);
                header[4] = (nint)control;
                header[5] = 24;
            }

            Syscall.Check(Syscall.Retry(SyscallNumber.Sendmsg, socket.Number, (nint)header, NoSignal), "send a message");
        }
    }

    /// <summary>Receives one message and the descriptor that came with it; a length of 0 is the end, minus errno a failure.</summary>
    public static int ReceiveMessage(FileDescriptor socket, Span<byte> buffer, bool wait, out FileDescriptor? attachment)
    {
        attachment = null;
        var control = stackalloc byte[24];
        new Span<byte>(control, 24).Clear();
        fixed (byte* start = buffer)
        {
            var vector = stackalloc nint[] { (nint)start, buffer.Length };
            var header = stackalloc nint[] { 0, 0, (nint)vector, 1, (nint)control, 24, 0 };
            var length = (int)Syscall.Retry(SyscallNumber.Recvmsg, socket.Number, (nint)header, ReceiveCloseOnExec | (wait ? 0 : DontWait));

            // SAFETY: the kernel has filled in the one control message there is room for.
            if (length >= 0 && header[5] >= 20 && Unsafe.ReadUnaligned<int>(control + 8) == SolSocket && Unsafe.ReadUnaligned<int>(control + 12) == ScmRights)
            {
                attachment = new FileDescriptor(Unsafe.ReadUnaligned<int>(control + 16));
            }

            return length;
        }
    }

    private static (FileDescriptor First, FileDescriptor Second) Pair(int type)
    {
        var fds = stackalloc int[2];
        Syscall.Check(Syscall.Call(SyscallNumber.Socketpair, Family, type | CloseOnExec, 0, (nint)fds), "make a socket pair");
        return (new FileDescriptor(fds[0]), new FileDescriptor(fds[1]));
    }
}
