namespace Wherry.Storage.Layers;

/// <summary>A container's writable root on top of image layers.</summary>
/// <param name="Directory">Holds <c>rootfs</c>: the mount point, or the whole tree; with overlays also <c>upper</c> and <c>work</c>.</param>
/// <param name="TopChainId">The image's topmost layer; null for an empty root.</param>
public sealed record Snapshot(string Directory, string? TopChainId)
{
    public string Upper => Path.Combine(Directory, "upper");

    public string Work => Path.Combine(Directory, "work");

    public string RootFs => Path.Combine(Directory, "rootfs");
}

/// <summary>What a snapshot's mount is.</summary>
public enum SnapshotMountKind
{
    /// <summary>An overlay of directories.</summary>
    Overlay,

    /// <summary>The same, put together by a program that serves it to the kernel (FUSE).</summary>
    FuseOverlay,

    /// <summary>A directory that has everything in it.</summary>
    Directory,
}

/// <summary>What to mount for a snapshot. The mount itself belongs to the container's own mount namespace.</summary>
/// <param name="Kind">Overlays or directory.</param>
/// <param name="Lower">Overlay: read-only directories, topmost first, never empty. Directory: that one.</param>
/// <param name="Upper">Overlay: takes the container's changes.</param>
/// <param name="Work">Overlay's own directory, on the same file system as <paramref name="Upper"/>.</param>
/// <param name="Options">Overlay options that keep <paramref name="Upper"/> a plain diff.</param>
public sealed record SnapshotMount(SnapshotMountKind Kind, IReadOnlyList<string> Lower, string? Upper, string? Work, IReadOnlyList<string> Options)
{
    /// <summary>FUSE: the program.</summary>
    public string? Program { get; init; }
}
