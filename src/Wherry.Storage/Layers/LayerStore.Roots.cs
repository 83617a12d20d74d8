using Wherry.Linux;
using Wherry.Linux.FileTrees;
using Wherry.Linux.Mounts;
using Wherry.Linux.Processes;
using Wherry.Storage.Trees;

namespace Wherry.Storage.Layers;

/// <summary>Images' and containers' roots as directories to read and write, without a mount that the host would see.</summary>
public sealed partial class LayerStore
{
    /// <summary>Mounts the root of a snapshot that is not in use, to read and to write: attached nowhere, and gone when the caller closes it.</summary>
    /// <param name="snapshot">Whose.</param>
    /// <param name="ids">Owners are shown through these maps, as the container's own mount shows them to the host; null as they are on disk.</param>
    public FileDescriptor MountRoot(Snapshot snapshot, IdMap? ids = null)
    {
        var mount = Mount(snapshot);
        using var userNamespace = ids is null ? null : UserNamespace.Make(ids.Users, ids.Groups);
        if (mount.Kind == SnapshotMountKind.Directory)
            return userNamespace is null ? MountSyscalls.CloneTree(mount.Lower[0], recursive: false) : IdMappedMount.Clone(mount.Lower[0], userNamespace);
        return userNamespace is null
            ? OverlayMount.Create(mount.Lower, mount.Upper, mount.Work, mount.Options, snapshot.RootFs)
            : IdMappedOverlay.Create(mount.Lower, mount.Upper, mount.Work, mount.Options, snapshot.RootFs, userNamespace, ids!.Root ?? throw new InvalidOperationException("a user namespace without a root"));
    }

    /// <summary>What differs between two images' files: what the second would have to do to the first's.</summary>
    public IReadOnlyList<TreeChange> Compare(string? topChainId, string? otherTopChainId)
    {
        using var other = OpenImage(otherTopChainId);
        return ChangeList.Between(other.Root, LowerOf(Chain(topChainId)));
    }

    /// <summary>Writes all files of an image as one layer's archive.</summary>
    public void WriteFlat(string? topChainId, Stream tar, CancellationToken cancel)
    {
        using var image = OpenImage(topChainId);
        new TreeWriter(tar, cancel).WriteWhole(image.Root);
    }

    /// <summary>An image's files, read-only. Its layers must be held meanwhile.</summary>
    private OpenedImage OpenImage(string? topChainId)
    {
        var lower = LowerOf(Chain(topChainId));
        var place = TemporaryDirectory();
        var empty = Path.Combine(place, "empty");
        Directory.CreateDirectory(empty);
        try
        {
            // Overlay wants two directories below when there is none above.
            var root = lower.Count switch
            {
                0 => FileTree.OpenDirectory(empty),
                1 when _driver.KeepsWholeTrees => FileTree.OpenDirectory(lower[0]),
                1 => Readable(OverlayMount.Create([lower[0], empty], null, null, [], place)),
                _ => Readable(OverlayMount.Create(lower, null, null, [], place)),
            };
            return new OpenedImage(root, place);
        }
        catch
        {
            FileTree.RemoveTree(place);
            throw;
        }
    }

    private static FileDescriptor Readable(FileDescriptor mount)
    {
        using (mount)
        {
            var errno = FileTree.OpenName(mount, "."u8, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out var root);
            return errno == 0 ? root : throw new LinuxException("open a root file system", errno);
        }
    }

    private sealed record OpenedImage(FileDescriptor Root, string Place) : IDisposable
    {
        public void Dispose()
        {
            Root.Dispose();
            FileTree.RemoveTree(Place);
        }
    }
}
