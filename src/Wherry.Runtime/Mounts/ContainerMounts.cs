using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Cgroups;
using Wherry.Linux.Files;
using Wherry.Linux.Mounts;
using Wherry.Linux.Processes;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Mounts;

/// <summary>
/// Makes a bundle's mounts below its root. Every target is opened inside the root and mounted on by
/// descriptor, so no symbolic link of the image's leads a mount elsewhere.
/// </summary>
/// <param name="root">Where they go.</param>
/// <param name="sources">Of the binds.</param>
/// <param name="cgroup">The container's, shown by mounts of type cgroup.</param>
/// <param name="owners">For id-mapped mounts.</param>
/// <param name="label">SELinux's label for new file systems; null for none.</param>
public sealed class ContainerMounts(RootDirectory root, BindSources sources, CgroupDirectories cgroup, MappedOwners owners, string? label) : IDisposable
{
    private readonly List<(FileDescriptor Mount, string Destination)> _readOnlyLater = [];

    public void Make(Mount mount)
    {
        var options = MountOptions.Of(mount);
        if (options.IsRemount)
        {
            Remount(mount, options);
        }
        else if (options.IsBind)
        {
            Bind(mount);
        }
        else if (mount.Type == "cgroup")
        {
            new CgroupMounts(root, cgroup).Make(mount.Destination, options);
        }
        else
        {
            New(mount, options);
        }
    }

    /// <summary>
    /// Makes those tmpfs read-only that are to be: once all is in them that the container is to find there, such as what
    /// other mounts lie on and a /dev's nodes.
    /// </summary>
    public void MakeReadOnly()
    {
        foreach (var (mount, destination) in _readOnlyLater)
        {
            MountSyscalls.SetAttributes(mount, MountAttributes.ReadOnly, MountAttributes.None, MountFlags.None, recursive: false, destination);
        }
    }

    public void Dispose()
    {
        foreach (var (mount, _) in _readOnlyLater)
        {
            mount.Dispose();
        }
    }

    /// <summary>A new file system as a detached mount.</summary>
    /// <param name="type">The file system's type.</param>
    /// <param name="source">What the mount table shows as its source.</param>
    /// <param name="options">Its own options, <c>name=value</c> or a name.</param>
    /// <param name="attributes">Of the mount.</param>
    public static FileDescriptor NewFileSystem(string type, string? source, IReadOnlyList<string> options, MountAttributes attributes)
    {
        var opened = MountSyscalls.TryOpenFileSystem(type);
        if (opened == -Errno.ENODEV)
        {
            throw WherryException.Unsupported($"this kernel has no file system \"{type}\"");
        }

        if (opened < 0)
        {
            throw new LinuxException($"begin a mount of type {type}", -opened);
        }

        using var context = new FileDescriptor(opened);
        if (!string.IsNullOrEmpty(source))
        {
            MountSyscalls.TryConfigure(context, "source", source);
        }

        foreach (var option in options)
        {
            var equals = option.IndexOf('=');
            var result = MountSyscalls.TryConfigure(context, equals < 0 ? option : option[..equals], equals < 0 ? null : option[(equals + 1)..]);
            if (result < 0)
            {
                throw new LinuxException($"mount {type}: option \"{option}\"", -result);
            }
        }

        return MountSyscalls.CreateMount(context, attributes, type);
    }

    private void Bind(Mount mount)
    {
        var tree = sources.Of(mount);
        using var target = FileStatus.Of(tree).IsDirectory ? root.OpenOrMakeDirectory(mount.Destination) : root.OpenOrMakeFile(mount.Destination);
        MountSyscalls.Attach(tree, target, mount.Destination);
    }

