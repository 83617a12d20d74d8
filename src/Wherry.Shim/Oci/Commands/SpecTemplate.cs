using System.Globalization;
using Wherry.Linux.Cgroups;

namespace Wherry.Shim.Oci.Commands;

/// <summary>A configuration to begin with: a shell on a terminal, in namespaces of its own, read-only, with few capabilities.</summary>
public static class SpecTemplate
{
    private const string UntilMounts = """
        {
          "ociVersion": "1.2.0",
          "process": {
            "terminal": true,
            "user": { "uid": 0, "gid": 0 },
            "args": ["sh"],
            "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
            "cwd": "/",
            "capabilities": {
              "bounding": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
              "effective": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
              "permitted": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
            },
            "rlimits": [{ "type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024 }],
            "noNewPrivileges": true
          },
          "root": { "path": "rootfs", "readonly": true },
          "hostname": "wherry",
          "mounts": [
            { "destination": "/proc", "type": "proc", "source": "proc" },
            { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"] },

        """;

    private const string Mounts = """
            { "destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"] },
            { "destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"] },
            { "destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"] },
            { "destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"] },
            { "destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["nosuid", "noexec", "nodev", "relatime", "ro"] }
          ],
          "linux": {
            "resources": { "devices": [{ "allow": false, "access": "rwm" }] },
            "namespaces": [{ "type": "pid" }, { "type": "network" }, { "type": "ipc" }, { "type": "uts" }, { "type": "mount" }CGROUP],

        """;

    // No group 5 and no limits, which the caller has no right to; the host's network, of which only its root may mount a sysfs.
    private const string RootlessMounts = """
            { "destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"] },
            { "destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"] },
            { "destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"] },
            { "destination": "/sys", "type": "none", "source": "/sys", "options": ["rbind", "nosuid", "noexec", "nodev", "ro"] }
          ],
          "linux": {
            "uidMappings": [{ "containerID": 0, "hostID": UID, "size": 1 }],
            "gidMappings": [{ "containerID": 0, "hostID": GID, "size": 1 }],
            "namespaces": [{ "type": "pid" }, { "type": "ipc" }, { "type": "uts" }, { "type": "mount" }, { "type": "cgroup" }, { "type": "user" }],

        """;

    private const string AfterNamespaces = """
            "maskedPaths": ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
          }
        }

        """;

    /// <summary>
    /// For root. v1 trees are shown by binds of the container's own part, so that a cgroup namespace would hide nothing more;
    /// callers of runc, whose spec has none there either, add one where they want it.
    /// </summary>
    public static string Text => UntilMounts + Mounts.Replace("CGROUP", CgroupHost.Detect().IsUnified ? ", { \"type\": \"cgroup\" }" : "", StringComparison.Ordinal) + AfterNamespaces;

    /// <summary>For an ordinary user, who is root in the container's user namespace, and the only user there.</summary>
    /// <param name="ids">His.</param>
    public static string Rootless((uint Uid, uint Gid) ids) => UntilMounts
        + RootlessMounts.Replace("UID", ids.Uid.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal).Replace("GID", ids.Gid.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
        + AfterNamespaces;
}
