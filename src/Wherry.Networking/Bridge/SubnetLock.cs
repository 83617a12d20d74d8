using System.Diagnostics;
using System.Net.Sockets;
using Wherry.Errors;

namespace Wherry.Networking.Bridge;

/// <summary>
/// Lets one engine at a time choose a subnet, or two that start together would choose the same. The lock is a name in the
/// abstract unix socket namespace (unix(7)): its scope is exactly the network namespace, and the kernel frees it with its owner.
/// </summary>
internal static class SubnetLock
{
    private const string Name = "\0wherry-subnet-choice";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    /// <summary>Held until the result is disposed.</summary>
    public static async Task<IDisposable> AcquireAsync(CancellationToken cancel)
    {
        var since = Stopwatch.GetTimestamp();
        while (true)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            try
            {
                socket.Bind(new UnixDomainSocketEndPoint(Name));
                return socket;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                socket.Dispose();
                if (Stopwatch.GetElapsedTime(since) > Patience)
                {
                    throw new WherryException(ErrorKind.Unavailable, "another engine has been choosing its bridge's subnet for ten seconds; it may hang");
                }

                await Task.Delay(Pause, cancel);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }
}
