using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Mounts;
using Wherry.Linux.Processes;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Mounts;
using Wherry.Runtime.Stages;

namespace Wherry.Runtime.Checkpoints;

/// <summary>
/// The root of a user namespace that CRIU restores into. As that user, and not as the host's root, CRIU opens images and
/// what the standard streams lead to; so it is shown both, where they are not everybody's, with that user as their owner:
/// by mounts that nobody else sees.
/// </summary>
public sealed class ContainerRoot
{
    // By which CRIU finds earlier images.
    private const string Parent = "parent";

    // CRIU reads what it has of clocks before it becomes the container's root, when it is the host's without its capabilities.
    private const string Clocks = "timens-";

    private const int MostParents = 100;
    private const int OwnerOnly = 0x180; // 0600
    private const int SearchedByAll = 0x1ed; // 0755
    private const int ReadByOthers = 4;

    private readonly uint _uid;
    private readonly uint _gid;
    private readonly uint _program;
    private readonly List<string> _unreached = [];

    private ContainerRoot(uint uid, uint gid, uint program) => (_uid, _gid, _program) = (uid, gid, program);

    /// <summary>What can't be shown so, for who wants to know why CRIU may not open it.</summary>
    public IReadOnlyList<string> Unreached => _unreached;

    /// <summary>Null where the container's root is the host's.</summary>
    public static ContainerRoot? Of(Spec spec)
    {
        if (spec.Linux is not { } linux || NamespaceKinds.Find(linux.Namespaces, "user") is null
            || IdMappings.HostId(linux.UidMappings, 0) is not { } uid || IdMappings.HostId(linux.GidMappings, 0) is not { } gid
            || (uid, gid) is (0, 0))
        {
            return null;
        }

        return new ContainerRoot(uid, gid, IdMappings.HostId(linux.UidMappings, spec.Process?.User.Uid ?? 0) ?? uid);
    }

    /// <summary>
    /// Covers a directory of images with one that anybody may search, which has the same files, and below <c>parent</c> those
    /// of the earlier images they build on. To be called in a mount namespace whose mounts the host does not see.
    /// </summary>
    public void Show(string directory)
    {
        using var images = FileSyscalls.Open(directory, OpenFlags.ReadOnly | OpenFlags.Directory);
        Cover(images, images, directory, MostParents);
    }

    /// <summary>A stream's file as that root may open it; the caller's. To be called in the mount namespace it was opened in.</summary>
    /// <param name="stream">Stays the caller's. A pipe or terminal is given to the program's user, as to a new container's.</param>
    public FileDescriptor Reach(FileDescriptor stream)
    {
        StreamOwner.TryGive(stream, _program, _gid);
        if (FileStatus.Of(stream).Type == Linux.Files.FileMode.Regular)
        {
            try
            {
                var tree = MountSyscalls.CloneTree(stream, recursive: false);
                if (TryMap(tree))
                {
                    return tree;
                }

                tree.Dispose();
            }
            catch (LinuxException e) when (e.ErrorNumber == Errno.EINVAL)
            {
                // Its mount is in no namespace any more, or in another.
            }

            _unreached.Add("a standard stream's file");
        }

        return FileSyscalls.Duplicate(stream);
    }

    private void Cover(FileDescriptor target, FileDescriptor images, string directory, int parents)
    {
        // Before they are covered.
        var names = new DirectoryInfo(FileSyscalls.ProcPath(images)).GetFiles().Where(file => file.LinkTarget is null).Select(file => file.Name).ToArray();
        using var cover = ContainerMounts.NewFileSystem("tmpfs", "tmpfs", ["mode=755"], MountAttributes.NoSuid | MountAttributes.NoDev | MountAttributes.NoExec);
        MountSyscalls.Attach(cover, target, directory);
        foreach (var name in names)
        {
            ShowFile(images, cover, name, directory);
        }

        if (parents > 0 && FileSyscalls.TryOpen(images.Number, Parent, OpenFlags.ReadOnly | OpenFlags.Directory, ResolveFlags.None) is >= 0 and var opened)
        {
            using var earlier = new FileDescriptor(opened);
            FileSyscalls.TryMakeDirectory(cover, Parent, SearchedByAll);
            using var place = FileSyscalls.OpenAt(cover, Parent, OpenFlags.PathOnly | OpenFlags.Directory, ResolveFlags.Beneath);
            Cover(place, earlier, directory, parents - 1);
        }
    }

    private void ShowFile(FileDescriptor images, FileDescriptor cover, string name, string directory)
    {
        using var file = FileSyscalls.OpenAt(images, name, OpenFlags.PathOnly | OpenFlags.NoFollow, ResolveFlags.Beneath);
        using var tree = MountSyscalls.CloneTree(file, recursive: false);
        var isReadableByAll = (FileStatus.Of(file).Mode & ReadByOthers) != 0;
        if (!isReadableByAll && !name.StartsWith(Clocks, StringComparison.Ordinal) && !TryMap(tree) && !_unreached.Contains(directory))
        {
            _unreached.Add(directory);
        }

        using var place = FileSyscalls.OpenAt(cover, name, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.NoFollow, ResolveFlags.Beneath, OwnerOnly);
        MountSyscalls.Attach(tree, place, name);
    }

    // Of whoever owns the mount's root alone, as nothing else is to be opened.
    private bool TryMap(FileDescriptor tree)
    {
        var status = FileStatus.Of(tree);
        using var mappings = UserNamespace.Make([new IdRange(status.Uid, _uid, 1)], [new IdRange(status.Gid, _gid, 1)]);
        return MountSyscalls.TryMapOwners(tree, mappings, recursive: false) >= 0;
    }
}
