using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Wherry.Networking.Tests.Support;

/// <summary>Clients on the (private) host.</summary>
internal static class Client
{
    public static Task<string> AskTcpAsync(string address, int port, string text = "hello", int patience = 3000)
    {
        var ip = IPAddress.Parse(address);
        return AskTcpAsync(new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp), ip, port, text, patience);
    }

    /// <summary>Sends the text, closes its own direction, and reads to the end.</summary>
    public static async Task<string> AskTcpAsync(Socket socket, IPAddress address, int port, string text, int patience)
    {
        using (socket)
        {
            using var limit = new CancellationTokenSource(patience);
            await socket.ConnectAsync(new IPEndPoint(address, port), limit.Token);
            return await AskTcpAsync(socket, text, limit.Token);
        }
    }

    /// <summary>The same over a connection that stands already.</summary>
    public static async Task<string> AskTcpAsync(Socket socket, string text, CancellationToken cancel = default)
    {
        var answer = new MemoryStream();
        var sending = Task.Run(async () =>
        {
            for (ReadOnlyMemory<byte> rest = Encoding.UTF8.GetBytes(text); rest.Length > 0;)
            {
                rest = rest[await socket.SendAsync(rest, cancel)..];
            }

            socket.Shutdown(SocketShutdown.Send);
        });
        var buffer = new byte[64 * 1024];
        int length;
        while ((length = await socket.ReceiveAsync(buffer, cancel)) > 0)
        {
            answer.Write(buffer, 0, length);
        }

        await sending;
        return Encoding.UTF8.GetString(answer.GetBuffer(), 0, (int)answer.Length);
    }

    public static async Task<string> AskUdpAsync(string address, int port, string text = "hello")
    {
        var ip = IPAddress.Parse(address);
        using var socket = new Socket(ip.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        using var limit = new CancellationTokenSource(3000);
        await socket.ConnectAsync(new IPEndPoint(ip, port), limit.Token);
        await socket.SendAsync(Encoding.UTF8.GetBytes(text), limit.Token);
        var buffer = new byte[2048];
        return Encoding.UTF8.GetString(buffer, 0, await socket.ReceiveAsync(buffer, limit.Token));
    }
}
