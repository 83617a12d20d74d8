using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Mounts;
using Wherry.Runtime.Contracts;

namespace Wherry.Runtime.Mounts;

/// <summary>Makes the container's root a mount of its own, and later the root itself.</summary>
public static class RootFilesystem
{
    private const string LayerOption = "lowerdir+";

    /// <summary>
    /// Cuts this mount namespace's changes off from the host's, mounts what makes up the root, and opens it.
    /// </summary>
    /// <param name="path">Where the root is mounted; a directory on the host.</param>
    /// <param name="parts">Mounts that make it up; none if the directory has all in it.</param>
    /// <param name="propagation">Runtime-spec's rootfsPropagation.</param>
    public static RootDirectory Mount(string path, IReadOnlyList<RootfsMount> parts, string? propagation)
    {
        MountSyscalls.Mount(null, "/", null, MountFlags.Recursive | PropagationOf(propagation), null);
        if (parts.Count == 0)
        {
            AttachAt(path, MountSyscalls.CloneTree(path, recursive: true), path);
        }

        foreach (var part in parts)
        {
            AttachAt(path, Make(part), "the root file system");
        }

        return RootDirectory.Open(path);
    }

    /// <summary>Makes the root the root; nothing of the host's tree is reachable by path afterwards.</summary>
    public static void Enter(RootDirectory root)
    {
        FileSyscalls.ChangeDirectory(root.Descriptor);
        MountSyscalls.PivotToWorkingDirectory();
        MountSyscalls.UnmountDetached(".");
        var result = FileSyscalls.TryChangeDirectory("/");
        if (result < 0)
        {
            throw new LinuxException("enter the root", -result);
        }
    }

    private static MountFlags PropagationOf(string? propagation) => propagation switch
    {
        null or "" or "slave" or "rslave" => MountFlags.Slave,
        "private" or "rprivate" => MountFlags.Private,

        // pivot_root refuses a shared root, and a bind asked to be shared is so by its own option.
        "shared" or "rshared" or "unbindable" or "runbindable" => throw WherryException.Unsupported($"root file system propagation \"{propagation}\" is not supported"),
        _ => throw WherryException.Invalid($"unknown root file system propagation \"{propagation}\""),
    };

    private static FileDescriptor Make(RootfsMount part) => part.Type switch
    {
        "bind" => MountSyscalls.CloneTree(part.LowerDirectories[0], recursive: true),
        "overlay" => Overlay(part),
        _ => throw WherryException.Unsupported($"root file system of type \"{part.Type}\" is not supported"),
    };

    private static void AttachAt(string path, FileDescriptor mount, string what)
    {
        using (mount)
        using (var target = FileSyscalls.Open(path, OpenFlags.PathOnly | OpenFlags.Directory))
        {
            MountSyscalls.SetAttributes(mount, MountAttributes.None, MountAttributes.None, MountFlags.Private, recursive: false, what);
            MountSyscalls.Attach(mount, target, what);
        }
    }

    private static FileDescriptor Overlay(RootfsMount part)
    {
        if (part.LowerDirectories.Count == 0)
        {
            throw WherryException.Invalid("an overlay needs at least one lower directory");
        }

        using var context = OpenOverlay();
        if (!TryAddLayers(context, part.LowerDirectories))
        {
            return OverlayByClassicOptions(part);
        }

        if (part.UpperDirectory is not null)
        {
            Configure(context, "upperdir", part.UpperDirectory);
            Configure(context, "workdir", part.WorkDirectory ?? throw WherryException.Invalid("an overlay with an upper directory needs a work directory"));
        }

        foreach (var option in part.Options)
        {
            var equals = option.IndexOf('=');
            Configure(context, equals < 0 ? option : option[..equals], equals < 0 ? null : option[(equals + 1)..]);
        }

        return MountSyscalls.CreateMount(context, MountAttributes.None, "the root file system (overlay)");
    }

    private static FileDescriptor OpenOverlay()
    {
        var context = MountSyscalls.TryOpenFileSystem("overlay");
        return context switch
        {
            >= 0 => new FileDescriptor(context),
            -Errno.ENODEV => throw WherryException.Unsupported("this kernel has no overlay file system"),
            _ => throw new LinuxException("begin an overlay mount", -context),
        };
    }

    // One layer at a time has no limit but the kernel's own 500; before Linux 6.5 there is only the one-page string.
    private static bool TryAddLayers(FileDescriptor context, IReadOnlyList<string> layers)
    {
        for (var i = 0; i < layers.Count; i++)
        {
            var result = MountSyscalls.TryConfigure(context, LayerOption, layers[i]);
            if (result == -Errno.EINVAL && i == 0)
            {
                return false;
            }

            if (result < 0)
            {
                throw new LinuxException($"add the layer {layers[i]} to the root file system", -result);
            }
        }

        return true;
    }

    private static void Configure(FileDescriptor context, string key, string? value)
    {
        var result = MountSyscalls.TryConfigure(context, key, value);
        if (result < 0)
        {
            throw new LinuxException($"set the root file system's {key} to {value}", -result);
        }
    }

    private static FileDescriptor OverlayByClassicOptions(RootfsMount part)
    {
        // Short names, by descriptor, fit some 250 layers into the page that mount options may take; and none
        // of them holds a character that would have to be escaped.
        var open = part.LowerDirectories.Select(layer => FileSyscalls.Open(layer, OpenFlags.PathOnly | OpenFlags.Directory)).ToList();
        try
        {
            using var context = OpenOverlay();
            Configure(context, "lowerdir", string.Join(':', open.Select(FileSyscalls.ProcPath)));
            if (part.UpperDirectory is not null)
            {
                Configure(context, "upperdir", part.UpperDirectory);
                Configure(context, "workdir", part.WorkDirectory);
            }

            foreach (var option in part.Options)
            {
                var equals = option.IndexOf('=');
                Configure(context, equals < 0 ? option : option[..equals], equals < 0 ? null : option[(equals + 1)..]);
            }

            return MountSyscalls.CreateMount(context, MountAttributes.None, "the root file system (overlay)");
        }
        finally
        {
            open.ForEach(layer => layer.Dispose());
        }
    }
}
