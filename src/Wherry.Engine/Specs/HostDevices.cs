using Wherry.Api.Contracts.Containers;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Oci.Runtime;
using FileMode = Wherry.Linux.Files.FileMode;

namespace Wherry.Engine.Specs;

/// <summary>Looks at device nodes on the host: all of them for a privileged container, those named by <c>--device</c> otherwise.</summary>
public static class HostDevices
{
    private const string DeviceRoot = "/dev";
    private const int PermissionBits = 0xfff;

    /// <summary>Directories of the host's /dev that a container has of its own, or must not have.</summary>
    private static readonly string[] SkippedDirectories = ["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev"];

    /// <exception cref="WherryException">InvalidParameter: a device asked for does not exist or is none.</exception>
    public static IReadOnlyList<GrantedDevice> Resolve(HostConfig host)
    {
        if (host.Privileged)
        {
            return [.. Below(DeviceRoot, DeviceRoot).Select(node => new GrantedDevice(node, "rwm"))];
        }

        return [.. (host.Devices ?? []).SelectMany(Map)];
    }

    private static IEnumerable<GrantedDevice> Map(DeviceMapping mapping)
    {
        var source = mapping.PathOnHost;
        var target = mapping.PathInContainer.Length > 0 ? mapping.PathInContainer : source;
        var access = mapping.CgroupPermissions.Length > 0 ? mapping.CgroupPermissions : "rwm";
        var status = StatusBehindLinks(source);
        if (status.IsDirectory)
        {
            return Below(source, target).Select(node => new GrantedDevice(node, access));
        }

        return NodeOf(status, target) is { } device
            ? [new GrantedDevice(device, access)]
            : throw WherryException.Invalid($"error gathering device information while adding custom device \"{source}\": not a device node");
    }

    private static FileStatus StatusBehindLinks(string path)
    {
        try
        {
            // A path alone: opening a device for good can have effects of its own.
            using var file = FileSyscalls.Open(path, OpenFlags.PathOnly);
            return FileStatus.Of(file);
        }
        catch (LinuxException failure)
        {
            throw WherryException.Invalid($"error gathering device information while adding custom device \"{path}\": {Errno.Describe(failure.ErrorNumber)}", failure);
        }
    }

    private static IEnumerable<Device> Below(string directory, string target)
    {
        var entries = TryList(directory);
        foreach (var entry in entries.Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileName(entry);
            var inside = target + "/" + name;

            // Links are not followed: what they point to is found by itself, and loops can't catch us.
            if (FileStatus.At(null, entry) is not { } status)
            {
                continue;
            }

            if (status.IsDirectory)
            {
                foreach (var device in SkippedDirectories.Contains(name) ? [] : Below(entry, inside))
                {
                    yield return device;
                }
            }
            else if (inside != "/dev/console" && NodeOf(status, inside) is { } device)
            {
                yield return device;
            }
        }
    }

    private static string[] TryList(string directory)
    {
        try
        {
            return Directory.GetFileSystemEntries(directory);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // Gone meanwhile, or not ours to read: a device that can't be seen can't be given.
            return [];
        }
    }

    private static Device? NodeOf(FileStatus status, string path) => status.Type is FileMode.CharacterDevice or FileMode.BlockDevice
        ? new Device
        {
            Path = path,
            Type = status.Type == FileMode.BlockDevice ? "b" : "c",
            Major = status.DeviceMajor,
            Minor = status.DeviceMinor,
            FileMode = (uint)(status.Mode & PermissionBits),
            Uid = status.Uid,
            Gid = status.Gid,
        }
        : null;
}
