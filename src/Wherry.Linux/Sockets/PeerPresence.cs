using System.Runtime.InteropServices;

namespace Wherry.Linux.Sockets;

/// <summary>Tells a peer that merely stopped sending from one that has gone, without reading or writing (poll(2)).</summary>
public static partial class PeerPresence
{
    private const short PollErr = 0x008;
    private const short PollHup = 0x010;
    private const short PollNval = 0x020;

    /// <summary>
    /// True when the peer has closed the connection. On a unix socket this is exact; over TCP a closed peer looks
    /// like one that stopped sending until something is sent to it.
    /// </summary>
    public static bool HasHungUp(SafeHandle socket)
    {
        var added = false;
        try
        {
            socket.DangerousAddRef(ref added);
            var entry = new PollFd { Fd = (int)socket.DangerousGetHandle() };
            return Poll(ref entry, 1, 0) > 0 && (entry.Returned & (PollErr | PollHup | PollNval)) != 0;
        }
        finally
        {
            if (added)
            {
                socket.DangerousRelease();
            }
        }
    }

    // SAFETY: one pollfd, count 1, no timeout: the call neither blocks nor keeps the pointer.
    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(ref PollFd entries, nuint count, int timeoutMilliseconds);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollFd
    {
        public int Fd;
        public short Asked;
        public short Returned;
    }
}
