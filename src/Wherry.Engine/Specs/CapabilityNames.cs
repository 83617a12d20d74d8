using System.Globalization;

namespace Wherry.Engine.Specs;

/// <summary>The kernel's capabilities by number (capabilities(7)).</summary>
internal static class CapabilityNames
{
    /// <summary>Position is number.</summary>
    private static readonly string[] ByNumber =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
        "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW",
        "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT",
        "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD",
        "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG",
        "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    ];

    /// <summary>Sorted by number, which is also the order of every list made from it.</summary>
    public static IReadOnlyList<string> All => ByNumber;

    public static bool IsKnown(string name) => ByNumber.Contains(name);

    public static IReadOnlySet<string> FromMask(ulong mask) =>
        new HashSet<string>(ByNumber.Where((_, number) => (mask >> number & 1) != 0), StringComparer.Ordinal);

    /// <summary><c>net_admin</c>, <c>NET_ADMIN</c> and <c>CAP_NET_ADMIN</c> are the same; <c>all</c> is <c>ALL</c>.</summary>
    public static string Normalize(string name)
    {
        var upper = name.Trim().ToUpper(CultureInfo.InvariantCulture);
        return upper switch
        {
            "ALL" or "CAP_ALL" => DefaultCapabilities.AllName,
            _ => upper.StartsWith("CAP_", StringComparison.Ordinal) ? upper : "CAP_" + upper,
        };
    }
}
