using System.Globalization;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Mounts;
using Wherry.Oci.Runtime;
using FileMode = Wherry.Linux.Files.FileMode;

namespace Wherry.Runtime.Mounts;

/// <summary>Fills a container's /dev: the devices every container has (config-linux.md, "Default Devices"), those its bundle names, and the usual links.</summary>
public sealed class DeviceNodes(RootDirectory root)
{
    private const uint ReadWriteForAll = 0x1b6;

    // Of the kernel's description of a device (sysfs), the node's path below /dev.
    private const string NodeName = "DEVNAME=";

    private static readonly Device[] Defaults =
    [
        new() { Path = "/dev/null", Type = "c", Major = 1, Minor = 3 },
        new() { Path = "/dev/zero", Type = "c", Major = 1, Minor = 5 },
        new() { Path = "/dev/full", Type = "c", Major = 1, Minor = 7 },
        new() { Path = "/dev/random", Type = "c", Major = 1, Minor = 8 },
        new() { Path = "/dev/urandom", Type = "c", Major = 1, Minor = 9 },
        new() { Path = "/dev/tty", Type = "c", Major = 5, Minor = 0 },
    ];

    private static readonly (string Name, string Target)[] Links =
    [
        ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2"),
        ("core", "/proc/kcore"), ("ptmx", "pts/ptmx"),
    ];

    /// <summary>Makes the nodes and links. Where /dev is the host's own, bound, it is left as it is.</summary>
    public void Make(IReadOnlyList<Mount> mounts, IReadOnlyList<Device> devices)
    {
        if (mounts.Any(mount => mount.Destination.TrimEnd('/') == "/dev" && MountOptions.Of(mount).IsBind))
        {
            return;
        }

        foreach (var device in Defaults)
        {
            if (!devices.Any(asked => asked.Path == device.Path))
            {
                Make(device);
            }
        }

        foreach (var device in devices)
        {
            Make(device);
        }

        using var dev = root.OpenOrMakeDirectory("/dev");
        foreach (var (name, target) in Links)
        {
            var result = FileSyscalls.TryMakeSymbolicLink(target, dev, name);
            if (result is < 0 and not -Errno.EEXIST)
            {
                throw new LinuxException($"link /dev/{name} to {target}", -result);
            }
        }
    }

    /// <summary>Shows the container's terminal at /dev/console.</summary>
    public void BindConsole(FileDescriptor terminal)
    {
        root.OpenOrMakeFile("/dev/console").Dispose();

        // The image's link would have the terminal mounted over whatever it names (CVE-2025-52565). What is opened without
        // links is what is mounted on, so that one that is there for a moment only changes nothing.
        using var target = root.TryOpenWithoutLinks("/dev/console")
            ?? throw WherryException.Invalid("the container's /dev/console is a symbolic link, or lies behind one; a terminal needs it to be a file");
        using var mount = MountSyscalls.CloneTree(terminal, recursive: false);
        MountSyscalls.Attach(mount, target, "/dev/console");
    }

    private void Make(Device device)
    {
        var (directoryPath, name) = RootDirectory.Split(device.Path);
        using var directory = root.OpenOrMakeDirectory(directoryPath);
        var type = device.Type switch
        {
            "c" or "u" => FileMode.CharacterDevice,
            "b" => FileMode.BlockDevice,
            "p" => FileMode.Fifo,
            _ => throw WherryException.Invalid($"device {device.Path}: unknown type \"{device.Type}\""),
        };
        var permissions = (int)((device.FileMode ?? ReadWriteForAll) & 0xfff);
        var result = FileSyscalls.TryMakeNode(directory, name, type | permissions, (uint)device.Major, (uint)device.Minor);
        if (result == -Errno.EEXIST && IsSame(directory, name, type, device))
        {
            return;
        }

        if (result == -Errno.EPERM && type != FileMode.Fifo)
        {
            BindFromHost(device);
            return;
        }

        if (result < 0)
        {
            throw new LinuxException($"make the device {device.Path} ({device.Type} {device.Major}:{device.Minor})", -result);
        }

        using var node = FileSyscalls.OpenAt(directory, name, OpenFlags.PathOnly | OpenFlags.NoFollow, ResolveFlags.Beneath);
        FileSyscalls.SetOwner(node, device.Uid ?? 0, device.Gid ?? 0);
    }

    private static bool IsSame(FileDescriptor directory, string name, int type, Device device) =>
        FileStatus.At(directory, name) is { } status && status.Type == type
        && (type == FileMode.Fifo || (status.DeviceMajor == device.Major && status.DeviceMinor == device.Minor));

    // Who may not make nodes (in a user namespace, or on a nested host) can still show the host's own.
    private void BindFromHost(Device device)
    {
        using var host = FindOnHost(device)
            ?? throw WherryException.Unsupported($"linux.devices: {device.Path} ({device.Type} {device.Major}:{device.Minor}) can't be made here, where only the host's own nodes can be shown, and the host has none of that number");
        using var target = root.OpenOrMakeFile(device.Path);
        using var mount = MountSyscalls.CloneTree(host, recursive: false);
        MountSyscalls.Attach(mount, target, device.Path);
    }

    // Under the path it gets, as a rule; else where the kernel itself says that it puts a device of that number.
    private static FileDescriptor? FindOnHost(Device device)
    {
        if (TryOpenNode(device.Path, device) is { } same)
        {
            return same;
        }

        var attributes = FileSyscalls.TryReadText(string.Create(CultureInfo.InvariantCulture, $"/sys/dev/{(device.Type == "b" ? "block" : "char")}/{device.Major}:{device.Minor}/uevent")) ?? "";
        return attributes.Split('\n').FirstOrDefault(line => line.StartsWith(NodeName, StringComparison.Ordinal)) is { } line
            ? TryOpenNode("/dev/" + line[NodeName.Length..], device)
            : null;
    }

    private static FileDescriptor? TryOpenNode(string path, Device device)
    {
        var opened = FileSyscalls.TryOpen(FileSyscalls.WorkingDirectory, path, OpenFlags.PathOnly | OpenFlags.NoFollow, ResolveFlags.None);
        if (opened < 0)
        {
            return null;
        }

        var node = new FileDescriptor(opened);
        var status = FileStatus.Of(node);
        var type = device.Type == "b" ? FileMode.BlockDevice : FileMode.CharacterDevice;
        if (status.Type == type && status.DeviceMajor == device.Major && status.DeviceMinor == device.Minor)
        {
            return node;
        }

        node.Dispose();
        return null;
    }
}
