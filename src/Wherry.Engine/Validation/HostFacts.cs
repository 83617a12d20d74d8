using Wherry.Linux.Cgroups;
using Wherry.Linux.Files;
using Wherry.Linux.Processes;

namespace Wherry.Engine.Validation;

/// <summary>What the host can give. Probed once: it does not change while the engine runs.</summary>
public sealed record HostFacts
{
    public required int CpuCount { get; init; }

    /// <summary>CPUs the engine may use, as the kernel lists them: <c>0-3,8</c>.</summary>
    public string CpuList { get; init; } = "";

    /// <summary>Memory nodes the engine may use, likewise.</summary>
    public string MemoryNodeList { get; init; } = "";

    /// <summary>Bytes.</summary>
    public required long TotalMemory { get; init; }

    public string KernelVersion { get; init; } = "";

    /// <summary>The pure v2 hierarchy; v1 and hybrid hosts are false.</summary>
    public bool IsCgroupUnified { get; init; }

    /// <summary>Cgroup controllers in use, wherever they are mounted.</summary>
    public IReadOnlySet<string> Controllers { get; init; } = new HashSet<string>();

    /// <summary>Swap can be limited together with memory.</summary>
    public bool SwapLimit { get; init; }

    /// <summary>Real-time scheduling has a share per cgroup (v1, and kernels built with it).</summary>
    public bool CpuRealtime { get; init; }

    /// <summary>The engine's bounding set: no container can have more. Names such as <c>CAP_CHOWN</c>.</summary>
    public IReadOnlySet<string> Capabilities { get; init; } = new HashSet<string>();

    /// <summary>The engine's own hard limits, by names such as <c>RLIMIT_NOFILE</c>; all ones for infinity.</summary>
    public IReadOnlyDictionary<string, ulong> HardLimits { get; init; } = new Dictionary<string, ulong>();

    /// <summary>The engine's own OOM score: without CAP_SYS_RESOURCE no process can go below it.</summary>
    public int OomScoreAdjustment { get; init; }

    public bool AppArmor { get; init; }

    /// <summary>The profile of containers that name none; null where there is none.</summary>
    public string? DefaultAppArmorProfile { get; init; }

    /// <summary>Signals and tracing can be made to end at a container's border (Landlock, Linux 6.12).</summary>
    public bool SignalScope { get; init; }

    public bool Seccomp { get; init; }

    /// <summary>What a filter may answer, as the kernel calls it (<c>errno</c>, <c>user_notif</c>); empty where it does not say.</summary>
    public IReadOnlySet<string> SeccompActions { get; init; } = new HashSet<string>();

    public bool SeLinux { get; init; }

    /// <summary>As <c>info</c> shows them.</summary>
    public IReadOnlyList<string> SecurityOptions { get; init; } = [];

    /// <summary>An ordinary user runs the engine: its capabilities count in its own namespaces only.</summary>
    public bool IsRootless { get; init; }

    /// <summary>Containers have cgroups, and so can be paused.</summary>
    public bool CanPause { get; init; } = true;

    /// <summary>There is no user but root in containers.</summary>
    public bool HasRootAlone { get; init; }

    /// <summary>The last group that exists in containers, for settings that name a range of them; the kernel takes no number above this one.</summary>
    public uint LastGroup { get; init; } = int.MaxValue;

    /// <summary>May raise limits and lower OOM scores beyond what the engine itself has.</summary>
    public bool CanExceedLimits => !IsRootless && Capabilities.Contains("CAP_SYS_RESOURCE");

    /// <summary>Reads the facts from /proc and /sys.</summary>
    public static HostFacts Probe() => HostProbe.Read(new HostRoots("/proc", "/sys"));

    /// <summary>The same for an engine that an ordinary user runs: of the controllers it has what was delegated to it (cgroups(7)).</summary>
    /// <param name="cgroupParent">The cgroup of all containers.</param>
    public HostFacts ForRootless(string cgroupParent)
    {
        var directory = CgroupHost.Detect().Locate(cgroupParent).Unified;
        var delegated = directory is null ? "" : FileSyscalls.TryReadText(Path.GetDirectoryName(directory) + "/cgroup.controllers") ?? "";
        return this with
        {
            IsRootless = true,
            CanPause = directory is not null,
            HasRootAlone = UserNamespace.HasSingleId,
            LastGroup = Math.Min(LastGroup, UserNamespace.LastGroup),
            Controllers = HostProbe.ControllersOf(delegated),
            SwapLimit = SwapLimit && HostProbe.ControllersOf(delegated).Contains("memory"),
            SecurityOptions = [.. SecurityOptions, "name=rootless"],
        };
    }
}
