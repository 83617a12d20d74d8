using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Cgroups;
using Wherry.Linux.Files;
using Wherry.Linux.Mounts;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Mounts;

/// <summary>
/// Makes a bundle's mounts below its root. Every target is opened inside the root and mounted on by
/// descriptor, so no symbolic link of the image's leads a mount elsewhere.
/// </summary>
public sealed class ContainerMounts(RootDirectory root, BindSources sources, CgroupDirectories cgroup)
{
    public void Make(Mount mount)
    {
        var options = MountOptions.Of(mount);
        if (options.IsBind)
        {
            Bind(mount, options);
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

    private void Bind(Mount mount, MountOptions options)
    {
        var tree = sources.Of(mount);
        using var target = FileStatus.Of(tree).IsDirectory ? root.OpenOrMakeDirectory(mount.Destination) : root.OpenOrMakeFile(mount.Destination);
        var what = mount.Destination;
        if (options.SetRecursive != 0 || options.ClearRecursive != 0)
        {
            MountSyscalls.SetAttributes(tree, options.SetRecursive, options.ClearRecursive, MountFlags.None, recursive: true, what);
        }

        if (options.Set != 0 || options.Clear != 0)
        {
            MountSyscalls.SetAttributes(tree, options.Set, options.Clear, MountFlags.None, recursive: false, what);
        }

        var propagation = options.Propagation == 0 ? MountFlags.Private : options.Propagation;
        MountSyscalls.SetAttributes(tree, MountAttributes.None, MountAttributes.None, propagation, options.Propagation == 0 || options.PropagationRecursive, what);
        MountSyscalls.Attach(tree, target, what);
    }

    private void New(Mount mount, MountOptions options)
    {
        var type = mount.Type ?? throw WherryException.Invalid($"mount on {mount.Destination}: no type");
        using var target = root.OpenOrMakeDirectory(mount.Destination);
        using var made = NewFileSystem(type, mount.Source, options.FileSystem, options.Set);
        if (options.Propagation != 0)
        {
            MountSyscalls.SetAttributes(made, MountAttributes.None, MountAttributes.None, options.Propagation, recursive: false, mount.Destination);
        }

        MountSyscalls.Attach(made, target, mount.Destination);
    }
}
