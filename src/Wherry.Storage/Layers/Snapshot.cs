namespace Wherry.Storage.Layers;

/// <summary>A container's writable root on top of image layers.</summary>
/// <param name="Directory">Holds <c>upper</c>, <c>work</c> and the mount point <c>rootfs</c>.</param>
/// <param name="TopChainId">The image's topmost layer; null for an empty root.</param>
public sealed record Snapshot(string Directory, string? TopChainId)
{
    public string Upper => Path.Combine(Directory, "upper");

    public string Work => Path.Combine(Directory, "work");

    public string RootFs => Path.Combine(Directory, "rootfs");
}

/// <summary>What to mount for a snapshot. The mount itself belongs to the container's own mount namespace.</summary>
/// <param name="Lower">Read-only directories, topmost first; never empty.</param>
/// <param name="Upper">Takes the container's changes.</param>
/// <param name="Work">Overlay's own directory, on the same file system as <paramref name="Upper"/>.</param>
/// <param name="Options">Overlay options that keep <paramref name="Upper"/> a plain diff.</param>
public sealed record SnapshotMount(IReadOnlyList<string> Lower, string Upper, string Work, IReadOnlyList<string> Options);
