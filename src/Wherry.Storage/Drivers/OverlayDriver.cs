using Wherry.Linux;
using Wherry.Linux.Mounts;
using Wherry.Linux.Processes;
using Wherry.Storage.Layers;

namespace Wherry.Storage.Drivers;

/// <summary>
/// Layers as they are, one directory each, put together by the kernel's overlay when a container starts. Layers are
/// given to the kernel one by one where it takes them so, and it takes 500; the mount points' layer is one of them.
/// </summary>
internal sealed class OverlayDriver : LayeredDriver
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
        try
        {
            return Try(root, (lower, upper, work, place) => OverlayMount.Create([lower], upper, work, MountOptions, place));
        }
        catch (Errors.WherryException)
        {
            return false;
        }
    }

    internal override string? WhyNoSizes => _sizes.WhyNot;

    internal override void MakeSnapshot(Snapshot snapshot, string init, IReadOnlyList<string> below, long? size)
    {
        // First: what is made in a directory is of its project.
        if (size is { } bytes)
            _sizes.Limit(snapshot.Directory, bytes);
        base.MakeSnapshot(snapshot, init, below, size);
    }

    internal override void RemoveSnapshot(Snapshot snapshot)
    {
        // First: what a crash leaves of the files is found by the next start, a limit without files is not.
        _sizes.Unlimit(snapshot.Directory);
        base.RemoveSnapshot(snapshot);
    }

    internal override SnapshotMount Mount(Snapshot snapshot, IReadOnlyList<string> below) =>
        new(SnapshotMountKind.Overlay, below, snapshot.Upper, snapshot.Work, MountOptions);

    internal override FileDescriptor MountLayers(IReadOnlyList<string> lower, string place) => OverlayMount.Create(lower, null, null, [], place);

    internal override FileDescriptor MountRoot(SnapshotMount mount, string place) =>
        OverlayMount.Create(mount.Lower, mount.Upper, mount.Work, mount.Options, place);
}
