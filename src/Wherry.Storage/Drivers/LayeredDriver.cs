using Wherry.Linux;
using Wherry.Linux.FileTrees;
using Wherry.Storage.Layers;
using Wherry.Storage.Trees;

namespace Wherry.Storage.Drivers;

/// <summary>
/// Drivers that keep layers as they are, one directory each, and a container's changes as a diff in another (<c>upper</c>);
/// they differ in who puts them together when a container starts.
/// </summary>
internal abstract class LayeredDriver : StorageDriver
{
    internal override IReadOnlyList<string> Lower(IReadOnlyList<string> layers) => [.. layers.Select(layer => Path.Combine(layer, "diff"))];

    internal override void Complete(string layer, string? parent)
    {
    }

    internal override void MakeSnapshot(Snapshot snapshot, string init, IReadOnlyList<string> below, long? size)
    {
        Directory.CreateDirectory(snapshot.Work);
        Directory.CreateDirectory(snapshot.RootFs);
        Directory.CreateDirectory(snapshot.Upper);
        using var view = new MergedView([init]);
        using var upper = FileTree.OpenDirectory(snapshot.Upper);
        TreeAttributes.Apply(upper, view.Find([])!);
    }

    internal override void RemoveSnapshot(Snapshot snapshot)
    {
        foreach (var part in (ReadOnlySpan<string>)[snapshot.Upper, snapshot.Work, snapshot.RootFs])
            FileTree.RemoveTree(part);
    }

    internal override void WriteDiff(Snapshot snapshot, IReadOnlyList<string> below, TreeWriter writer)
    {
        using var view = new MergedView([below[0]]);
        writer.WriteUpper(snapshot.Upper, view.Find([])?.Status);
    }

    internal override IReadOnlyList<TreeChange> Changes(Snapshot snapshot, IReadOnlyList<string> below) => ChangeList.OfUpper(snapshot.Upper, below);

    internal override long DiffSize(Snapshot snapshot, IReadOnlyList<string> below) => TreeSize.Of(snapshot.Upper);

    /// <summary>Mounts layers to read only, attached nowhere.</summary>
    /// <param name="lower">Two or more, topmost first.</param>
    /// <param name="place">A directory of the caller's to mount on for a moment.</param>
    internal abstract FileDescriptor MountLayers(IReadOnlyList<string> lower, string place);

    /// <summary>Mounts a container's root, attached nowhere.</summary>
    internal abstract FileDescriptor MountRoot(SnapshotMount mount, string place);

    /// <summary>Tries on a directory what a container does, with one file below and changes above.</summary>
    /// <param name="root">Where; nothing of it stays.</param>
    /// <param name="mount">Makes the overlay of a lower, an upper, and a work directory, with a place to mount on.</param>
    /// <returns>Whether what was deleted is seen to be deleted where the changes lie.</returns>
    /// <exception cref="Errors.WherryException">It can't be mounted there.</exception>
    protected static bool Try(string root, Func<string, string, string, string, FileDescriptor> mount)
    {
        var probe = Path.Combine(root, $"{DurableFile.TemporaryPrefix}{Guid.NewGuid():N}");
        string In(string part) => Path.Combine(probe, part);
        try
        {
            foreach (var part in (ReadOnlySpan<string>)["lower/directory/below", "upper", "work", "place"])
                Directory.CreateDirectory(In(part));
            File.WriteAllText(In("lower/file"), "");
            using (var merged = mount(In("lower"), In("upper"), In("work"), In("place")))
            {
                if (FileTree.Unlink(merged, "file"u8, isDirectory: false) != 0
                    || FileTree.Unlink(merged, "directory/below"u8, isDirectory: true) != 0
                    || FileTree.Unlink(merged, "directory"u8, isDirectory: true) != 0
                    || FileTree.MakeDirectory(merged, "directory"u8, 0x1ED) != 0)
                    return false;
            }
            using var seen = MergedDirectory.Open([In("upper"), In("lower")]);
            using var directory = seen.Enter("directory"u8);
            return seen.Find("file"u8) is null && directory?.Names() is [];
        }
        finally
        {
            if (Directory.Exists(probe))
                FileTree.RemoveTree(probe);
        }
    }
}
