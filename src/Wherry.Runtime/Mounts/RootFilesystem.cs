using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Mounts;
using Wherry.Runtime.Contracts;

namespace Wherry.Runtime.Mounts;

/// <summary>Makes the container's root a mount of its own, and later the root itself.</summary>
public static class RootFilesystem
{
    private const string What = "the root file system (overlay)";

    /// <summary>
    /// Cuts this mount namespace's changes off from the host's, mounts what makes up the root, and opens it.
    /// </summary>
    /// <param name="path">Where the root is mounted; a directory on the host.</param>
    /// <param name="parts">Mounts that make it up; none if the directory has all in it.</param>
    /// <param name="propagation">Runtime-spec's rootfsPropagation.</param>
    public static RootDirectory Mount(string path, IReadOnlyList<RootfsMount> parts, string? propagation)
    {
        CutOff(propagation);
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

    /// <summary>The same with a root that was made already, for a stage that could not have made it.</summary>
    /// <param name="root">As <see cref="MakeDetached(string, IReadOnlyList{RootfsMount}, FileDescriptor, ValueTuple{uint, uint}?)"/> made it; taken over.</param>
    /// <param name="propagation">Runtime-spec's rootfsPropagation.</param>
    public static RootDirectory Mount(FileDescriptor root, string? propagation)
    {
        CutOff(propagation);

        // Where it goes does not matter, as it will be all there is; / can't be denied to anyone.
        using (var target = FileSyscalls.Open("/", OpenFlags.PathOnly | OpenFlags.Directory))
        {
            MountSyscalls.Attach(root, target, "the root file system");
        }

        return new RootDirectory(root);
    }

    /// <summary>The same with one that a maker without more rights than the stage has made; at its place.</summary>
    /// <param name="path">Where it is mounted; a directory on the host.</param>
    /// <param name="root">As <see cref="MakeDetached(string, IReadOnlyList{RootfsMount})"/> made it; taken over.</param>
    /// <param name="propagation">Runtime-spec's rootfsPropagation.</param>
    public static RootDirectory MountMade(string path, FileDescriptor root, string? propagation)
    {
        CutOff(propagation);
        AttachAt(path, root, "the root file system");
        return RootDirectory.Open(path);
    }

    /// <summary>Makes the root file system without attaching it anywhere; the caller's.</summary>
    /// <param name="path">Where it lies, if it has no parts.</param>
    /// <param name="parts">What makes it up; the last one is what is seen.</param>
    public static FileDescriptor MakeDetached(string path, IReadOnlyList<RootfsMount> parts) =>
        parts is [.., var part] ? Detached(path, part) : MountSyscalls.CloneTree(path, recursive: true);

    /// <summary>Makes the root file system without attaching it anywhere; the caller's.</summary>
    /// <param name="path">Where it lies, if it has no parts.</param>
    /// <param name="parts">What makes it up; the last one is what is seen.</param>
    /// <param name="userNamespace">Whose mappings id-mapped layers are shown through.</param>
    /// <param name="ownerOnHost">The ids on the host of that namespace's root; null where they are not known.</param>
    public static FileDescriptor MakeDetached(string path, IReadOnlyList<RootfsMount> parts, FileDescriptor userNamespace, (uint Uid, uint Gid)? ownerOnHost)
    {
        var made = parts switch
        {
            [.., { IdMapped: true } part] => Mapped(path, part, userNamespace, ownerOnHost),
            _ => MakeDetached(path, parts),
        };
        MountSyscalls.SetAttributes(made, MountAttributes.None, MountAttributes.None, MountFlags.Private, recursive: false, "the root file system");
        return made;
    }

    /// <summary>A root in a mount namespace that was joined: nothing of that namespace is changed but by what the bundle lists.</summary>
    public static RootDirectory OpenJoined(string path)
    {
        try
        {
            return RootDirectory.Open(path);
        }
        catch (LinuxException e) when (e.ErrorNumber is Errno.ENOENT or Errno.ENOTDIR)
        {
            throw WherryException.Invalid($"root.path: the mount namespace that is joined has no directory {path}", e);
        }
    }

    /// <summary>Makes the root the root; nothing of the host's tree is reachable by path afterwards.</summary>
    /// <param name="root">The root.</param>
    /// <param name="propagation">Runtime-spec's rootfsPropagation, which holds from then on.</param>
    public static void Enter(RootDirectory root, string? propagation)
    {
        FileSyscalls.ChangeDirectory(root.Descriptor);
        MountSyscalls.PivotToWorkingDirectory();
        MountSyscalls.UnmountDetached(".");
        if (!string.IsNullOrEmpty(propagation))
        {
            MountSyscalls.Mount(null, "/", null, PropagationOf(propagation), null);
        }

        GoToRoot();
    }

    /// <summary>
    /// The same where the host's root is one that pivot_root refuses (an initial ramdisk): the root is moved over it.
    /// The host's tree lies below it then, so what of it shows processes and devices is unmounted first.
    /// </summary>
    public static void MoveInto(RootDirectory root)
    {
        MountSyscalls.UnmountDetached("/proc");
        MountSyscalls.UnmountDetached("/sys");
        FileSyscalls.ChangeDirectory(root.Descriptor);
        MountSyscalls.Mount(".", "/", null, MountFlags.Move, null);
        FileSyscalls.ChangeRoot(".");
        GoToRoot();
    }

    /// <summary>The root in a joined mount namespace, whose own root is others' too and stays.</summary>
    public static void EnterJoined(RootDirectory root)
    {
        FileSyscalls.ChangeDirectory(root.Descriptor);
        FileSyscalls.ChangeRoot(".");
        GoToRoot();
    }

    private static void GoToRoot()
    {
        var result = FileSyscalls.TryChangeDirectory("/");
        if (result < 0)
        {
            throw new LinuxException("enter the root", -result);
        }
    }

    /// <exception cref="WherryException">Unknown.</exception>
    public static MountFlags PropagationOf(string propagation) => propagation switch
    {
        "slave" => MountFlags.Slave,
        "rslave" => MountFlags.Slave | MountFlags.Recursive,
        "private" => MountFlags.Private,
        "rprivate" => MountFlags.Private | MountFlags.Recursive,
        "shared" => MountFlags.Shared,
        "rshared" => MountFlags.Shared | MountFlags.Recursive,
        "unbindable" => MountFlags.Unbindable,
        "runbindable" => MountFlags.Unbindable | MountFlags.Recursive,
        _ => throw WherryException.Invalid($"linux.rootfsPropagation: unknown value \"{propagation}\""),
    };

    // While mounts are made they must not reach the host, and pivot_root refuses a shared root: what was asked for comes last.
    private static void CutOff(string? propagation) =>
        MountSyscalls.Mount(null, "/", null, MountFlags.Recursive | (propagation is "private" or "rprivate" ? MountFlags.Private : MountFlags.Slave), null);

    private static void Place(string path, RootfsMount part)
    {
        switch (part.Type)
        {
            case "bind" or "overlay" when part.IdMapped:
                throw WherryException.Invalid("an id-mapped root file system needs a user namespace");
            case "bind":
                AttachAt(path, MountSyscalls.CloneTree(part.LowerDirectories[0], recursive: true), "the root file system");
                break;
            case "overlay" when part.LowerDirectories.Count == 0:
                throw WherryException.Invalid("an overlay needs at least one lower directory");
            case "overlay" when part.UpperDirectory is not null && part.WorkDirectory is null:
                throw WherryException.Invalid("an overlay with an upper directory needs a work directory");
            case "overlay" when Environment.OSVersion.Version >= OverlayMount.FirstWithSingleLayers:
                AttachAt(path, OverlayMount.ByDescriptor(part.LowerDirectories, part.UpperDirectory, part.WorkDirectory, part.Options), What);
                break;
            case "overlay":
                MountOverlayByClassicOptions(path, part);
                break;
            default:
                throw Unknown(part);
        }
    }

    private static FileDescriptor Detached(string path, RootfsMount part) => part.Type switch
    {
        "bind" => MountSyscalls.CloneTree(part.LowerDirectories[0], recursive: true),
        "overlay" => OverlayMount.Create(part.LowerDirectories, part.UpperDirectory, part.WorkDirectory, part.Options, path),
        "fuse-overlayfs" => FuseOverlay.Create(
            part.Program ?? throw WherryException.Invalid("a fuse-overlayfs needs a program"), part.LowerDirectories, part.UpperDirectory, part.WorkDirectory),
        _ => throw Unknown(part),
    };

    // What lies on disk is shown through mappings, so it stays there as it is, whoever uses it.
    private static FileDescriptor Mapped(string path, RootfsMount part, FileDescriptor userNamespace, (uint Uid, uint Gid)? ownerOnHost)
    {
        switch (part.Type)
        {
            case "bind":
                return IdMappedMount.Clone(part.LowerDirectories[0], userNamespace);
            case "overlay":
                var owner = ownerOnHost ?? throw WherryException.Invalid("an id-mapped root file system needs linux.uidMappings and linux.gidMappings, also where the user namespace is joined");
                return IdMappedOverlay.Create(part.LowerDirectories, part.UpperDirectory, part.WorkDirectory, part.Options, path, userNamespace, owner);
            default:
                throw Unknown(part);
        }
    }

    private static WherryException Unknown(RootfsMount part) => WherryException.Unsupported($"root file system of type \"{part.Type}\" is not supported");

    private static void AttachAt(string path, FileDescriptor mount, string what)
    {
        using (mount)
        using (var target = FileSyscalls.Open(path, OpenFlags.PathOnly | OpenFlags.Directory))
        {
            MountSyscalls.SetAttributes(mount, MountAttributes.None, MountAttributes.None, MountFlags.Private, recursive: false, what);
            MountSyscalls.Attach(mount, target, what);
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
