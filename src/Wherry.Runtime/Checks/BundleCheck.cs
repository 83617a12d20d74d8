using Wherry.Errors;
using Wherry.Linux.Processes;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Bundles;
using Wherry.Runtime.Mounts;
using Wherry.Runtime.Programs;
using Wherry.Runtime.Stages;

namespace Wherry.Runtime.Checks;

/// <summary>
/// Looks a bundle's configuration through before anything is made for it: what contradicts itself, is unknown, or
/// is more than this kernel has, is refused here, naming the property.
/// </summary>
public static class BundleCheck
{
    private const int LongestHostname = 64;
    private const int LongestInterface = 15;
    private const long MostIds = 1L << 32;

    /// <exception cref="WherryException">The configuration can't be carried out.</exception>
    public static void Require(Bundle bundle)
    {
        var linux = bundle.Linux;
        if (bundle.RootPath.Contains('\0'))
        {
            throw WherryException.Invalid("root.path: a null character is not allowed in a path");
        }

        Namespaces(linux);
        UserNamespaceMappings(linux);
        MappedUser(bundle);
        TimeOffsets(linux);
        Name(bundle.Spec.Hostname, "hostname");
        Name(bundle.Spec.Domainname, "domainname");
        Program(bundle.Process, linux);
        foreach (var mount in bundle.Spec.Mounts)
        {
            Mount(mount);
        }

        if (linux.RootfsPropagation is { Length: > 0 } propagation)
        {
            RootFilesystem.PropagationOf(propagation);
        }

        Sysctls.Require(linux.Sysctl, linux.Namespaces);
        NetDevices(linux);
        if (linux.IntelRdt is not null)
        {
            throw WherryException.Unsupported("linux.intelRdt: this runtime does not manage Intel's resource director (resctrl)");
        }

        if (!string.IsNullOrEmpty(linux.MountLabel))
        {
            SecurityModules.RequireSelinux("linux.mountLabel");
        }

        Hooks(bundle.Spec.Hooks);
        ResourcesCheck.Require(linux.Resources);
        ResourcesCheck.RequireControllers(linux.Resources, linux.CgroupsPath);
        DeviceCheck(linux.Devices);
    }

    private static void Namespaces(LinuxConfig linux)
    {
        var seen = CloneFlags.None;
        foreach (var ns in linux.Namespaces)
        {
            var flag = NamespaceKinds.FlagOf(ns.Type);
            if ((seen & flag) != 0)
            {
                throw WherryException.Invalid($"linux.namespaces: \"{ns.Type}\" is there twice");
            }

            seen |= flag;
            if (!string.IsNullOrEmpty(ns.Path) && !ns.Path.StartsWith('/'))
            {
                throw WherryException.Invalid($"linux.namespaces: the path of \"{ns.Type}\", {ns.Path}, is not absolute");
            }

            // The five every kernel we run on has are not asked for.
            if (flag is CloneFlags.NewTime or CloneFlags.NewUser or CloneFlags.NewCgroup && !File.Exists("/proc/self/ns/" + NamespaceKinds.FileOf(ns.Type)))
            {
                throw WherryException.Unsupported($"linux.namespaces: this kernel has no {ns.Type} namespaces");
            }
        }

        if ((seen & CloneFlags.NewMount) == 0)
        {
            throw WherryException.Invalid("linux.namespaces: a container needs a mount namespace; without one its mounts would be made on the host");
        }
    }

    private static void UserNamespaceMappings(LinuxConfig linux)
    {
        var user = NamespaceKinds.Find(linux.Namespaces, "user");
        var mapped = linux.UidMappings.Count + linux.GidMappings.Count > 0;
        if (user is null || !string.IsNullOrEmpty(user.Path))
        {
            if (mapped && user is null)
            {
                throw WherryException.Invalid("linux.uidMappings: there are mappings, but no user namespace for them");
            }

            return;
        }

        Mappings(linux.UidMappings, "linux.uidMappings", rootNeeded: true);
        Mappings(linux.GidMappings, "linux.gidMappings", rootNeeded: true);
    }

    // Where the user is a name it is looked up later, in the container's own files.
    private static void MappedUser(Bundle bundle)
    {
        if (bundle.Options.User is not null || NamespaceKinds.Find(bundle.Linux.Namespaces, "user") is not { Path: null or "" })
        {
            return;
        }

        var user = bundle.Process.User;
        Mapped(user.Uid, bundle.Linux.UidMappings, "process.user.uid", "linux.uidMappings");
        Mapped(user.Gid, bundle.Linux.GidMappings, "process.user.gid", "linux.gidMappings");
        foreach (var gid in user.AdditionalGids)
        {
            Mapped(gid, bundle.Linux.GidMappings, "process.user.additionalGids", "linux.gidMappings");
        }
    }

