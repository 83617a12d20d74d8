using Wherry.Oci.Runtime;

namespace Wherry.Engine.Security;

/// <summary>
/// What every container that is not privileged may ask of the kernel. All else fails with EPERM, or, where it is
/// newer than this list, with ENOSYS, so that programs fall back on what they did before. What needs a capability
/// is allowed to a container that has the capability: the kernel then decides by itself.
/// </summary>
internal static class DefaultProfile
{
    private const ulong VsockFamily = 40;

    /// <summary>CLONE_NEW… of mount, cgroup, uts, ipc, user, pid and network namespaces.</summary>
    private const ulong NamespaceFlags = 0x7e02_0000;

    /// <summary>Linux, Linux with 32-bit uname, and both without address randomisation's exceptions; all ones asks for the present one.</summary>
    private static readonly ulong[] Personalities = [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

    public static readonly SeccompProfile Profile = new()
    {
        Base = new SeccompConfig { DefaultAction = "SCMP_ACT_ERRNO", DefaultErrnoRet = Linux.Errno.EPERM },

        // x32 is left out: next to nothing uses it, and a filter that does not know it is smaller.
        Families = [new("SCMP_ARCH_X86_64", ["SCMP_ARCH_X86"]), new("SCMP_ARCH_AARCH64", [])],
        Rules =
        [
            Allow(DefaultSyscalls.All),
            .. Personalities.Select(personality => AllowIf(new SeccompArgument(0, personality, 0, "SCMP_CMP_EQ"), "personality")),

            // Sockets of any family but the virtual machine's, which reach the hypervisor past every network rule.
            AllowIf(new SeccompArgument(0, VsockFamily, 0, "SCMP_CMP_NE"), "socket"),
            Allow("arch_prctl", "modify_ldt") with { OnlyIf = new RuleCondition { Architectures = ["amd64"] } },
            .. WithCapability(),

            // New namespaces bring capabilities in them, and with those much of the kernel that nobody else reaches.
            // clone3 has its flags in memory, where a filter can't look: as if it did not exist, so that clone is used.
            AllowIf(new SeccompArgument(0, NamespaceFlags, 0, "SCMP_CMP_MASKED_EQ"), "clone") with { Unless = Capabilities("CAP_SYS_ADMIN") },
            new(new SeccompRule { Names = ["clone3"], Action = "SCMP_ACT_ERRNO", ErrnoRet = Linux.Errno.ENOSYS }, Unless: Capabilities("CAP_SYS_ADMIN")),

            // Before 4.8 a tracer could change a call after it had been filtered.
            Allow("ptrace", "process_vm_readv", "process_vm_writev") with { OnlyIf = new RuleCondition { Kernel = new KernelVersion(4, 8) } },
        ],
    };

    private static ProfileRule[] WithCapability() =>
    [
        With("CAP_DAC_READ_SEARCH", "open_by_handle_at"),
        With(
            "CAP_SYS_ADMIN",
            "bpf", "clone", "clone3", "fanotify_init", "fsconfig", "fsmount", "fsopen", "fspick", "lookup_dcookie", "lsm_get_self_attr",
            "lsm_list_modules", "lsm_set_self_attr", "mount", "mount_setattr", "move_mount", "open_tree", "open_tree_attr", "perf_event_open",
            "quotactl", "quotactl_fd", "setdomainname", "sethostname", "setns", "syslog", "umount", "umount2", "unshare"),
        With("CAP_SYS_BOOT", "reboot"),
        With("CAP_SYS_CHROOT", "chroot"),
        With("CAP_SYS_MODULE", "delete_module", "finit_module", "init_module"),
        With("CAP_SYS_PACCT", "acct"),
        With("CAP_SYS_PTRACE", "kcmp", "pidfd_getfd", "process_madvise", "process_vm_readv", "process_vm_writev", "ptrace"),
        With("CAP_SYS_RAWIO", "ioperm", "iopl"),
        With("CAP_SYS_TIME", "clock_settime", "clock_settime64", "settimeofday", "stime"),
        With("CAP_SYS_TTY_CONFIG", "vhangup"),
        With("CAP_SYS_NICE", "get_mempolicy", "mbind", "set_mempolicy", "set_mempolicy_home_node"),
        With("CAP_SYSLOG", "syslog"),
        With("CAP_BPF", "bpf"),
        With("CAP_PERFMON", "perf_event_open"),
    ];

    private static ProfileRule Allow(params IReadOnlyList<string> names) => new(new SeccompRule { Names = names, Action = "SCMP_ACT_ALLOW" });

    private static ProfileRule AllowIf(SeccompArgument argument, string name) =>
        new(new SeccompRule { Names = [name], Action = "SCMP_ACT_ALLOW", Args = [argument] });

    private static ProfileRule With(string capability, params IReadOnlyList<string> names) => Allow(names) with { OnlyIf = Capabilities(capability) };

    private static RuleCondition Capabilities(string name) => new() { Capabilities = [name] };
}