    private void New(Mount mount, MountOptions options)
    {
        var type = mount.Type ?? throw WherryException.Invalid($"mount on {mount.Destination}: no type");
        using var target = OpenTarget(mount.Destination, type);
        var attributes = options.Set | options.SetRecursive;
        var readOnlyLater = type == "tmpfs" && (attributes & MountAttributes.ReadOnly) != 0;
        using var made = NewOrHosts(type, mount, options, readOnlyLater ? attributes & ~MountAttributes.ReadOnly : attributes);
        if (made is null)
        {
            return;
        }

        owners.Apply(made, mount, options);
        if (options.Propagation != 0)
        {
            MountSyscalls.SetAttributes(made, MountAttributes.None, MountAttributes.None, options.Propagation, recursive: false, mount.Destination);
        }

        if (options.CopiesUp)
        {
            Fill(made, mount.Destination);
        }

        MountSyscalls.Attach(made, target, mount.Destination);
        if (readOnlyLater)
        {
            _readOnlyLater.Add((FileSyscalls.Duplicate(made), mount.Destination));
        }
    }

    // What shows a namespace (of networks, processes, queues) is mounted by those who own the namespace. Who shares the
    // host's without being its root is shown the host's own mount, or nothing where the host has none.
    private FileDescriptor? NewOrHosts(string type, Mount mount, MountOptions options, MountAttributes attributes)
    {
        try
        {
            return NewFileSystem(type, mount.Source, WithLabel(type, options.FileSystem), attributes);
        }
        catch (LinuxException e) when (e.ErrorNumber == Errno.EPERM && UserNamespace.IsInside && HostsMount(type) is { } place)
        {
            if (!Directory.Exists(place))
            {
                return null;
            }

            var tree = MountSyscalls.CloneTree(place, recursive: true);
            try
            {
                MountSyscalls.SetAttributes(tree, attributes, MountAttributes.None, MountFlags.Private, recursive: true, mount.Destination);
                return tree;
            }
            catch
            {
                tree.Dispose();
                throw;
            }
        }
    }

    private static string? HostsMount(string type) => type switch
    {
        "proc" => "/proc",
        "sysfs" => "/sys",
        "mqueue" => "/dev/mqueue",
        _ => null,
    };

    // Later steps look for what they cover and write in /proc and /sys: these are where their names say, or nowhere.
    private FileDescriptor OpenTarget(string destination, string type)
    {
        var target = root.OpenOrMakeDirectory(destination);
        if (type is not ("proc" or "sysfs"))
        {
            return target;
        }

        target.Dispose();
        return root.TryOpenWithoutLinks(destination) ?? throw WherryException.Invalid($"mount on {destination}: {type} must be mounted on ordinary directory, not through a symbolic link");
    }

    private void Fill(FileDescriptor tmpfs, string destination)
    {
        using var source = root.TryOpen(destination, OpenFlags.ReadOnly | OpenFlags.Directory);
        if (source is not null)
        {
            using var top = FileSyscalls.OpenAt(tmpfs, ".", OpenFlags.ReadOnly | OpenFlags.Directory, ResolveFlags.Beneath);
            CopyUp.Copy(source, top);
        }
    }

    private IReadOnlyList<string> WithLabel(string type, IReadOnlyList<string> options) =>
        string.IsNullOrEmpty(label) || type is not ("tmpfs" or "devpts" or "mqueue" or "ramfs") || options.Any(option => option.StartsWith("context=", StringComparison.Ordinal))
            ? options
            : [.. options, "context=" + label];

    private void Remount(Mount mount, MountOptions options)
    {
        using var target = root.TryOpen(mount.Destination, OpenFlags.PathOnly)
            ?? throw WherryException.Invalid($"mount on {mount.Destination}: nothing is there to be remounted");
        if (!options.IsBind && options.FileSystem.Count > 0)
        {
            var flags = MountFlags.Remount | (MountFlags)(ulong)(options.Set & (MountAttributes.ReadOnly | MountAttributes.NoSuid | MountAttributes.NoDev | MountAttributes.NoExec));
            MountSyscalls.Mount(null, FileSyscalls.ProcPath(target), null, flags, string.Join(',', options.FileSystem));
        }

        MountSyscalls.SetAttributes(target, options.Set, options.Clear, options.Propagation, recursive: false, mount.Destination);
        if (options.SetRecursive != 0 || options.ClearRecursive != 0)
        {
            MountSyscalls.SetAttributes(target, options.SetRecursive, options.ClearRecursive, MountFlags.None, recursive: true, mount.Destination);
        }
    }
}