    private static void Mapped(uint id, IReadOnlyList<IdMapping> mappings, string property, string where)
    {
        if (IdMappings.HostId(mappings, id) is null)
        {
            throw WherryException.Invalid($"{property}: {id} does not exist in the container, it is not among {where}");
        }
    }

    private static void Mappings(IReadOnlyList<IdMapping> mappings, string property, bool rootNeeded)
    {
        if (mappings.Count is 0 or > UserNamespace.MostRanges)
        {
            throw WherryException.Invalid($"{property}: between one and {UserNamespace.MostRanges} mappings are needed, {mappings.Count} are there");
        }

        foreach (var mapping in mappings)
        {
            if (mapping.Size == 0 || (long)mapping.ContainerID + mapping.Size > MostIds || (long)mapping.HostID + mapping.Size > MostIds)
            {
                throw WherryException.Invalid($"{property}: {mapping.Size} ids from {mapping.ContainerID} (on the host {mapping.HostID}) are not a range of ids");
            }
        }

        if (rootNeeded && IdMappings.HostId(mappings, 0) is null)
        {
            throw WherryException.Invalid($"{property}: the id 0 has to be mapped, for whoever sets the container up");
        }
    }

    private static void TimeOffsets(LinuxConfig linux)
    {
        if (linux.TimeOffsets is not { Count: > 0 } offsets)
        {
            return;
        }

        if (NamespaceKinds.Find(linux.Namespaces, "time") is not { Path: null or "" })
        {
            throw WherryException.Invalid("linux.timeOffsets: only a new time namespace can have offsets");
        }

        foreach (var (clock, offset) in offsets)
        {
            if (clock is not ("monotonic" or "boottime"))
            {
                throw WherryException.Invalid($"linux.timeOffsets: unknown clock \"{clock}\"");
            }

            if (offset.Nanosecs >= 1_000_000_000)
            {
                throw WherryException.Invalid($"linux.timeOffsets.{clock}.nanosecs: {offset.Nanosecs} is a second or more");
            }
        }
    }

    private static void Name(string? name, string property)
    {
        if (name is not null && System.Text.Encoding.UTF8.GetByteCount(name) > LongestHostname)
        {
            throw WherryException.Invalid($"{property}: longer than {LongestHostname} bytes");
        }
    }

    private static void Program(Process process, LinuxConfig linux)
    {
        ProgramCheck.Require(process);
        _ = ProgramAttributes.Of(process, linux);
    }

    private static void Mount(Mount mount)
    {
        if (mount.Destination.Length == 0)
        {
            throw WherryException.Invalid("mounts: one has no destination");
        }

        _ = MountOptions.Of(mount);
        if (mount.UidMappings.Count > 0 || mount.GidMappings.Count > 0)
        {
            Mappings(mount.UidMappings, $"mount on {mount.Destination}: uidMappings", rootNeeded: false);
            Mappings(mount.GidMappings, $"mount on {mount.Destination}: gidMappings", rootNeeded: false);
        }
    }

    private static void NetDevices(LinuxConfig linux)
    {
        foreach (var (name, device) in linux.NetDevices ?? new Dictionary<string, NetDevice>())
        {
            if (NamespaceKinds.Find(linux.Namespaces, "network") is null)
            {
                throw WherryException.Invalid($"linux.netDevices: {name} can't be moved, the container shares the host's network namespace");
            }

            foreach (var each in (ReadOnlySpan<string>)[name, device.Name ?? name])
            {
                if (each.Length is 0 or > LongestInterface || each is "." or ".." || each.AsSpan().IndexOfAny("/: \t\n\0") >= 0)
                {
                    throw WherryException.Invalid($"linux.netDevices: \"{each}\" is not an interface's name");
                }
            }
        }
    }

    private static void Hooks(Hooks? hooks)
    {
        if (hooks is null)
        {
            return;
        }

        foreach (var hook in hooks.Prestart.Concat(hooks.CreateRuntime).Concat(hooks.CreateContainer).Concat(hooks.StartContainer).Concat(hooks.Poststart).Concat(hooks.Poststop))
        {
            if (!hook.Path.StartsWith('/'))
            {
                throw WherryException.Invalid($"hooks: the path \"{hook.Path}\" is not absolute");
            }

            if (hook.Timeout <= 0)
            {
                throw WherryException.Invalid($"hooks: {hook.Path} has a timeout of {hook.Timeout} seconds");
            }
        }
    }

    private static void DeviceCheck(IReadOnlyList<Device> devices)
    {
        foreach (var device in devices)
        {
            if (!device.Path.StartsWith('/') || device.Type is not ("c" or "u" or "b" or "p"))
            {
                throw WherryException.Invalid($"linux.devices: \"{device.Path}\" of type \"{device.Type}\" is not a device");
            }

            if (device.Major is < 0 or > 0xfff || device.Minor is < 0 or > 0xfffff)
            {
                throw WherryException.Invalid($"linux.devices: {device.Path} has the number {device.Major}:{device.Minor}, which no device has");
            }
        }
    }
}
