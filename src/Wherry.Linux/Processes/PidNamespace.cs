using System.Globalization;
using Wherry.Linux.Files;

namespace Wherry.Linux.Processes;

/// <summary>Which processes are in a pid namespace (pid_namespaces(7)), where no cgroup tells what belongs together.</summary>
public static class PidNamespace
{
    /// <summary>The ids, as the caller's /proc has them, of all processes in the namespace that a process is in; none when it has ended.</summary>
    public static IReadOnlyList<int> ProcessesWith(int pid)
    {
        using var proc = FileSyscalls.Open("/proc", OpenFlags.PathOnly | OpenFlags.Directory);
        var found = new List<int>();
        if (NamespaceOf(proc, pid.ToString(CultureInfo.InvariantCulture)) is not { } wanted)
        {
            return found;
        }

        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var other)
                && NamespaceOf(proc, Path.GetFileName(directory)) == wanted)
            {
                found.Add(other);
            }
        }

        return found;
    }

    // Null also for other users' processes, which are in no namespace that the caller could have made.
    private static string? NamespaceOf(FileDescriptor proc, string process)
    {
        try
        {
            return FileSyscalls.ReadLink(proc, process + "/ns/pid");
        }
        catch (LinuxException)
        {
            return null;
        }
    }
}
