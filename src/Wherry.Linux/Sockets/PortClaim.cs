using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Wherry.Linux.Sockets;

/// <summary>The protocols whose ports can be claimed (IPPROTO_*).</summary>
public enum TransportProtocol
{
    Tcp = 6,
    Udp = 17,
    Sctp = 132,
}

/// <summary>
/// Holds a port of the host without ever serving it: any program that tries to bind the same port gets EADDRINUSE. Packets
/// that reach the socket itself (before the redirecting rule stands, or after it is gone) are dropped by a filter, so that
/// a client retries instead of talking to nobody.
/// </summary>
public static unsafe partial class PortClaim
{
    private const int AF_INET = 2;
    private const int SOCK_STREAM = 1;
    private const int SOCK_DGRAM = 2;
    private const int SOCK_CLOEXEC = 0x80000;
    private const int SOL_SOCKET = 1;
    private const int SO_REUSEADDR = 2;
    private const int SO_ATTACH_FILTER = 26;
    private const int EPROTONOSUPPORT = 93;
    private const int ESOCKTNOSUPPORT = 94;

    /// <summary>Claims the port until the result is disposed.</summary>
    /// <param name="protocol">TCP, UDP or SCTP.</param>
    /// <param name="address">The host's IPv4 address in host byte order; 0 for all.</param>
    /// <param name="port">In host byte order, not 0.</param>
    /// <param name="errno">The reason when it failed (EADDRINUSE, EADDRNOTAVAIL, …), else 0.</param>
    /// <returns>The claim; null when it failed, or (with errno 0) when the kernel lacks the protocol, so that nobody else can bind it either.</returns>
    public static FileDescriptor? TryMake(TransportProtocol protocol, uint address, ushort port, out int errno)
    {
        errno = 0;
        // SAFETY: plain calls; the descriptor is owned by `claim` from here on and disposed on every failure.
        var fd = Socket(AF_INET, (protocol == TransportProtocol.Udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, (int)protocol);
        if (fd < 0)
        {
            errno = Marshal.GetLastPInvokeError();
            if (errno is EPROTONOSUPPORT or ESOCKTNOSUPPORT)
            {
                errno = 0;
            }

            return null;
        }

        var claim = new FileDescriptor(fd);
        if (!Bind(fd, protocol, address, port))
        {
            errno = Marshal.GetLastPInvokeError();
            claim.Dispose();
            return null;
        }

        return claim;
    }

    private static bool Bind(int fd, TransportProtocol protocol, uint address, ushort port)
    {
        // BPF_RET | BPF_K with 0: keep nothing of any packet.
        var instruction = new FilterInstruction { Code = 6 };
        var program = new FilterProgram { Length = 1, Instructions = &instruction };
        // struct sockaddr_in: family, port and address in network byte order, padding.
        var name = stackalloc byte[16];
        new Span<byte>(name, 16).Clear();
        *(ushort*)name = AF_INET;
        BinaryPrimitives.WriteUInt16BigEndian(new Span<byte>(name + 2, 2), port);
        BinaryPrimitives.WriteUInt32BigEndian(new Span<byte>(name + 4, 4), address);

        // SAFETY: all pointers are to this frame and the kernel copies what they point to.
        if (SetSocketOption(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, (uint)sizeof(FilterProgram)) < 0)
        {
            return false;
        }

        if (protocol == TransportProtocol.Udp)
        {
            // Without SO_REUSEADDR nobody else binds it, whatever options they set.
            return Bind(fd, name, 16) == 0;
        }

        // SO_REUSEADDR passes over connections in TIME_WAIT that a former owner left; listening is what then keeps
        // others out, who set the same option.
        var one = 1;
        return SetSocketOption(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(int)) == 0
            && Bind(fd, name, 16) == 0
            && Listen(fd, 1) == 0;
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int Socket(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetSocketOption(int fd, int level, int name, void* value, uint length);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int Bind(int fd, byte* address, uint length);

    [LibraryImport("libc", EntryPoint = "listen", SetLastError = true)]
    private static partial int Listen(int fd, int backlog);

    /// <summary>struct sock_filter.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct FilterInstruction
    {
        public ushort Code;
        public byte JumpTrue;
        public byte JumpFalse;
        public uint Operand;
    }

    /// <summary>struct sock_fprog.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct FilterProgram
    {
        public ushort Length;
        public FilterInstruction* Instructions;
    }
}
