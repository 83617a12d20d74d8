using System.Text;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Processes;
using Wherry.Linux.Sockets;

namespace Wherry.Shim.Oci.Containers;

/// <summary>Hands a descriptor to whoever listens at a socket the caller has named.</summary>
public static class DescriptorSocket
{
    private const int LongestAddress = 107;

    /// <summary>A terminal's master, for a console socket (runc's docs, "terminals").</summary>
    public static void SendConsole(string path, FileDescriptor master) => Send("console socket", path, "/dev/ptmx", master);

    /// <summary>A process's descriptor, for a pidfd socket.</summary>
    /// <param name="path">The socket's; null where the caller has named none.</param>
    /// <param name="pid">Our child, so that the id is its.</param>
    public static void SendProcess(string? path, int pid)
    {
        if (path is not null)
        {
            using var process = ProcessSyscalls.OpenPidfd(pid);
            Send("pidfd socket", path, "pidfd", process);
        }
    }

    // A descriptor only goes with bytes; these say what it is, as the paths of both mean nothing outside.
    private static void Send(string kind, string path, string name, FileDescriptor descriptor)
    {
        using var directory = FileSyscalls.Open(Path.GetDirectoryName(path) ?? "/", OpenFlags.PathOnly | OpenFlags.Directory);
        var address = Encoding.UTF8.GetByteCount(path) <= LongestAddress ? path : $"{FileSyscalls.ProcPath(directory)}/{Path.GetFileName(path)}";
        var result = UnixSockets.TryConnect(address, out var socket);
        using (socket ?? throw new LinuxException($"connect to the {kind} {path}", -result))
        {
            UnixSockets.SendMessage(socket, Encoding.UTF8.GetBytes(name), descriptor);
        }
    }
}
