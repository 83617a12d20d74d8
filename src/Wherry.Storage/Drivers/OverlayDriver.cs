using Wherry.Linux.FileTrees;
using Wherry.Linux.Mounts;
using Wherry.Linux.Processes;
using Wherry.Storage.Layers;
using Wherry.Storage.Trees;

namespace Wherry.Storage.Drivers;

/// <summary>
/// Layers as they are, one directory each, put together by the kernel's overlay when a container starts. Layers are
/// given to the kernel one by one where it takes them so, and it takes 500; the mount points' layer is one of them.
/// </summary>
internal sealed class OverlayDriver : StorageDriver
{
    internal const string DriverName = "overlay";

    // Upper must stay a plain diff that a tar can tell, so overlay may not defer copies or record renames. With its marks
    // where users may write them it never records renames, and does not let itself be told so.
    private static readonly string[] MountOptions =
        ["metacopy=off", "index=off", "xino=off", UserNamespace.IsInside ? "userxattr" : "redirect_dir=off"];

    private readonly string _fileSystem;
    private readonly SizedDirectories _sizes;
    private readonly bool _oneByOne;

    internal OverlayDriver(string root)
    {
        _fileSystem = FileSystemNames.Of(root);
        _sizes = new SizedDirectories(root);
        _oneByOne = OverlayMount.TakesLayersOneByOne();
        MostLayers = OverlayMount.LayerLimit() - 1;
    }

    internal override string Name => DriverName;

    internal override int MostLayers { get; }

    internal override IReadOnlyList<KeyValuePair<string, string>> Status =>
    [
        new("Backing Filesystem", _fileSystem),
        new("Supports d_type", "true"),
        new("Layer Mounting", _oneByOne ? "one by one" : "in one option"),
        new("Layer Limit", MostLayers.ToString()),
    ];

    /// <summary>Whether overlay works on a directory: not on every file system can it keep its marks, nor on itself.</summary>
    internal static bool Works(string root)
    {
        var probe = Path.Combine(root, $"{DurableFile.TemporaryPrefix}{Guid.NewGuid():N}");
        try
        {
            string[] parts = ["lower", "upper", "work", "place"];
            foreach (var part in parts)
                Directory.CreateDirectory(Path.Combine(probe, part));
            File.WriteAllText(Path.Combine(probe, "lower", "file"), "");
            using var mount = OverlayMount.Create([Path.Combine(probe, "lower")], Path.Combine(probe, "upper"), Path.Combine(probe, "work"), MountOptions, Path.Combine(probe, "place"));
            if (FileTree.Unlink(mount, "file"u8, isDirectory: false) != 0)
                return false;
            using var upper = FileTree.OpenDirectory(Path.Combine(probe, "upper"));
            return FileTree.GetStatus(upper, "file"u8, out var whiteout) == 0 && whiteout.IsWhiteout;
        }
        catch (Errors.WherryException)
        {
            return false;
        }
        finally
        {
            if (Directory.Exists(probe))
                FileTree.RemoveTree(probe);
        }
    }

    internal override IReadOnlyList<string> Lower(IReadOnlyList<string> layers) => [.. layers.Select(layer => Path.Combine(layer, "diff"))];

    internal override void Complete(string layer, string? parent)
    {
    }

    internal override void MakeSnapshot(Snapshot snapshot, string init, IReadOnlyList<string> below)
    {
        Directory.CreateDirectory(snapshot.Work);
        Directory.CreateDirectory(snapshot.RootFs);
        Directory.CreateDirectory(snapshot.Upper);
        using var view = new MergedView([init]);
        using var upper = FileTree.OpenDirectory(snapshot.Upper);
        TreeAttributes.Apply(upper, view.Find([])!);
    }

    internal override string? WhyNoSizes => _sizes.WhyNot;

    internal override void LimitSize(Snapshot snapshot, long bytes) => _sizes.Limit(snapshot.Directory, bytes);

    internal override void RemoveSnapshot(Snapshot snapshot)
    {
        // First: what a crash leaves of the files is found by the next start, a limit without files is not.
        _sizes.Unlimit(snapshot.Directory);
        foreach (var part in (ReadOnlySpan<string>)[snapshot.Upper, snapshot.Work, snapshot.RootFs])
            FileTree.RemoveTree(part);
    }

    internal override SnapshotMount Mount(Snapshot snapshot, IReadOnlyList<string> below) =>
        new(SnapshotMountKind.Overlay, below, snapshot.Upper, snapshot.Work, MountOptions);

    internal override void WriteDiff(Snapshot snapshot, IReadOnlyList<string> below, TreeWriter writer)
    {
        using var view = new MergedView([below[0]]);
        writer.WriteUpper(snapshot.Upper, view.Find([])?.Status);
    }

    internal override IReadOnlyList<TreeChange> Changes(Snapshot snapshot, IReadOnlyList<string> below) => ChangeList.OfUpper(snapshot.Upper, below);

    internal override long DiffSize(Snapshot snapshot, IReadOnlyList<string> below) => TreeSize.Of(snapshot.Upper);
}
