using System.Runtime.InteropServices;
using Wherry.Errors;
using Wherry.Linux.AppArmor;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Checks;

namespace Wherry.Runtime.Programs;

/// <summary>struct sched_attr (sched_setattr(2)).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct NativeScheduler
{
    public const int Size = 48;

    public uint StructSize;
    public uint Policy;
    public ulong Flags;
    public int Nice;
    public uint Priority;
    public ulong Runtime;
    public ulong Deadline;
    public ulong Period;
}

/// <summary>What a program asks of the kernel beside rights and limits, in the kernel's own numbers. Null is not asked for.</summary>
public sealed record ProgramAttributes
{
    private const uint BatchClassShift = 13;
    private const int LowestClassPriority = 7;

    private static readonly string[] Policies = ["SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE", "SCHED_DEADLINE"];

    private static readonly string[] SchedulerFlags =
    [
        "SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN", "SCHED_FLAG_KEEP_POLICY", "SCHED_FLAG_KEEP_PARAMS",
        "SCHED_FLAG_UTIL_CLAMP_MIN", "SCHED_FLAG_UTIL_CLAMP_MAX",
    ];

    private static readonly string[] IoClasses = ["IOPRIO_CLASS_NONE", "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"];

    private static readonly string[] MemoryModes =
        ["MPOL_DEFAULT", "MPOL_PREFERRED", "MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_LOCAL", "MPOL_PREFERRED_MANY", "MPOL_WEIGHTED_INTERLEAVE"];

    private static readonly (string Name, int Bit)[] MemoryFlags =
        [("MPOL_F_STATIC_NODES", 1 << 15), ("MPOL_F_RELATIVE_NODES", 1 << 14), ("MPOL_F_NUMA_BALANCING", 1 << 13)];

    public NativeScheduler? Scheduler { get; private init; }

    public int? IoPriority { get; private init; }

    public uint? Personality { get; private init; }

    public int? MemoryMode { get; private init; }

    public ulong[] MemoryNodes { get; private init; } = [];

    /// <summary>Files below /proc/thread-self and what is written into them.</summary>
    public IReadOnlyList<(string File, string Text)> Labels { get; private init; } = [];

    /// <summary>The file and text that put a thread under the program's AppArmor profile at once, not when it executes something.</summary>
    public (string File, string Text)? AppArmorNow { get; private init; }

    /// <summary>Nothing is asked for.</summary>
    public bool IsEmpty => Scheduler is null && IoPriority is null && Personality is null && MemoryMode is null && Labels.Count == 0;

    /// <param name="process">The program.</param>
    /// <param name="linux">The container's configuration; null for what only runs in it.</param>
    /// <exception cref="WherryException">A value is unknown, or the kernel lacks what it is for.</exception>
    public static ProgramAttributes Of(Process process, LinuxConfig? linux) => new()
    {
        Scheduler = process.Scheduler is { } scheduler ? Of(scheduler) : null,
        IoPriority = process.IoPriority is { } priority ? Of(priority) : null,
        Personality = linux?.Personality is { } personality ? Of(personality) : null,
        MemoryMode = linux?.MemoryPolicy is { } policy ? Of(policy) : null,
        MemoryNodes = linux?.MemoryPolicy?.Nodes is { Length: > 0 } nodes ? NumberLists.Parse(nodes, "linux.memoryPolicy.nodes") : [],
        Labels = LabelsOf(process),
        AppArmorNow = string.IsNullOrEmpty(process.ApparmorProfile) ? null : (AppArmorKernel.AttributeDirectory + "/current", "changeprofile " + process.ApparmorProfile),
    };

