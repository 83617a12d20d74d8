using System.Globalization;
using System.Text;
using Wherry.Errors;
using Wherry.Linux.Capabilities;
using Wherry.Linux.Files;

namespace Wherry.Linux.Processes;

/// <summary>Makes user namespaces with their mappings written, for processes to join and for mounts to be mapped by.</summary>
public static class UserNamespace
{
    /// <summary>As many ranges as the kernel takes.</summary>
    public const int MostRanges = 340;

    /// <summary>
    /// Whether this process is in a user namespace other than the host's: there root has every capability, but over
    /// what belongs to the namespace alone.
    /// </summary>
    public static bool IsInside { get; } = ReadIsInside();

    /// <summary>Whether the namespace this process is in has no other user than root.</summary>
    public static bool HasSingleId { get; } = IsInside && MappedIds("/proc/self/uid_map") == 1;

    /// <summary>The last of the group ids from 0 on that exist in the namespace this process is in.</summary>
    public static uint LastGroup { get; } = IsInside ? (uint)Math.Max(0, MappedIds("/proc/self/gid_map") - 1) : uint.MaxValue - 1;

    /// <summary>Makes one; it lives while it is open or in use.</summary>
    /// <exception cref="LinuxException">The kernel has none to give, or refuses the mappings.</exception>
    public static FileDescriptor Make(IReadOnlyList<IdRange> users, IReadOnlyList<IdRange> groups)
    {
        // The namespace needs a process to be made by and mapped through.
        using var holder = StartHolder();
        var process = "/proc/" + IdInProc(holder.Id);
        Map(process, holder.Id, users, groups);
        return FileSyscalls.Open(process + "/ns/user", OpenFlags.ReadOnly);
    }

    /// <summary>
    /// Writes the mappings of the namespace a child has just been made in: by this process's own right where it may, else
    /// with newuidmap(1) and newgidmap(1), or, for the caller's own id alone, as anybody may.
    /// </summary>
    /// <exception cref="WherryException">The kernel or one of these programs refuses, or the program is missing.</exception>
    public static void WriteMappings(int pid, IReadOnlyList<IdRange> users, IReadOnlyList<IdRange> groups) =>
        Map("/proc/" + IdInProc(pid), pid, users, groups);

    /// <summary>Where a program that maps ranges for ordinary users is; null where it is not installed.</summary>
    /// <param name="program"><c>newuidmap</c> or <c>newgidmap</c>.</param>
    public static string? FindMapper(string program) =>
        new[] { "/usr/bin/", "/bin/", "/usr/local/bin/" }.Select(directory => directory + program).FirstOrDefault(File.Exists);

    /// <summary>The text that <c>uid_map</c> and <c>gid_map</c> take.</summary>
    public static string MapText(IReadOnlyList<IdRange> ranges)
    {
        var text = new StringBuilder();
        foreach (var range in ranges)
        {
            text.Append(CultureInfo.InvariantCulture, $"{range.Inside} {range.Outside} {range.Count}\n");
        }

        return text.ToString();
    }

    // The host's own namespace maps every id to itself, in one line (user_namespaces(7)).
    private static bool ReadIsInside() => FileSyscalls.TryReadText("/proc/self/uid_map") is { } map
        && map.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is not ["0", "0", "4294967295"];

    private static long MappedIds(string file) => (FileSyscalls.TryReadText(file) ?? "")
        .Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Sum(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, _, var count] ? long.Parse(count, CultureInfo.InvariantCulture) : 0);

    // Only root may write the mappings of a process that is not dumpable, or reach its namespaces. The copy inherits what
    // this process is at that moment, in which nobody but the same user could look into it.
    private static IdleProcess StartHolder()
    {
        var isHidden = ProcessSyscalls.EffectiveIds.Uid != 0 && !ProcessSyscalls.IsDumpable;
        if (isHidden)
        {
            ProcessSyscalls.SetDumpable(true);
        }

        try
        {
            return IdleProcess.Start(CloneFlags.NewUser);
        }
        catch (LinuxException e)
        {
            throw new LinuxException("make a user namespace (is /proc/sys/user/max_user_namespaces above zero?)", e.ErrorNumber);
        }
        finally
        {
            if (isHidden)
            {
                ProcessSyscalls.SetDumpable(false);
            }
        }
    }

    // The caller may be in a pid namespace other than /proc's: there the same process has another number, and that number may be another process.
    private static string IdInProc(int pid)
    {
        using var descriptor = ProcessSyscalls.OpenPidfd(pid);
        var text = FileSyscalls.TryReadText($"/proc/self/fdinfo/{descriptor.Number}") ?? "";
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (line.StartsWith("Pid:", StringComparison.Ordinal) && int.TryParse(line[4..].Trim(), CultureInfo.InvariantCulture, out var id) && id > 0)
            {
                return id.ToString(CultureInfo.InvariantCulture);
            }
        }

        throw WherryException.System("the process that holds a user namespace is not in /proc");
    }

    private static void Map(string process, int pid, IReadOnlyList<IdRange> users, IReadOnlyList<IdRange> groups)
    {
        var own = CapabilitySyscalls.Read().Effective;
        if ((own & (1UL << Capability.SetUid)) != 0)
        {
            FileSyscalls.WriteKernelFile(process + "/uid_map", MapText(users));
        }
        else
        {
            MapUnprivileged(process + "/uid_map", "newuidmap", pid, users, ProcessSyscalls.EffectiveIds.Uid);
        }

        if ((own & (1UL << Capability.SetGid)) != 0)
        {
            FileSyscalls.WriteKernelFile(process + "/gid_map", MapText(groups));
            return;
        }

        var gid = ProcessSyscalls.EffectiveIds.Gid;
        if (IsOwn(groups, gid))
        {
            // Who could not change groups outside must not be able to drop one inside that denies him something.
            FileSyscalls.WriteKernelFile(process + "/setgroups", "deny");
        }

        MapUnprivileged(process + "/gid_map", "newgidmap", pid, groups, gid);
    }

    private static bool IsOwn(IReadOnlyList<IdRange> ranges, uint own) => ranges is [{ Count: 1 } only] && only.Outside == own;

    // One id, one's own, anyone may map; others only by the set-user-id programs that know /etc/subuid.
    private static void MapUnprivileged(string file, string program, int pid, IReadOnlyList<IdRange> ranges, uint own)
    {
        if (IsOwn(ranges, own))
        {
            FileSyscalls.WriteKernelFile(file, MapText(ranges));
            return;
        }

        var path = FindMapper(program)
            ?? throw WherryException.Unsupported($"mapping ids other than one's own as an ordinary user needs {program} (package uidmap)");
        var arguments = new List<string> { program, pid.ToString(CultureInfo.InvariantCulture) };
        foreach (var range in ranges)
        {
            arguments.AddRange(new[] { range.Inside, range.Outside, range.Count }.Select(id => id.ToString(CultureInfo.InvariantCulture)));
        }

        using var nothing = FileSyscalls.Open("/dev/null", OpenFlags.ReadWrite);
        var ended = ProcessSyscalls.Wait(ProgramSpawn.Start(path, arguments, [], [nothing, nothing, nothing], 0), block: true);
        if (ended is not { ExitCode: 0 })
        {
            throw WherryException.Invalid($"{program} refused the mappings {MapText(ranges).Trim().ReplaceLineEndings(", ")}: /etc/subuid and /etc/subgid say what a user may have");
        }
    }
}
