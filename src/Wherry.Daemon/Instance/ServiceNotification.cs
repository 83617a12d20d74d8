using System.Net.Sockets;
using System.Text;

namespace Wherry.Daemon.Instance;

/// <summary>Tells the service manager how far the engine is (sd_notify(3)); silent where there is none.</summary>
internal static class ServiceNotification
{
    public static void Ready() => Send("READY=1");

    public static void Stopping() => Send("STOPPING=1");

    private static void Send(string state)
    {
        if (Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is not { Length: > 1 } path)
        {
            return;
        }

        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(path[0] == '@' ? "\0" + path[1..] : path));
            socket.Send(Encoding.ASCII.GetBytes(state));
        }
        catch (SocketException)
        {
            // The manager does not listen; that is no reason not to run.
        }
    }
}