    private static NativeScheduler Of(Scheduler scheduler)
    {
        var policy = IndexOf(Policies, scheduler.Policy, "process.scheduler.policy");
        var flags = 0UL;
        foreach (var flag in scheduler.Flags)
        {
            flags |= 1UL << IndexOf(SchedulerFlags, flag, "process.scheduler.flags");
        }

        return scheduler.Nice is < -20 or > 19
            ? throw WherryException.Invalid($"process.scheduler.nice: {scheduler.Nice} is not between -20 and 19")
            : scheduler.Priority is < 0 or > 99
            ? throw WherryException.Invalid($"process.scheduler.priority: {scheduler.Priority} is not between 0 and 99")
            : new NativeScheduler
            {
                StructSize = NativeScheduler.Size,
                Policy = (uint)policy,
                Flags = flags,
                Nice = scheduler.Nice,
                Priority = (uint)scheduler.Priority,
                Runtime = scheduler.Runtime,
                Deadline = scheduler.Deadline,
                Period = scheduler.Period,
            };
    }

    private static int Of(IoPriority priority) => priority.Priority is < 0 or > LowestClassPriority
        ? throw WherryException.Invalid($"process.ioPriority.priority: {priority.Priority} is not between 0 and {LowestClassPriority}")
        : (int)((uint)IndexOf(IoClasses, priority.Class, "process.ioPriority.class") << (int)BatchClassShift) | priority.Priority;

    private static uint Of(Personality personality) => personality switch
    {
        { Flags.Count: > 0 } => throw WherryException.Invalid($"linux.personality.flags: \"{personality.Flags[0]}\" is unknown; the specification has none"),
        { Domain: "LINUX" } => 0,
        { Domain: "LINUX32" } => 8,
        _ => throw WherryException.Invalid($"linux.personality.domain: unknown value \"{personality.Domain}\""),
    };

    private static int Of(MemoryPolicy policy)
    {
        var mode = IndexOf(MemoryModes, policy.Mode, "linux.memoryPolicy.mode");
        foreach (var flag in policy.Flags)
        {
            var known = Array.FindIndex(MemoryFlags, entry => entry.Name == flag);
            mode |= known >= 0 ? MemoryFlags[known].Bit : throw WherryException.Invalid($"linux.memoryPolicy.flags: unknown value \"{flag}\"");
        }

        return mode;
    }

    private static List<(string File, string Text)> LabelsOf(Process process)
    {
        var labels = new List<(string File, string Text)>();
        if (!string.IsNullOrEmpty(process.ApparmorProfile))
        {
            SecurityModules.RequireAppArmor("process.apparmorProfile", process.ApparmorProfile);
            labels.Add((AppArmorKernel.AttributeDirectory + "/exec", "exec " + process.ApparmorProfile));
        }

        if (!string.IsNullOrEmpty(process.SelinuxLabel))
        {
            SecurityModules.RequireSelinux("process.selinuxLabel");
            labels.Add(("attr/exec", process.SelinuxLabel));
        }

        return labels;
    }

    private static int IndexOf(string[] names, string name, string property)
    {
        var index = Array.IndexOf(names, name);
        return index >= 0 ? index : throw WherryException.Invalid($"{property}: unknown value \"{name}\"");
    }
}

/// <summary>Linux security modules a container can be given a label of.</summary>
public static class SecurityModules
{
    private const string SelinuxDirectory = "/sys/fs/selinux";

    public static bool HasSelinux => File.Exists(SelinuxDirectory + "/enforce");

    /// <exception cref="WherryException">AppArmor is not in this kernel, or has no such profile as far as that can be seen.</exception>
    public static void RequireAppArmor(string property, string profile)
    {
        if (!AppArmorKernel.IsEnabled)
        {
            throw WherryException.Unsupported($"{property}: AppArmor is not enabled in this kernel");
        }

        if (profile != AppArmorKernel.Unconfined && AppArmorKernel.HasProfile(profile) is false)
        {
            throw WherryException.Invalid($"{property}: no AppArmor profile \"{profile}\" is loaded");
        }
    }

    /// <exception cref="WherryException">Not in this kernel.</exception>
    public static void RequireSelinux(string property)
    {
        if (!HasSelinux)
        {
            throw WherryException.Unsupported($"{property}: SELinux is not enabled in this kernel");
        }
    }
}
