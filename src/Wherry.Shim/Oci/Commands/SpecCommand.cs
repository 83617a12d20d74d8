using System.Text;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;
using Wherry.Runtime.Contracts.Protocol;
using Wherry.Shim.Oci.CommandLine;

namespace Wherry.Shim.Oci.Commands;

/// <summary><c>wherry-oci spec</c>: a configuration to begin with, for a root file system in <c>rootfs</c>.</summary>
public sealed class SpecCommand : ICommand
{
    private const int ReadableByAll = 0x1a4;

    /// <summary>A shell on a terminal, in namespaces of its own, read-only, with few capabilities.</summary>
    public const string Template = """
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
            { "destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"] },
            { "destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"] },
            { "destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"] },
            { "destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"] },
            { "destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["nosuid", "noexec", "nodev", "relatime", "ro"] }
          ],
          "linux": {
            "resources": { "devices": [{ "allow": false, "access": "rwm" }] },
            "namespaces": [{ "type": "pid" }, { "type": "network" }, { "type": "ipc" }, { "type": "uts" }, { "type": "mount" }, { "type": "cgroup" }],
            "maskedPaths": ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
          }
        }

        """;

    public OptionTable Options => new("spec [options]", "bundle,b= Directory to write it to (default: the working directory)");

    public int Run(GlobalOptions global, ParsedOptions parsed)
    {
        parsed.RequireOperands("spec", 0);
        var path = Path.Combine(Path.GetFullPath(parsed.Text("bundle") is { Length: > 0 } bundle ? bundle : "."), StateFiles.Config);
        try
        {
            using var file = FileSyscalls.Open(path, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive, ReadableByAll);
            Syscall.Check(FileSyscalls.Write(file.Number, Encoding.UTF8.GetBytes(Template)), $"write {path}");
            return 0;
        }
        catch (LinuxException e) when (e.ErrorNumber == Errno.EEXIST)
        {
            throw WherryException.Conflict($"File {StateFiles.Config} exists. Remove it first");
        }
    }
}
