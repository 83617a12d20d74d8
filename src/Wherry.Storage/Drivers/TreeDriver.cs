using Wherry.Linux.FileTrees;
using Wherry.Storage.Layers;
using Wherry.Storage.Trees;

namespace Wherry.Storage.Drivers;

/// <summary>
/// Drivers that keep every layer, and every container's root, as a whole tree (<c>tree</c>, <c>rootfs</c>) and differ
/// only in how they copy one. What a container changed is found by comparing its tree with its image's.
/// </summary>
internal abstract class TreeDriver : StorageDriver
{
    private const string TreeName = "tree";

    internal override int MostLayers => 10_000;

    /// <summary>Makes an empty tree.</summary>
    protected abstract void MakeTree(string path);

    /// <summary>Makes a tree with all that another has.</summary>
    protected abstract void CopyTree(string source, string path);

    protected abstract void RemoveTree(string path);

    /// <summary>Limits what a tree can have beside what it was copied from.</summary>
    protected virtual void LimitTree(string path, long bytes) => throw Errors.WherryException.Unsupported(WhyNoSizes!);

    internal override IReadOnlyList<string> Lower(IReadOnlyList<string> layers) => layers.Count == 0 ? [] : [Path.Combine(layers[0], TreeName)];

    internal override void Complete(string layer, string? parent)
    {
        var tree = Path.Combine(layer, TreeName);
        if (parent is null)
            MakeTree(tree);
        else
            CopyTree(Path.Combine(parent, TreeName), tree);
        var diff = Path.Combine(layer, "diff");
        TreeCopy.Apply(diff, tree);
        FileTree.RemoveTree(diff);
    }

    internal override void MakeSnapshot(Snapshot snapshot, string init, IReadOnlyList<string> below, long? size)
    {
        if (below.Count == 0)
            MakeTree(snapshot.RootFs);
        else
            CopyTree(below[0], snapshot.RootFs);
        TreeCopy.ApplyCopy(init, snapshot.RootFs);
        if (size is { } bytes)
            LimitTree(snapshot.RootFs, bytes);
    }

    internal override void RemoveSnapshot(Snapshot snapshot) => RemoveTree(snapshot.RootFs);

    internal override void RemoveLayer(string directory)
    {
        RemoveTree(Path.Combine(directory, TreeName));
        FileTree.RemoveTree(directory);
    }

    internal override SnapshotMount Mount(Snapshot snapshot, IReadOnlyList<string> below) =>
        new(SnapshotMountKind.Directory, [snapshot.RootFs], null, null, []);

    internal override void WriteDiff(Snapshot snapshot, IReadOnlyList<string> below, TreeWriter writer)
    {
        using var merged = MergedDirectory.Open(below);
        writer.WriteDifference(snapshot.RootFs, merged);
    }

    internal override IReadOnlyList<TreeChange> Changes(Snapshot snapshot, IReadOnlyList<string> below) => ChangeList.OfTree(snapshot.RootFs, below);

    internal override long DiffSize(Snapshot snapshot, IReadOnlyList<string> below)
    {
        var total = 0L;
        using var root = FileTree.OpenDirectory(snapshot.RootFs);
        foreach (var change in Changes(snapshot, below))
        {
            if (change.Kind == ChangeKind.Deleted)
                continue;
            var errno = FileTree.Open(root, change.Path, OpenFlags.Path | OpenFlags.NoFollow, 0, PathResolution.InRoot | PathResolution.NoSymlinks, out var file);
            using (file)
            {
                if (errno == 0 && FileTree.GetStatus(file, [], out var status) == 0 && status.Kind == FileKind.Regular)
                    total += status.Size;
            }
        }
        return total;
    }
}
