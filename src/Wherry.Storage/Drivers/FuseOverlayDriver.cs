using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Mounts;
using Wherry.Storage.Layers;

namespace Wherry.Storage.Drivers;

/// <summary>
/// As <see cref="OverlayDriver"/>, with the layers put together by a program instead of the kernel: for users whose kernel
/// or file system refuses them an overlay.
/// </summary>
internal sealed class FuseOverlayDriver : LayeredDriver
{
    internal const string DriverName = "fuse-overlayfs";

    // The program knows no limit but descriptors and the length of one argument, which ends at 128 KiB: a layer's name in
    // it has 77 bytes, so some 1,700. As many as overlay has, so that images can move.
    private const int Limit = OverlayMount.MostLayers - 1;

    private readonly string _program;
    private readonly string _fileSystem;

    /// <exception cref="WherryException">Unsupported: something is missing; it is named.</exception>
    internal FuseOverlayDriver(string root)
    {
        if (WhyNot(root) is { } missing)
            throw WherryException.Unsupported($"the storage driver {DriverName} can't be used: {missing}");
        _program = FuseOverlay.FindProgram()!;
        _fileSystem = FileSystemNames.Of(root);
    }

    internal override string Name => DriverName;

    internal override int MostLayers => Limit;

    internal override IReadOnlyList<KeyValuePair<string, string>> Status =>
    [
        new("Backing Filesystem", _fileSystem),
        new("Supports d_type", "true"),
        new("Program", _program),
        new("Layer Limit", MostLayers.ToString()),
    ];

    internal override string? WhyNoSizes => $"the storage driver {DriverName} can't limit what a container writes: root's engine can, with overlay on ext4 or xfs with project quotas, or with btrfs";

    /// <summary>What is missing for this driver, or does not work, on a directory; null where it works.</summary>
    internal static string? WhyNot(string root)
    {
        if (FuseOverlay.FindProgram() is not { } program)
            return $"{FuseOverlay.ProgramName} is not installed (package {FuseOverlay.ProgramName})";
        try
        {
            return Try(root, (lower, upper, work, _) => FuseOverlay.Create(program, [lower], upper, work))
                ? null
                : $"what is deleted through it on the {FileSystemNames.Of(root)} file system of {root} is not marked as deleted there";
        }
        catch (WherryException failure)
        {
            return failure.Message;
        }
    }

    internal override SnapshotMount Mount(Snapshot snapshot, IReadOnlyList<string> below) =>
        new(SnapshotMountKind.FuseOverlay, below, snapshot.Upper, snapshot.Work, []) { Program = _program };

    internal override FileDescriptor MountLayers(IReadOnlyList<string> lower, string place) => FuseOverlay.Create(_program, lower, null, null);

    internal override FileDescriptor MountRoot(SnapshotMount mount, string place) => FuseOverlay.Create(_program, mount.Lower, mount.Upper, mount.Work);
}
