using Wherry.Linux.FileTrees;
using Wherry.Storage.Layers;
using Wherry.Storage.Trees;

namespace Wherry.Storage.Drivers;

/// <summary>
/// How layers and containers' changes lie on the disk. The layer store knows which there are, who holds them and what
/// stands on what; a driver knows what is in their directories. Every layer comes to it unpacked as overlay wants it
/// (<c>diff</c>), because a layer is unpacked before it is known what it stands on.
/// </summary>
/// <remarks>Thread-safe: a driver has no state but its directories, and each of these is worked on by one thread.</remarks>
internal abstract class StorageDriver
{
    internal abstract string Name { get; }

    /// <summary>What <c>info</c> shows beside the name.</summary>
    internal abstract IReadOnlyList<KeyValuePair<string, string>> Status { get; }

    /// <summary>How many layers an image can have here.</summary>
    internal abstract int MostLayers { get; }

    /// <summary>Directories that together show the files of a layer and all below it, topmost first.</summary>
    /// <param name="layers">The directories of the layers, topmost first.</param>
    internal abstract IReadOnlyList<string> Lower(IReadOnlyList<string> layers);

    /// <summary>Makes of an unpacked layer what this driver keeps.</summary>
    /// <param name="layer">The layer's directory, which does not have its name yet.</param>
    /// <param name="parent">The directory of the layer below; null for the lowest.</param>
    internal abstract void Complete(string layer, string? parent);

    /// <summary>Makes a container's root on top of layers.</summary>
    /// <param name="snapshot">Its directory exists.</param>
    /// <param name="init">The image's mount points, where it lacks them.</param>
    /// <param name="below">What <see cref="Lower"/> says.</param>
    /// <param name="size">Bytes that the container can write over its image; null for no limit, and where there can be none.</param>
    internal abstract void MakeSnapshot(Snapshot snapshot, string init, IReadOnlyList<string> below, long? size);

    /// <summary>Why containers' roots can't be given a size here, and what would help; null where they can.</summary>
    internal virtual string? WhyNoSizes => $"the storage driver {Name} can't limit what a container writes: overlay can, on ext4 or xfs with project quotas, and btrfs";

    /// <summary>Removes what <see cref="MakeSnapshot"/> made; nothing there is fine.</summary>
    internal abstract void RemoveSnapshot(Snapshot snapshot);

    /// <summary>How to mount a container's root.</summary>
    /// <param name="snapshot">The container's.</param>
    /// <param name="below">The mount points' layer, then what <see cref="Lower"/> says.</param>
    internal abstract SnapshotMount Mount(Snapshot snapshot, IReadOnlyList<string> below);

    /// <summary>Writes a container's changes as a layer's archive.</summary>
    internal abstract void WriteDiff(Snapshot snapshot, IReadOnlyList<string> below, TreeWriter writer);

    internal abstract IReadOnlyList<TreeChange> Changes(Snapshot snapshot, IReadOnlyList<string> below);

    /// <summary>Bytes of the regular files a container has changed or added.</summary>
    internal abstract long DiffSize(Snapshot snapshot, IReadOnlyList<string> below);

    /// <summary>Removes a layer's directory that has no name any more.</summary>
    internal virtual void RemoveLayer(string directory) => FileTree.RemoveTree(directory);
}
