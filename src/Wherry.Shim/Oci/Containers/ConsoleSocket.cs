using System.Text;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Sockets;

namespace Wherry.Shim.Oci.Containers;

/// <summary>Hands a terminal's master to whoever listens at the caller's console socket (runc's docs, "terminals").</summary>
public static class ConsoleSocket
{
    // What can be named: the master has no path of its own outside the container.
    private const string Name = "/dev/ptmx";
    private const int LongestAddress = 107;

    public static void Send(string path, FileDescriptor master)
    {
        using var directory = FileSyscalls.Open(Path.GetDirectoryName(path) ?? "/", OpenFlags.PathOnly | OpenFlags.Directory);
        var address = Encoding.UTF8.GetByteCount(path) <= LongestAddress ? path : $"{FileSyscalls.ProcPath(directory)}/{Path.GetFileName(path)}";
        var result = UnixSockets.TryConnect(address, out var socket);
        using (socket ?? throw new LinuxException($"connect to the console socket {path}", -result))
        {
            UnixSockets.SendMessage(socket, Encoding.UTF8.GetBytes(Name), master);
        }
    }
}
