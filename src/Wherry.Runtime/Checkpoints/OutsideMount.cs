using System.Globalization;
using Wherry.Errors;
using Wherry.Linux.Cgroups;
using Wherry.Linux.Files;
using Wherry.Linux.Mounts;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Mounts;
using FileMode = Wherry.Linux.Files.FileMode;

namespace Wherry.Runtime.Checkpoints;

/// <summary>A mount in a container that shows what is the host's, and is mounted anew by a restore.</summary>
/// <param name="Point">Where it is in the container; CRIU knows it by that name.</param>
/// <param name="Kind"><see cref="Bind"/>, <see cref="Cgroup"/> or <see cref="Device"/>.</param>
/// <param name="Of">The bind's destination in the configuration; the cgroup's v1 controller, empty for v2; the host's device.</param>
/// <param name="Below">Where below the bind's source; empty for the source itself.</param>
public sealed record OutsideMount(string Point, string Kind, string Of, string Below)
{
    public const string Bind = "bind";
    public const string Cgroup = "cgroup";

    /// <summary>A device of the host's that no configuration names: who may make no nodes binds those (<see cref="DeviceNodes"/>).</summary>
    public const string Device = "device";

    private const string HostsDevices = "/dev/";

    /// <summary>Finds a container's: its binds with what they took along, its cgroups and devices. What else is mounted in it is its own.</summary>
    /// <param name="pid">Its first process.</param>
    /// <param name="spec">Its configuration.</param>
    /// <param name="cgroup">Its cgroup.</param>
    public static IReadOnlyList<OutsideMount> Find(int pid, Spec spec, CgroupDirectories cgroup)
    {
        var table = MountTable.Of(pid).ToDictionary(mount => mount.Id);
        var hosts = MountTable.Of(Environment.ProcessId).ToLookup(mount => (mount.Major, mount.Minor));
        var binds = new Dictionary<ulong, string>();
        using var root = RootDirectory.Open($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/root");
        foreach (var mount in Binds(spec))
        {
            using var target = root.TryOpen(mount.Destination, OpenFlags.PathOnly);
            if (target is not null)
            {
                binds[FileStatus.Of(target).MountId] = mount.Destination;
            }
        }

        var found = new List<OutsideMount>();
        foreach (var mount in table.Values)
        {
            if (mount.Type is "cgroup" or "cgroup2")
            {
                found.Add(new OutsideMount(mount.Point, Cgroup, ControllerOf(mount, cgroup), ""));
            }
            else if (binds.TryGetValue(mount.Id, out var destination))
            {
                found.Add(new OutsideMount(mount.Point, Bind, destination, ""));
            }
            else if (hosts.Contains((mount.Major, mount.Minor)) && Above(mount, table, binds) is { } above)
            {
                found.Add(new OutsideMount(mount.Point, Bind, binds[above.Id], mount.Point[above.Point.Length..]));
            }
            else if (DeviceOf(mount, hosts[(mount.Major, mount.Minor)]) is { } device)
            {
                found.Add(new OutsideMount(mount.Point, Device, device, ""));
            }
        }

        return found;
    }

    /// <summary>A configuration's binds that are mounts of their own.</summary>
    public static IEnumerable<Mount> Binds(Spec spec) => spec.Mounts.Where(mount => MountOptions.Of(mount) is { IsBind: true, IsRemount: false });

    /// <summary>Where on the host that is which it shows now.</summary>
    /// <param name="spec">The restored container's configuration.</param>
    /// <param name="bundle">Its bundle's directory.</param>
    /// <param name="cgroup">Its cgroup.</param>
    /// <exception cref="WherryException">There is no such thing.</exception>
    public string SourceIn(Spec spec, string bundle, CgroupDirectories cgroup)
    {
        if (Kind == Cgroup)
        {
            return (Of.Length == 0 ? cgroup.Unified : cgroup.V1(Of))
                ?? throw WherryException.Unsupported($"mount on {Point}: this host has no cgroup {(Of.Length == 0 ? "v2 tree" : $"v1 tree of \"{Of}\"")} as the checkpoint's had");
        }

        if (Kind == Device)
        {
            return IsDevice(Of) ? Of : throw WherryException.Unsupported($"mount on {Point}: this host has no device {Of}, which was mounted there");
        }

        var mount = Binds(spec).LastOrDefault(mount => mount.Destination == Of)
            ?? throw WherryException.Invalid($"mount on {Of}: the checkpoint is of a container that had a bind there; the bundle has none");
        var source = Path.GetFullPath(Path.Combine(bundle, mount.Source ?? throw WherryException.Invalid($"mount on {Of}: a bind needs a source")));
        if (!File.Exists(source) && !Directory.Exists(source))
        {
            throw WherryException.Invalid($"mount on {Of}: bind source path does not exist: {source}");
        }

        return Below.Length == 0 ? source : SourceBelow(source);
    }

    // Who wrote into the source may have put a link there that leads out of it.
    private string SourceBelow(string source)
    {
        using var root = RootDirectory.Open(source);
        return Below.StartsWith('/') && !Below.Split('/').Contains("..") && root.LeadsThroughNoLink(Below)
            ? source + Below
            : throw WherryException.Invalid($"mount on {Point}: {source} has no {Below}, which was mounted there");
    }

    // Where the host shows the same file; what covers a masked path is such a device, too.
    private static string? DeviceOf(MountEntry mount, IEnumerable<MountEntry> hosts) => hosts
        .Where(host => host.Root == "/" && mount.Root.StartsWith('/'))
        .Select(host => host.Point.TrimEnd('/') + mount.Root)
        .FirstOrDefault(IsDevice);

    // A record may come from anywhere; more than the host's devices it is not to give away.
    private static bool IsDevice(string path) =>
        path.StartsWith(HostsDevices, StringComparison.Ordinal) && path == Path.GetFullPath(path)
        && FileStatus.At(null, path) is { Type: FileMode.CharacterDevice or FileMode.BlockDevice };

    private static MountEntry? Above(MountEntry mount, Dictionary<ulong, MountEntry> table, Dictionary<ulong, string> binds)
    {
        while (table.TryGetValue(mount.Parent, out var parent) && parent.Id != mount.Id)
        {
            if (binds.ContainsKey(parent.Id))
            {
                return parent;
            }

            mount = parent;
        }

        return null;
    }

    private static string ControllerOf(MountEntry mount, CgroupDirectories cgroup)
    {
        foreach (var (controller, directory) in cgroup.AllV1)
        {
            if (FileStatus.At(null, directory) is { } status && (status.OnMajor, status.OnMinor) == (mount.Major, mount.Minor))
            {
                return controller;
            }
        }

        return mount.Type == "cgroup2"
            ? ""
            : throw WherryException.Unsupported($"mount on {mount.Point}: checkpoint does not work with it: it shows a cgroup tree that is not the container's");
    }
}
