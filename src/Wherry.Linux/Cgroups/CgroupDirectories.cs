using System.Globalization;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;
using Wherry.Linux.Processes;
using Wherry.Linux.Signals;

namespace Wherry.Linux.Cgroups;

/// <summary>One cgroup, spread over the host's trees.</summary>
public sealed class CgroupDirectories
{
    private const int RemoveDirectory = 0x200;
    private const int DefaultMode = 0x1ed;

    private readonly IReadOnlyDictionary<string, string> _v1;
    private readonly CgroupHost _host;

    internal CgroupDirectories(CgroupHost host, IReadOnlyDictionary<string, string> v1, string? unified)
    {
        _host = host;
        _v1 = v1;
        Unified = unified;
    }

    /// <summary>The v2 directory; null where the host's v2 tree has nothing to offer.</summary>
    public string? Unified { get; }

    /// <summary>The host has no v1 tree at all.</summary>
    public bool IsUnified => _host.IsUnified;

    /// <summary>Each v1 controller's directory.</summary>
    public IReadOnlyDictionary<string, string> AllV1 => _v1;

    /// <summary>Every distinct directory (controllers may share a v1 tree).</summary>
    public IEnumerable<string> All
    {
        get
        {
            var v1 = _v1.Values.Distinct(StringComparer.Ordinal);
            return Unified is null ? v1 : v1.Append(Unified);
        }
    }

    /// <summary>There is none at all: its processes are in the cgroup of whoever made them.</summary>
    public bool IsNone => Unified is null && _v1.Count == 0;

    /// <summary>Where a v1 controller's tree is mounted.</summary>
    public string MountOf(string controller) => _host.V1[controller];

    /// <summary>The directory of a v1 controller; null when it is not a v1 controller here.</summary>
    public string? V1(string controller) => _v1.GetValueOrDefault(controller);

    /// <summary>The v2 directory when it is v2 that has this controller.</summary>
    public string? V2(string controller) =>
        Unified is not null && _host.UnifiedControllers.Contains(controller, StringComparer.Ordinal) ? Unified : null;

    /// <summary>Whether this controller limits what is in the cgroup, once that is made: of v2's, a part of the tree may have been given fewer than the host has.</summary>
    /// <param name="v1Controller">By v1's name.</param>
    /// <param name="v2Controller">By v2's.</param>
    public bool Has(string v1Controller, string v2Controller)
    {
        if (_v1.ContainsKey(v1Controller) || Unified is not { } directory)
        {
            return _v1.ContainsKey(v1Controller);
        }

        while (!Directory.Exists(directory))
        {
            directory = Path.GetDirectoryName(directory)!;
        }

        return (FileSyscalls.TryReadText(directory + "/cgroup.controllers") ?? "").Split([' ', '\n']).Contains(v2Controller, StringComparer.Ordinal);
    }

    /// <summary>One below this, in every tree.</summary>
    public CgroupDirectories Below(string name) =>
        new(_host, _v1.ToDictionary(one => one.Key, one => Join(one.Value, name), StringComparer.Ordinal), Unified is null ? null : Join(Unified, name));

    /// <summary>The same in one v1 controller's tree, which others may share.</summary>
    public CgroupDirectories Below(string name, string controller) =>
        new(_host, _v1.ToDictionary(one => one.Key, one => _host.V1[one.Key] == _host.V1[controller] ? Join(_v1[controller], name) : one.Value, StringComparer.Ordinal), Unified);

