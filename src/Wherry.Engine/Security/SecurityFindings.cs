using Wherry.Api.Contracts.Containers;
using Wherry.Api.Contracts.Security;
using Wherry.Engine.Volumes;
using Wherry.Linux.AppArmor;

namespace Wherry.Engine.Security;

/// <summary>Looks at a container with an attacker's eyes. Pure: the same facts give the same findings.</summary>
internal static class SecurityFindings
{
    private const string Critical = "critical";
    private const string High = "high";
    private const string Medium = "medium";
    private const string Low = "low";

    private static readonly string[] Grades = [Critical, High, Medium, Low];

    /// <summary>Each is, by itself, as good as being root on the host, or close to it.</summary>
    private static readonly Dictionary<string, (string Grade, string Attack)> DangerousCapabilities = new(StringComparer.Ordinal)
    {
        ["CAP_SYS_ADMIN"] = (Critical, "mount the host's file systems or cgroups and have the kernel run a program on the host"),
        ["CAP_SYS_MODULE"] = (Critical, "load code into the host's kernel"),
        ["CAP_SYS_RAWIO"] = (Critical, "write to the host's memory and disks"),
        ["CAP_DAC_READ_SEARCH"] = (High, "open any file of the host's by its handle (Shocker)"),
        ["CAP_SYS_PTRACE"] = (High, "take over any process it can see; with the host's pid namespace, any of the host's"),
        ["CAP_BPF"] = (High, "load programs into the host's kernel that see what others do"),
        ["CAP_PERFMON"] = (High, "watch the host's kernel and other containers"),
        ["CAP_SYS_BOOT"] = (High, "restart the host"),
        ["CAP_SYS_TIME"] = (Medium, "set the host's clock"),
        ["CAP_NET_ADMIN"] = (Medium, "reconfigure its network, and reach much of the kernel's network code"),
        ["CAP_MAC_ADMIN"] = (High, "change the host's mandatory access rules"),
        ["CAP_SYSLOG"] = (Medium, "read the host's kernel log and addresses"),
        ["CAP_NET_RAW"] = (Low, "forge packets on its network, to its neighbours"),
        ["CAP_MKNOD"] = (Low, "make device nodes, which only the device rules keep it from using"),
    };

    /// <summary>Engines' sockets: who may speak to one is root on the host.</summary>
    private static readonly string[] EngineSockets = ["docker.sock", "wherry.sock", "containerd.sock", "podman.sock", "crio.sock"];

