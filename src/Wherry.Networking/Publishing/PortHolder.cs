using System.Globalization;
using Wherry.Linux.Sockets;

namespace Wherry.Networking.Publishing;

/// <summary>
/// Finds which process of the host listens on a port, for an error message. It walks /proc and is only asked once a claim
/// has already failed.
/// </summary>
internal static class PortHolder
{
    private const string Listening = "0A";

    /// <summary><c>process 812 (nginx)</c>, or null where it can't be told.</summary>
    public static string? Describe(TransportProtocol protocol, ushort port)
    {
        try
        {
            var inodes = Inodes(protocol, port);
            return inodes.Count == 0 ? null : FindOwner(inodes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static HashSet<string> Inodes(TransportProtocol protocol, ushort port)
    {
        var inodes = new HashSet<string>(StringComparer.Ordinal);
        var name = PortBinding.NameOf(protocol);
        foreach (var file in new[] { $"/proc/self/net/{name}", $"/proc/self/net/{name}6" })
        {
            if (!File.Exists(file))
            {
                continue;
            }

            var suffix = port.ToString("X4", CultureInfo.InvariantCulture);
            foreach (var line in File.ReadLines(file).Skip(1))
            {
                // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …
                var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (fields.Length > 9 && fields[1].EndsWith(':' + suffix, StringComparison.Ordinal)
                    && (protocol == TransportProtocol.Udp || fields[3] == Listening))
                {
                    inodes.Add($"socket:[{fields[9]}]");
                }
            }
        }

        return inodes;
    }

    private static string? FindOwner(HashSet<string> inodes)
    {
        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            var pid = Path.GetFileName(process);
            if (!char.IsAsciiDigit(pid[0]))
            {
                continue;
            }

            try
            {
                foreach (var descriptor in Directory.EnumerateFileSystemEntries($"{process}/fd"))
                {
                    if (File.ResolveLinkTarget(descriptor, returnFinalTarget: false) is { } target && inodes.Contains(target.Name))
                    {
                        return $"process {pid} ({File.ReadAllText($"{process}/comm").Trim()})";
                    }
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The process ended meanwhile; it holds nothing any more.
            }
        }

        return null;
    }
}