    /// <summary>The v2 cgroup below this one that a process is in, as the host sees it; null where it is in none below.</summary>
    public string? FindBelow(int pid)
    {
        var text = FileSyscalls.TryReadText($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/cgroup") ?? "";
        var path = text.Split('\n').FirstOrDefault(line => line.StartsWith("0::/", StringComparison.Ordinal))?[3..];
        return path is not null && Unified is not null && $"{_host.Unified}{path}" is var directory && directory.StartsWith(Unified + "/", StringComparison.Ordinal)
            ? directory
            : null;
    }

    /// <summary>Makes the directories, hands controllers down a v2 tree and processors and memory nodes down a v1 cpuset tree.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public void Create()
    {
        foreach (var directory in All)
        {
            MakeWithParents(directory);
        }

        if (_v1.TryGetValue("cpuset", out var cpuset))
        {
            InheritCpuset(cpuset, _host.V1["cpuset"]);
        }

        if (Unified is not null)
        {
            EnableControllers(Unified, _host.Unified!);
        }
    }

    /// <summary>
    /// Opens what a process of a single thread writes "0" to in order to move itself in, one descriptor per tree.
    /// In v1 trees that is the file for threads: moving the calling thread alone is the one way that does not take
    /// the kernel's lock over all forks and exits, which can take 10 ms to get.
    /// </summary>
    public List<FileDescriptor> OpenForJoining()
    {
        var files = new List<FileDescriptor>();
        foreach (var directory in All)
        {
            files.Add(FileSyscalls.Open(directory + (directory == Unified ? "/cgroup.procs" : "/tasks"), OpenFlags.WriteOnly));
        }

        return files;
    }

    /// <summary>The ids of the processes inside, including those in cgroups below.</summary>
    public IReadOnlyList<int> Processes()
    {
        var directory = V1("pids") ?? V1("freezer") ?? V1("cpu") ?? Unified ?? All.FirstOrDefault();
        var found = new List<int>();
        if (directory is not null)
        {
            Collect(directory, found);
        }

        return found;
    }

    /// <summary>Kills every process inside, thawing them first, and goes on until none is left or the time is up.</summary>
    /// <returns>Whether none is left.</returns>
    public bool KillAll(TimeSpan limit)
    {
        var end = Environment.TickCount64 + (long)limit.TotalMilliseconds;
        for (var pause = 1; ; pause = Math.Min(pause * 2, 50))
        {
            var processes = Processes();
            if (processes.Count == 0)
            {
                return true;
            }

            foreach (var pid in processes)
            {
                ProcessSyscalls.Kill(pid, SignalNumber.Kill);
            }

            Freezer.TryThaw(this);
            if (Environment.TickCount64 >= end)
            {
                return false;
            }

            Thread.Sleep(pause);
        }
    }

    /// <summary>Removes the directories and those below; true when all are gone. Never throws for one that is still in use.</summary>
    public bool TryRemove()
    {
        var gone = true;
        foreach (var directory in All)
        {
            gone &= TryRemoveTree(directory);
        }

        return gone;
    }

    /// <summary>Removes those of the directories that have nothing below them; for a parent that others may be using.</summary>
    public void TryRemoveEmpty()
    {
        foreach (var directory in All)
        {
            TryRemoveOne(directory);
        }
    }

    /// <summary>How often the kernel has killed a process inside for want of memory.</summary>
    public long OomKills()
    {
        var v1 = V1("memory");
        var text = v1 is not null
            ? FileSyscalls.TryReadText(v1 + "/memory.oom_control")
            : Unified is not null ? FileSyscalls.TryReadText(Unified + "/memory.events") : null;
        foreach (var line in (text ?? "").AsSpan().EnumerateLines())
        {
            if (line.StartsWith("oom_kill ", StringComparison.Ordinal) && long.TryParse(line[9..], CultureInfo.InvariantCulture, out var count))
            {
                return count;
            }
        }

        return 0;
    }

    private static string Join(string directory, string name) =>
        string.Join('/', name.Split('/', StringSplitOptions.RemoveEmptyEntries).Prepend(directory));

    private static void Collect(string directory, List<int> found)
    {
        if (MembersOf(directory) is not { } text)
        {
            return;
        }

        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (int.TryParse(line, CultureInfo.InvariantCulture, out var pid) && pid > 0)
            {
                found.Add(pid);
            }
        }

        foreach (var child in Children(directory))
        {
            Collect(child, found);
        }
    }

    // Null where it is gone. A cgroup of threads says nothing: their processes are counted where the threads' domain begins
    // (cgroups(7), "Thread mode"), which is above.
    private static string? MembersOf(string directory)
    {
        try
        {
            return FileSyscalls.TryReadText(directory + "/cgroup.procs");
        }
        catch (LinuxException e) when (e.ErrorNumber == Errno.EOPNOTSUPP)
        {
            return "";
        }
    }

    private static string[] Children(string directory)
    {
        try
        {
            return Directory.GetDirectories(directory);
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }

    private static bool TryRemoveTree(string directory)
    {
        var result = TryRemoveOne(directory);
        if (result == -Errno.EBUSY)
        {
            foreach (var child in Children(directory))
            {
                TryRemoveTree(child);
            }

            result = TryRemoveOne(directory);
        }

        return result is 0 or -Errno.ENOENT;
    }

    private static int TryRemoveOne(string directory)
    {
        using var text = new NativeText(directory);
        return (int)Syscall.Call(SyscallNumber.Unlinkat, FileSyscalls.WorkingDirectory, text.Address, RemoveDirectory);
    }

    private static void MakeWithParents(string directory)
    {
        using var text = new NativeText(directory);
        var made = Syscall.Call(SyscallNumber.Mkdirat, FileSyscalls.WorkingDirectory, text.Address, DefaultMode);
        if (made == -Errno.ENOENT)
        {
            MakeWithParents(Path.GetDirectoryName(directory)!);
            made = Syscall.Call(SyscallNumber.Mkdirat, FileSyscalls.WorkingDirectory, text.Address, DefaultMode);
        }

        if (made != -Errno.EEXIST)
        {
            Syscall.Check(made, $"make the cgroup {directory}");
        }
    }

    // A new v1 cpuset is empty and takes no process; each level has to be given what its parent has.
    private static void InheritCpuset(string directory, string top)
    {
        foreach (var file in (ReadOnlySpan<string>)["cpuset.cpus", "cpuset.mems"])
        {
            var current = FileSyscalls.TryReadText($"{directory}/{file}")?.Trim();
            if (current is { Length: > 0 } || directory.Length <= top.Length)
            {
                continue;
            }

            var parent = Path.GetDirectoryName(directory)!;
            InheritCpuset(parent, top);
            if (FileSyscalls.TryReadText($"{parent}/{file}")?.Trim() is { Length: > 0 } inherited)
            {
                FileSyscalls.WriteKernelFile($"{directory}/{file}", inherited);
            }
        }
    }

    private static void EnableControllers(string directory, string top)
    {
        var parent = Path.GetDirectoryName(directory)!;
        if (parent.Length > top.Length)
        {
            EnableControllers(parent, top);
        }

        var available = (FileSyscalls.TryReadText(parent + "/cgroup.controllers") ?? "").Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        var enabled = (FileSyscalls.TryReadText(parent + "/cgroup.subtree_control") ?? "").Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        foreach (var controller in available.Except(enabled, StringComparer.Ordinal))
        {
            try
            {
                FileSyscalls.WriteKernelFile(parent + "/cgroup.subtree_control", "+" + controller);
            }
            catch (LinuxException)
            {
                // A controller can be unavailable below (cpu while real-time processes run, say); a limit that needs it will say so.
            }
        }
    }
}
