using System.Net.Sockets;
using System.Runtime.InteropServices;
using Wherry.Engine.UserNamespaces;

namespace Wherry.Api.Http;

/// <summary>Who is at the other end of a unix socket (unix(7), SO_PEERCRED): the kernel's word, not the client's.</summary>
internal static class PeerCredentials
{
    private const int SolSocket = 1;
    private const int PeerCred = 17;

    /// <summary>Null for other sockets, and for one whose client has gone.</summary>
    public static Caller? Of(Socket socket)
    {
        if (socket.AddressFamily != AddressFamily.Unix)
        {
            return null;
        }

        // struct ucred: pid, uid, gid.
        Span<int> credentials = stackalloc int[3];
        try
        {
            return socket.GetRawSocketOption(SolSocket, PeerCred, MemoryMarshal.AsBytes(credentials)) == 3 * sizeof(int)
                ? new Caller((uint)credentials[1], (uint)credentials[2])
                : null;
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            return null;
        }
    }
}
