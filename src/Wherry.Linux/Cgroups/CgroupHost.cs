using Wherry.Linux.Files;

namespace Wherry.Linux.Cgroups;

/// <summary>
/// The host's cgroup trees, found per controller: each may be a v1 tree of its own or belong to the v2 tree,
/// whatever mixture the host has (cgroups(7)).
/// </summary>
public sealed class CgroupHost
{
    private static readonly string[] V1Controllers = ["cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "hugetlb", "net_cls", "net_prio", "perf_event", "rdma"];

    private static readonly string[] Needed = ["cpu", "cpuset", "memory", "pids", "io"];

    private readonly Func<string, string, bool> _isOpen;

    private CgroupHost(IReadOnlyDictionary<string, string> v1, string? unified, IReadOnlyList<string> unifiedControllers, Func<string, string, bool> isOpen)
    {
        _isOpen = isOpen;
        V1 = v1;
        Unified = unified;
        UnifiedControllers = unifiedControllers;
    }

    /// <summary>Where each v1 controller is mounted; <c>name=systemd</c> for the named tree.</summary>
    public IReadOnlyDictionary<string, string> V1 { get; }

    /// <summary>Where the v2 tree is mounted; null if it is not.</summary>
    public string? Unified { get; }

    /// <summary>The controllers the v2 tree has at its root.</summary>
    public IReadOnlyList<string> UnifiedControllers { get; }

    /// <summary>No v1 controller is mounted.</summary>
    public bool IsUnified => Unified is not null && V1.Count == 0;

    /// <summary>Reads the calling process's mount table.</summary>
    /// <param name="isMember">
    /// Another process has made the cgroup that is located and put this one in it, which may have no right to make any:
    /// the trees that count are those in which it is there.
    /// </param>
    public static CgroupHost Detect(bool isMember = false) => Parse(
        FileSyscalls.TryReadText("/proc/self/mountinfo") ?? "",
        root => FileSyscalls.TryReadText(root + "/cgroup.controllers") ?? "",
        isMember ? static (directory, _) => Directory.Exists(directory) : IsOpen);

    /// <param name="mountInfo">A mount table as in /proc/self/mountinfo (proc(5)).</param>
    /// <param name="readControllers">Gives the v2 controllers of a mount point.</param>
    /// <param name="isOpen">Whether this process may make a directory, in the tree of a mount point; null for all.</param>
    public static CgroupHost Parse(string mountInfo, Func<string, string> readControllers, Func<string, string, bool>? isOpen = null)
    {
        var v1 = new Dictionary<string, string>(StringComparer.Ordinal);
        string? unified = null;
        foreach (var line in mountInfo.AsSpan().EnumerateLines())
        {
            // id parent major:minor root point options [fields] - type source super-options
            var separator = line.IndexOf(" - cgroup", StringComparison.Ordinal);
            if (separator < 0)
            {
                continue;
            }

            var left = line[..separator].ToString().Split(' ');
            var right = line[(separator + 3)..].ToString().Split(' ');
            if (left.Length < 5 || right.Length < 3)
            {
                continue;
            }

            if (right[0] == "cgroup2")
            {
                unified ??= left[4];
                continue;
            }

            foreach (var option in right[2].Split(','))
            {
                if (Array.IndexOf(V1Controllers, option) >= 0 || option == "name=systemd")
                {
                    v1.TryAdd(option, left[4]);
                }
            }
        }

        var controllers = unified is null ? [] : readControllers(unified).Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        return new CgroupHost(v1, unified, controllers, isOpen ?? ((_, _) => true));
    }

    /// <summary>
    /// The directories that make up the cgroup of that path, one per tree that matters. A tree in which nothing can be made
    /// there does not: it is mounted read-only, or belongs to another user who has delegated no part of it.
    /// </summary>
    /// <param name="path">Below the trees' roots.</param>
    /// <param name="isUnit">It is a unit of systemd's, which counts its processes in the v2 tree even where that limits nothing.</param>
    public CgroupDirectories Locate(string path, bool isUnit = false)
    {
        var relative = Normalize(path);
        var directories = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (controller, mount) in V1)
        {
            if (_isOpen($"{mount}/{relative}", mount))
            {
                directories[controller] = $"{mount}/{relative}";
            }
        }

        // Next to v1 controllers, a v2 tree that has none of those we limit or count by is of no use.
        var unified = Unified is not null && (isUnit || V1.Count == 0 || UnifiedControllers.Intersect(Needed, StringComparer.Ordinal).Any()) ? $"{Unified}/{relative}" : null;
        return new CgroupDirectories(this, directories, unified is not null && _isOpen(unified, Unified!) ? unified : null);
    }

    /// <summary>That of a container whose maker may make none: it is in its maker's.</summary>
    public CgroupDirectories None => new(this, new Dictionary<string, string>(), null);

    /// <summary>
    /// The highest cgroup of the v2 tree that this process is in and may make others below (cgroups(7), "Delegation"):
    /// a path below the tree's root, empty for the root itself; null where there is none.
    /// </summary>
    public string? FindDelegated()
    {
        var own = (FileSyscalls.TryReadText("/proc/self/cgroup") ?? "").Split('\n').FirstOrDefault(line => line.StartsWith("0::/", StringComparison.Ordinal))?[4..];
        string? found = null;
        for (var path = own; Unified is not null && path is not null && IsDelegated($"{Unified}/{path}"); path = path.Length == 0 ? null : Path.GetDirectoryName(path))
        {
            found = path;
        }

        return found;
    }

    /// <summary>
    /// Moves the processes of a delegated cgroup, this one among them, into one below it: a cgroup with processes of its
    /// own can't hand controllers down (cgroups(7), "no internal processes").
    /// </summary>
    /// <param name="path">From <see cref="FindDelegated"/>.</param>
    /// <param name="leaf">The name of the cgroup below, made if need be.</param>
    /// <returns>Whether none is left in the cgroup itself.</returns>
    public bool TryVacate(string path, string leaf)
    {
        const int attempts = 10;
        var members = $"{Unified}/{path}/cgroup.procs";
        for (var attempt = 0; attempt < attempts; attempt++)
        {
            var processes = (FileSyscalls.TryReadText(members) ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries);
            if (processes.Length == 0)
            {
                return true;
            }

            try
            {
                Directory.CreateDirectory($"{Unified}/{path}/{leaf}");
                foreach (var process in processes)
                {
                    FileSyscalls.WriteKernelFile($"{Unified}/{path}/{leaf}/cgroup.procs", process);
                }
            }
            catch (LinuxException gone) when (gone.ErrorNumber is Errno.ESRCH)
            {
                // One has ended, others may have been made meanwhile: look again.
            }
            catch (Exception refused) when (refused is LinuxException or IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }

        return false;
    }

    // Moving a process takes the right to write where it comes from and goes to, and in what is above both.
    private static bool IsDelegated(string directory) => FileSyscalls.MayWrite(directory) && FileSyscalls.MayWrite(directory + "/cgroup.procs");

    private static bool IsOpen(string directory, string mount)
    {
        while (directory.Length > mount.Length && !Directory.Exists(directory))
        {
            directory = Path.GetDirectoryName(directory)!;
        }

        return FileSyscalls.MayWrite(directory);
    }

    private static string Normalize(string path)
    {
        var names = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (names.Length == 0 || Array.Exists(names, name => name is "." or ".."))
        {
            throw Errors.WherryException.Invalid($"cgroups path \"{path}\": must name a cgroup below the root");
        }

        return string.Join('/', names);
    }
}
