using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Mounts;
using Wherry.Runtime.Contracts;

namespace Wherry.Runtime.Mounts;

/// <summary>Makes the container's root a mount of its own, and later the root itself.</summary>
public static class RootFilesystem
{
    // Older kernels refuse the option no earlier than when the mount is made, and write a line to their log each time.
    private static readonly Version TakesSingleLayers = new(6, 5);

    private const string What = "the root file system (overlay)";

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
            Place(path, part);
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

    private static void Place(string path, RootfsMount part)
    {
        switch (part.Type)
        {
            case "bind":
                AttachAt(path, MountSyscalls.CloneTree(part.LowerDirectories[0], recursive: true), "the root file system");
                break;
            case "overlay" when part.LowerDirectories.Count == 0:
                throw WherryException.Invalid("an overlay needs at least one lower directory");
            case "overlay" when part.UpperDirectory is not null && part.WorkDirectory is null:
                throw WherryException.Invalid("an overlay with an upper directory needs a work directory");
            case "overlay" when Environment.OSVersion.Version >= TakesSingleLayers:
                AttachAt(path, OverlayByLayers(part), What);
                break;
            case "overlay":
                MountOverlayByClassicOptions(path, part);
                break;
            default:
                throw WherryException.Unsupported($"root file system of type \"{part.Type}\" is not supported");
        }
    }

    private static void AttachAt(string path, FileDescriptor mount, string what)
    {
        using (mount)
        using (var target = FileSyscalls.Open(path, OpenFlags.PathOnly | OpenFlags.Directory))
        {
            MountSyscalls.SetAttributes(mount, MountAttributes.None, MountAttributes.None, MountFlags.Private, recursive: false, what);
            MountSyscalls.Attach(mount, target, what);
        }
    }

    // One layer at a time has no limit but the kernel's own 500.
    private static FileDescriptor OverlayByLayers(RootfsMount part)
    {
        using var context = OpenOverlay();
        foreach (var layer in part.LowerDirectories)
        {
            Configure(context, "lowerdir+", layer);
        }

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

        return MountSyscalls.CreateMount(context, MountAttributes.None, What);
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

    private static void Configure(FileDescriptor context, string key, string? value)
    {
        var result = MountSyscalls.TryConfigure(context, key, value);
        if (result < 0)
        {
            throw new LinuxException($"set the root file system's {key} to {value}", -result);
        }
    }

    private static void MountOverlayByClassicOptions(string path, RootfsMount part)
    {
        // Short names, by descriptor, fit some 200 layers into the page that mount options may take; and none of them
        // holds a character that would have to be escaped.
        var open = new List<FileDescriptor>();
        try
        {
            string Name(string directory)
            {
                open.Add(FileSyscalls.Open(directory, OpenFlags.PathOnly | OpenFlags.Directory));
                return FileSyscalls.ProcPath(open[^1]);
            }

            List<string> options = [$"lowerdir={string.Join(':', part.LowerDirectories.Select(Name))}"];
            if (part.UpperDirectory is not null)
            {
                options.Add($"upperdir={Name(part.UpperDirectory)},workdir={Name(part.WorkDirectory!)}");
            }

            var data = string.Join(',', options.Concat(part.Options));
            if (data.Length >= Environment.SystemPageSize)
            {
                throw WherryException.Unsupported($"a root file system of {part.LowerDirectories.Count} layers needs Linux 6.5: before it, mount options end with a page");
            }

            MountSyscalls.Mount("overlay", path, "overlay", MountFlags.None, data);
            MountSyscalls.Mount(null, path, null, MountFlags.Private, null);
        }
        finally
        {
            open.ForEach(directory => directory.Dispose());
        }
    }
}
