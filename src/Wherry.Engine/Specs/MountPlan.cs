using System.Globalization;
using Wherry.Engine.Containers;
using Wherry.Engine.Volumes;
using Mount = Wherry.Oci.Runtime.Mount;

namespace Wherry.Engine.Specs;

/// <summary>The mounts below a container's root, in the order they are made.</summary>
internal static class MountPlan
{
    public const long DefaultShmSize = 64 * 1024 * 1024;

    /// <summary>Files the engine keeps for the container and changes while it lives.</summary>
    private static readonly (string Destination, string File)[] NetworkFiles =
        [("/etc/resolv.conf", "resolv.conf"), ("/etc/hostname", "hostname"), ("/etc/hosts", "hosts")];

    /// <summary>Stay writable in a container with a read-only root: programs can't do without.</summary>
    private static readonly string[] AlwaysWritable = ["/proc", "/dev", "/dev/shm", "/dev/mqueue", "/dev/pts"];

    /// <summary>Debian's number of the group tty, which no image seems to contradict.</summary>
    private static readonly string[] TerminalGroup = ["gid=5"];

    public static IReadOnlyList<Mount> Make(SpecInputs inputs)
    {
        var asked = inputs.Mounts.ToDictionary(mount => mount.Destination, mount => From(mount, inputs.Ids is not null), StringComparer.Ordinal);

        // Of the engine's own files, and of volumes, the owners on disk are those inside, whatever container has them.
        string[] owners = inputs.Ids is null ? [] : ["idmap"];
        var isDevAsked = asked.ContainsKey("/dev");
        var mounts = Defaults(inputs)
            .Where(mount => !asked.ContainsKey(mount.Destination)
                && !(isDevAsked && mount.Destination.StartsWith("/dev/", StringComparison.Ordinal)))
            .Select(mount => inputs.Host.ReadonlyRootfs && !AlwaysWritable.Contains(mount.Destination) ? WithReadOnly(mount) : mount);
        var files = NetworkFiles
            .Where(file => !asked.ContainsKey(file.Destination))
            .Select(file => Bind(Path.Combine(inputs.ContainerDirectory, file.File), file.Destination, ["rbind", "rprivate", .. owners]))
            .Select(mount => inputs.Host.ReadonlyRootfs ? WithReadOnly(mount) : mount);

        // The kernel's own first, then parents before children, the container's /etc files like any other.
        return [.. mounts, .. files.Concat(asked.Values).OrderBy(mount => MountPaths.Depth(mount.Destination))];
    }

    private static IEnumerable<Mount> Defaults(SpecInputs inputs)
    {
        var host = inputs.Host;
        string[] access = host.Privileged ? [] : ["ro"];
        yield return new Mount { Destination = "/proc", Type = "proc", Source = "proc", Options = ["nosuid", "noexec", "nodev"] };
        yield return new Mount { Destination = "/dev", Type = "tmpfs", Source = "tmpfs", Options = ["nosuid", "strictatime", "mode=755", "size=65536k"] };
        yield return new Mount
        {
            Destination = "/dev/pts",
            Type = "devpts",
            Source = "devpts",
            Options = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", .. inputs.HostFacts.HasRootAlone ? [] : TerminalGroup],
        };
        yield return new Mount { Destination = "/sys", Type = "sysfs", Source = "sysfs", Options = ["nosuid", "noexec", "nodev", .. access] };
        yield return new Mount { Destination = "/sys/fs/cgroup", Type = "cgroup", Source = "cgroup", Options = [.. access, "nosuid", "noexec", "nodev"] };

        // Message queues are those of the IPC namespace the mount is made in, whether or not the host has them mounted.
        // The host's can't be shown by the root of another user namespace; programs can use them without.
        if (host.IpcMode != "host" || inputs.Ids is null)
        {
            yield return new Mount { Destination = "/dev/mqueue", Type = "mqueue", Source = "mqueue", Options = ["nosuid", "noexec", "nodev"] };
        }

        if (host.IpcMode == "host" || Peer.NameIn(host.IpcMode) is not null)
        {
            yield return Bind("/dev/shm", "/dev/shm", ["rbind", "rprivate"]);
            yield break;
        }

        if (host.IpcMode != "none")
        {
            var size = host.ShmSize > 0 ? host.ShmSize : DefaultShmSize;
            yield return new Mount
            {
                Destination = "/dev/shm",
                Type = "tmpfs",
                Source = "shm",
                Options = ["nosuid", "noexec", "nodev", "mode=1777", "size=" + size.ToString(CultureInfo.InvariantCulture)],
            };
        }
    }

    private static Mount From(ResolvedMount mount, bool inUserNamespace)
    {
        if (mount.Type == MountType.Tmpfs)
        {
            return new Mount { Destination = mount.Destination, Type = "tmpfs", Source = "tmpfs", Options = mount.TmpfsOptions ?? [] };
        }

        var bind = Bind(
            mount.Source ?? throw new InvalidOperationException($"the volume at {mount.Destination} was not made"),
            mount.Destination,
            [mount.NonRecursive ? "bind" : "rbind", mount.Propagation ?? "rprivate", .. mount.HasMappedOwners(inUserNamespace) ? ["idmap"] : Array.Empty<string>()]);
        return mount.ReadOnly ? WithReadOnly(bind) : bind;
    }

    private static Mount Bind(string source, string destination, IReadOnlyList<string> options) =>
        new() { Destination = destination, Type = "bind", Source = source, Options = options };

    private static Mount WithReadOnly(Mount mount) =>
        mount.Options.Contains("ro") ? mount : mount with { Options = [.. mount.Options, "ro"] };
}
