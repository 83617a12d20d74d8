using Wherry.Linux.AppArmor;

namespace Wherry.Engine.Security;

/// <summary>
/// The AppArmor profile of containers that name none, in apparmor.d(5)'s language. It stands by itself: no file of the
/// distribution's is included, so that what it allows does not depend on where it is loaded.
/// </summary>
internal static class AppArmorProfile
{
    public const string Name = "wherry-default";

    /// <summary>
    /// What the container has of capabilities, mounts and devices is decided elsewhere; this takes away what even a
    /// container with more of these has no business with.
    /// </summary>
    /// <param name="engineLabel">The profile of the engine, and so of containers' supervisors, which signal what is in them.</param>
    public static string Text(string engineLabel) => $$"""
        profile {{Name}} flags=(attach_disconnected, mediate_deleted) {
          capability,
          network,
          file,
          umount,

          # Mounting is the runtime's, which is done with it before this profile holds.
          deny mount,
          deny remount,
          deny pivot_root,

          # Its own kind, and those that may stop it.
          signal (send, receive) peer={{Name}},
          signal (receive) peer=unconfined,
        {{SignalFromEngine(engineLabel)}}
          ptrace (trace, read, tracedby, readby) peer={{Name}},

          # Of /proc what belongs to processes is theirs to write (names of digits), and of the parameters those of
          # shared memory, which are the IPC namespace's.
          deny /proc/* wkl,
          deny /proc/[^0-9s]*/** wkl,
          deny /proc/s[^y]*/** wkl,
          deny /proc/sysvipc/** wkl,
          deny /proc/sys/[^k]** wkl,
          deny /proc/sys/k[^e]** wkl,
          deny /proc/sys/kernel/[^s]** wkl,
          deny /proc/sys/kernel/s[^h]** wkl,
          deny /proc/sys/kernel/sh[^m]** wkl,
          deny /proc/{sysrq-trigger,kcore,kmem,mem} rwkl,

          # Of /sys the container's own cgroups.
          deny /sys/[^f]** wkl,
          deny /sys/f[^s]** wkl,
          deny /sys/fs/[^c]** wkl,
          deny /sys/fs/c[^g]** wkl,
          deny /sys/fs/cg[^r]** wkl,
          deny /sys/firmware/** rwkl,
          deny /sys/devices/virtual/powercap/** rwkl,
          deny /sys/kernel/security/** rwkl,
        }

        """;

    // Names with characters that mean something to the parser are left out: such an engine can still end a container
    // through its cgroup.
    private static string SignalFromEngine(string label) =>
        label != AppArmorKernel.Unconfined && label.Length > 0 && label.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '/' or '.' or '_' or '-')
            ? $"  signal (receive) peer={label},"
            : "";
}
