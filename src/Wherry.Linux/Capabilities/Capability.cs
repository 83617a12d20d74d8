namespace Wherry.Linux.Capabilities;

/// <summary>Capabilities as a set of 64 bits, and their names (capabilities(7)).</summary>
public static class Capability
{
    public const int SetGid = 6;
    public const int SetUid = 7;
    public const int SysAdmin = 21;
    public const int SysResource = 24;

    private static readonly string[] NamesByNumber =
    [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
        "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
        "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
        "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
        "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
        "CHECKPOINT_RESTORE",
    ];

    /// <summary>Every name known here, with <c>CAP_</c>, by number.</summary>
    public static IReadOnlyList<string> AllNames { get; } = Array.ConvertAll(NamesByNumber, name => "CAP_" + name);

    public static string NameOf(int number) => number < AllNames.Count ? AllNames[number] : $"CAP_{number}";

    /// <summary>The number behind a name, with or without <c>CAP_</c>, in any case; −1 for an unknown one.</summary>
    public static int NumberOf(string name)
    {
        var bare = name.StartsWith("CAP_", StringComparison.OrdinalIgnoreCase) ? name[4..] : name;
        return Array.FindIndex(NamesByNumber, known => known.Equals(bare, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>The set of the named capabilities.</summary>
    /// <param name="names">Their names.</param>
    /// <param name="unknown">Gets the names that mean nothing here, each once.</param>
    public static ulong SetOf(IReadOnlyList<string> names, List<string> unknown)
    {
        var set = 0UL;
        foreach (var name in names)
        {
            var number = NumberOf(name);
            if (number >= 0)
            {
                set |= 1UL << number;
            }
            else if (!unknown.Contains(name))
            {
                unknown.Add(name);
            }
        }

        return set;
    }

    /// <summary>The names in a set, in order of number.</summary>
    public static IEnumerable<string> NamesOf(ulong set)
    {
        for (var number = 0; number < 64; number++)
        {
            if ((set & (1UL << number)) != 0)
            {
                yield return NameOf(number);
            }
        }
    }
}

/// <summary>The five sets of a thread.</summary>
public readonly record struct CapabilitySets(ulong Effective, ulong Permitted, ulong Inheritable, ulong Bounding, ulong Ambient)
{
    /// <summary>The same with more to use at once; what may be kept over an execve is not widened.</summary>
    public CapabilitySets With(ulong more) => this with { Effective = Effective | more, Permitted = Permitted | more };
}
