using Wherry.Errors;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Seccomp;

/// <summary>The kernel's flags for a filter (seccomp(2), "SECCOMP_FILTER_FLAG_…").</summary>
[Flags]
internal enum FilterFlag : uint
{
    None = 0,
    ThreadSync = 1,
    Log = 2,
    SpeculationAllowed = 4,
    NewListener = 8,
    WaitKillable = 32,

    /// <summary>Not the kernel's: set if it has the flag, never an error if not.</summary>
    PreferSpeculationAllowed = 0x8000_0000,
}

internal static class FilterFlags
{
    private const string WaitKillableName = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV";

    /// <summary>
    /// From runtime-spec's names. Where none are given, not even an empty list, calls are not slowed down against
    /// speculation, as runc has it. TSYNC is taken and not passed on: at execve, the filter's thread is the only
    /// one left.
    /// </summary>
    /// <exception cref="WherryException">InvalidParameter: unknown, or without what it needs.</exception>
    public static FilterFlag Parse(SeccompConfig config, IReadOnlySet<uint> kinds)
    {
        var notifies = kinds.Contains(FilterAction.Notify);
        if (notifies && string.IsNullOrEmpty(config.ListenerPath))
        {
            throw WherryException.Invalid("linux.seccomp: SCMP_ACT_NOTIFY needs a listenerPath");
        }

        var flags = notifies ? FilterFlag.NewListener : FilterFlag.None;
        if (config.Flags is null)
        {
            return flags | FilterFlag.PreferSpeculationAllowed;
        }

        foreach (var name in config.Flags)
        {
            flags |= name switch
            {
                "SECCOMP_FILTER_FLAG_TSYNC" => FilterFlag.None,
                "SECCOMP_FILTER_FLAG_LOG" => FilterFlag.Log,
                "SECCOMP_FILTER_FLAG_SPEC_ALLOW" => FilterFlag.SpeculationAllowed,
                WaitKillableName when !notifies => throw WherryException.Invalid($"linux.seccomp.flags: {WaitKillableName} needs SCMP_ACT_NOTIFY"),
                WaitKillableName => FilterFlag.WaitKillable,
                _ => throw WherryException.Invalid($"linux.seccomp.flags: unknown flag \"{name}\""),
            };
        }

        return flags;
    }
}