    private static readonly string[] HostTrees = ["/", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/root", "/run", "/sbin", "/bin", "/sys", "/usr", "/var", "/var/lib", "/var/run", "/home"];

    public static IReadOnlyList<SecurityFinding> For(ContainerSecurity facts, HostConfig host, ContainerConfig config, IReadOnlyList<ResolvedMount> mounts)
    {
        SecurityFinding[] found =
        [
            .. Privileged(host), .. Mounts(mounts), .. Capabilities(facts, host), .. Namespaces(facts), .. Filters(facts, host),
            .. Devices(facts, host), .. Identity(facts, config), .. Limits(host), .. Files(facts, host),
        ];
        return [.. found.OrderBy(finding => Array.IndexOf(Grades, finding.Grade))];
    }

    private static IEnumerable<SecurityFinding> Privileged(HostConfig host)
    {
        if (host.Privileged)
        {
            yield return new(Critical, "privileged", "use the host's disks and kernel directly: every device, every capability, no filter", "leave out --privileged; give what is needed with --cap-add and --device");
        }
    }

    private static IEnumerable<SecurityFinding> Mounts(IReadOnlyList<ResolvedMount> mounts)
    {
        foreach (var mount in mounts.Where(mount => mount.Type == MountType.Bind))
        {
            var source = mount.Source is { Length: > 1 } path ? path.TrimEnd('/') : mount.Source ?? "";
            var access = mount.ReadOnly ? "read" : "write";
            if (EngineSockets.Contains(Path.GetFileName(source)) || (source is "/run" or "/var/run" or "/"))
            {
                yield return new(Critical, $"{source} on {mount.Destination}", "have the engine start a container that is root on the host", $"leave out -v {source}:{mount.Destination}");
            }
            else if (HostTrees.Contains(source))
            {
                yield return new(mount.ReadOnly ? High : Critical, $"{source} on {mount.Destination}", $"{access} the host's own files", mount.ReadOnly ? $"mount only the directory that is needed instead of {source}" : $"-v {source}:{mount.Destination}:ro, or only the directory that is needed");
            }
            else if (!mount.ReadOnly)
            {
                yield return new(Medium, $"{source} on {mount.Destination}", "change files that programs on the host may trust", $"-v {source}:{mount.Destination}:ro, or a named volume");
            }

            if (mount.Propagation is "shared" or "rshared")
            {
                yield return new(High, $"{mount.Destination} propagates mounts", "mount over what the host has below that directory", "leave out the propagation option");
            }
        }
    }

    private static IEnumerable<SecurityFinding> Capabilities(ContainerSecurity facts, HostConfig host)
    {
        var isHosts = facts.Namespaces.Contains(new NamespaceState("user", "host"));
        foreach (var name in facts.Capabilities)
        {
            if (DangerousCapabilities.TryGetValue(name, out var danger) && !host.Privileged)
            {
                if (!isHosts)
                {
                    // There it counts for what belongs to the user namespace alone (user_namespaces(7)).
                    yield return new(danger.Grade is Critical or High ? Medium : Low, name, "reach code of the kernel that is closed to others, but nothing of the host's by right", $"--cap-drop {name["CAP_".Length..]}");
                    continue;
                }

                yield return new(danger.Grade, name, danger.Attack, $"--cap-drop {name["CAP_".Length..]}");
            }
        }
    }

    private static IEnumerable<SecurityFinding> Namespaces(ContainerSecurity facts)
    {
        foreach (var (type, grade, attack, option) in new[]
        {
            ("pid", High, "see the host's processes and their environments, and signal those of its user", "--pid"),
            ("net", High, "reach services that listen on the host's loopback, and the abstract sockets of its daemons", "--network"),
            ("ipc", Medium, "read and write shared memory of the host's programs", "--ipc"),
        })
        {
            if (facts.Namespaces.Contains(new NamespaceState(type, "host")))
            {
                yield return new(grade, $"the host's {type} namespace", attack, $"leave out {option} host");
            }
        }

        foreach (var shared in facts.Namespaces.Where(ns => ns.SharedWith is not null && ns.Type is "pid" or "ipc"))
        {
            var others = string.Join(", ", shared.SharedWith!);
            yield return shared.Type == "pid"
                ? new(Medium, $"the pid namespace is shared with {others}", "see the others' processes and environments, and signal those of its user", $"leave out --pid container:{shared.SharedWith![0]}")
                : new(Low, $"the ipc namespace is shared with {others}", "read and write the others' shared memory", $"leave out --ipc container:{shared.SharedWith![0]}");
        }

        if (facts.Namespaces.Contains(new NamespaceState("user", "host")) && facts.User is null or ['0', ':', ..])
        {
            yield return new(Medium, "root is the host's root", "after any other way out, be root on the host at once", "--userns auto, or -u with a user of the image's");
        }
    }

    private static IEnumerable<SecurityFinding> Filters(ContainerSecurity facts, HostConfig host)
    {
        if (facts.Seccomp == "none" && !host.Privileged)
        {
            yield return new(High, "no system call filter", "try the kernel's least used calls, where most of its holes are found", "leave out --security-opt seccomp=unconfined");
        }

        if (facts.AppArmor == AppArmorKernel.Unconfined && !host.Privileged)
        {
            yield return new(
                Medium,
                "no AppArmor profile, where the kernel has AppArmor",
                "with a capability too many, mount, trace, or write to the kernel's files unhindered",
                host.SecurityOpt?.Any(option => option.StartsWith("apparmor", StringComparison.Ordinal)) is true ? "leave out --security-opt apparmor=unconfined" : "install apparmor_parser (package apparmor) and restart wherryd");
        }
        else if (facts.AppArmor.EndsWith(" (complain)", StringComparison.Ordinal))
        {
            yield return new(Medium, "its AppArmor profile only complains", "do what the profile forbids: the kernel notes it and lets it pass", "aa-enforce the profile");
        }

        if (facts.MaskedPaths == 0 && !host.Privileged)
        {
            yield return new(High, "nothing of /proc and /sys is masked", "read the host's memory map and tune its kernel", "leave out --security-opt systempaths=unconfined");
        }
    }

    private static IEnumerable<SecurityFinding> Devices(ContainerSecurity facts, HostConfig host)
    {
        foreach (var device in host.Privileged ? [] : facts.Devices)
        {
            yield return new(High, $"device {device}", "reach the host's hardware and its driver directly", device.StartsWith('/') ? $"leave out --device {device}" : $"leave out --device-cgroup-rule '{device}'");
        }
    }

    private static IEnumerable<SecurityFinding> Identity(ContainerSecurity facts, ContainerConfig config)
    {
        var isRoot = facts.User is null ? config.User is "" or "root" or "0" : facts.User.StartsWith("0:", StringComparison.Ordinal);
        if (!facts.NoNewPrivileges)
        {
            yield return new(Low, "new privileges can be gained", isRoot ? "use set-user-ID programs of the image" : "become root in the container by a set-user-ID program", "--security-opt no-new-privileges");
        }
    }

    private static IEnumerable<SecurityFinding> Limits(HostConfig host)
    {
        if (host.Memory <= 0)
        {
            yield return new(Medium, "memory is not limited", "use up the host's memory", "-m 512m, say");
        }

        if (host.PidsLimit is not > 0)
        {
            yield return new(Medium, "processes are not limited", "use up the host's process ids (fork bomb)", "--pids-limit 512, say");
        }
    }

    private static IEnumerable<SecurityFinding> Files(ContainerSecurity facts, HostConfig host)
    {
        if (!facts.ReadonlyRootfs && !host.Privileged)
        {
            yield return new(Low, "the root file system can be written", "leave tools behind that last as long as the container", "--read-only --tmpfs /tmp");
        }
    }
}
