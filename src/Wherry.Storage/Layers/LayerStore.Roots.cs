using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.FileTrees;
using Wherry.Linux.Mounts;
using Wherry.Linux.Processes;
using Wherry.Storage.Drivers;
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
        if (userNamespace is null)
            return _driver is LayeredDriver layered ? layered.MountRoot(mount, snapshot.RootFs) : MountSyscalls.CloneTree(mount.Lower[0], recursive: false);
        return mount.Kind switch
        {
            SnapshotMountKind.Directory => IdMappedMount.Clone(mount.Lower[0], userNamespace),
            SnapshotMountKind.Overlay => IdMappedOverlay.Create(
                mount.Lower, mount.Upper, mount.Work, mount.Options, snapshot.RootFs, userNamespace, ids!.Root ?? throw new InvalidOperationException("a user namespace without a root")),
            _ => throw WherryException.Unsupported($"the storage driver {_driver.Name} can't show files with mapped owners"),
        };
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
            var root = (lower.Count, _driver) switch
            {
                (0, _) => FileTree.OpenDirectory(empty),
                (1, LayeredDriver layered) => Readable(layered.MountLayers([lower[0], empty], place)),
                (_, LayeredDriver layered) => Readable(layered.MountLayers(lower, place)),
                _ => FileTree.OpenDirectory(lower[0]),
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
