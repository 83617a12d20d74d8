using System.Globalization;
using Wherry.Engine.Specs;

namespace Wherry.Engine.Validation;

/// <summary>Where the kernel's file systems are; other places in tests.</summary>
internal sealed record HostRoots(string Proc, string Sys);

/// <summary>Reads <see cref="HostFacts"/>. What can't be read counts as absent: a probe never keeps the engine from starting.</summary>
internal static class HostProbe
{
    public static HostFacts Read(HostRoots roots)
    {
        var status = Fields(Path.Combine(roots.Proc, "self/status"));
        var controllers = Controllers(roots, out var isUnified);
        var facts = new HostFacts
        {
            CpuCount = Math.Max(1, CpuSets.Count(status.GetValueOrDefault("Cpus_allowed_list", "0"))),
            CpuList = status.GetValueOrDefault("Cpus_allowed_list", ""),
            MemoryNodeList = status.GetValueOrDefault("Mems_allowed_list", ""),
            TotalMemory = TotalMemory(roots),
            KernelVersion = ReadText(Path.Combine(roots.Proc, "sys/kernel/osrelease")),
            IsCgroupUnified = isUnified,
            Controllers = controllers,
            SwapLimit = controllers.Contains("memory") && HasSwapLimit(roots, isUnified),
            CpuRealtime = controllers.Contains("cpu") && File.Exists(Path.Combine(roots.Sys, "fs/cgroup/cpu/cpu.rt_runtime_us")),
            Capabilities = CapabilityNames.FromMask(ParseHex(status.GetValueOrDefault("CapBnd", "0"))),
            HardLimits = HardLimits(roots),
            OomScoreAdjustment = int.TryParse(ReadText(Path.Combine(roots.Proc, "self/oom_score_adj")), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var score) ? score : 0,
            AppArmor = ReadText(Path.Combine(roots.Sys, "module/apparmor/parameters/enabled")) == "Y",
            SignalScope = Linux.Landlock.SignalScope.IsOffered,
            Seccomp = status.ContainsKey("Seccomp"),
            SeccompActions = ReadText(Path.Combine(roots.Proc, "sys/kernel/seccomp/actions_avail")).Split(' ', StringSplitOptions.RemoveEmptyEntries).ToHashSet(StringComparer.Ordinal),
            SeLinux = File.Exists(Path.Combine(roots.Sys, "fs/selinux/enforce")),
        };
        return facts with { SecurityOptions = SecurityOptions(facts) };
    }

    /// <summary>Only what containers get without being asked for.</summary>
    private static string[] SecurityOptions(HostFacts facts) =>
    [
        .. facts.Seccomp ? ["name=seccomp,profile=builtin"] : Array.Empty<string>(),
        .. facts.IsCgroupUnified ? ["name=cgroupns"] : Array.Empty<string>(),
    ];

    /// <summary>What a v2 cgroup's list says, in the names that v1 has for them.</summary>
    public static HashSet<string> ControllersOf(string list) =>
        [.. list.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Select(name => name == "io" ? "blkio" : name)];

    private static HashSet<string> Controllers(HostRoots roots, out bool isUnified)
    {
        // A v2 hierarchy at the mount point itself carries every controller there is (cgroups(7)).
        var unified = Path.Combine(roots.Sys, "fs/cgroup/cgroup.controllers");
        isUnified = File.Exists(unified);
        if (isUnified)
        {
            return ControllersOf(ReadText(unified));
        }

        var mounted = new HashSet<string>(StringComparer.Ordinal);
        foreach (var line in Lines(Path.Combine(roots.Proc, "mounts")))
        {
            var fields = line.Split(' ');
            if (fields.Length > 3 && fields[2] == "cgroup")
            {
                mounted.UnionWith(fields[3].Split(','));
            }
        }

        var known = Lines(Path.Combine(roots.Proc, "cgroups"))
            .Where(line => !line.StartsWith('#'))
            .Select(line => line.Split('\t'))
            .Where(fields => fields.Length > 3 && fields[3] == "1")
            .Select(fields => fields[0]);
        mounted.IntersectWith(known);
        return mounted;
    }

    /// <summary>On v2 every group but the root has memory.swap.max where the kernel knows swap at all; on v1 it takes a boot option on some kernels.</summary>
    private static bool HasSwapLimit(HostRoots roots, bool isUnified) =>
        File.Exists(isUnified ? Path.Combine(roots.Proc, "swaps") : Path.Combine(roots.Sys, "fs/cgroup/memory/memory.memsw.limit_in_bytes"));

    private static long TotalMemory(HostRoots roots) =>
        Fields(Path.Combine(roots.Proc, "meminfo")).TryGetValue("MemTotal", out var text)
            && long.TryParse(text.Split(' ')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var kibibytes)
            ? kibibytes * 1024
            : 0;

    private static Dictionary<string, ulong> HardLimits(HostRoots roots)
    {
        var limits = new Dictionary<string, ulong>(StringComparer.Ordinal);
        foreach (var line in Lines(Path.Combine(roots.Proc, "self/limits")))
        {
            // "Max open files            1024                 524288               files"
            foreach (var (name, label) in UlimitNames.KernelLabels)
            {
                if (line.StartsWith(label, StringComparison.Ordinal)
                    && line[label.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var hard, ..])
                {
                    limits[name] = hard == "unlimited" ? ulong.MaxValue : ulong.Parse(hard, NumberStyles.None, CultureInfo.InvariantCulture);
                }
            }
        }

        return limits;
    }

    private static Dictionary<string, string> Fields(string path)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in Lines(path))
        {
            var colon = line.IndexOf(':');
            if (colon > 0)
            {
                fields[line[..colon]] = line[(colon + 1)..].Trim();
            }
        }

        return fields;
    }

    private static ulong ParseHex(string text) =>
        ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) ? value : 0;

    private static string ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static IReadOnlyList<string> Lines(string path) => ReadText(path).Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
