using Wherry.Linux;
using Wherry.Linux.BtrfsVolumes;
using Wherry.Linux.FileTrees;
using Wherry.Linux.Processes;

namespace Wherry.Storage.Drivers;

/// <summary>Every tree is a subvolume, and a copy of one is a snapshot: made at once, whatever is in it.</summary>
internal sealed class BtrfsDriver : TreeDriver
{
    internal const string DriverName = "btrfs";

    internal BtrfsDriver(string root)
    {
        using var directory = FileTree.OpenDirectory(root);
        SubvolumeQuota.RemoveStale(directory);
    }

    internal override string Name => DriverName;

    internal override IReadOnlyList<KeyValuePair<string, string>> Status { get; } =
    [
        new("Backing Filesystem", DriverName),
    ];

    internal static bool Works(string root)
    {
        using var directory = FileTree.OpenDirectory(root);
        return FileTree.FileSystemOf(directory).Type == Subvolume.FileSystemType;
    }

    internal override string? WhyNoSizes => UserNamespace.IsInside ? "an engine without root may not set quotas" : null;

    protected override void LimitTree(string path, long bytes)
    {
        using var tree = FileTree.OpenDirectory(path);
        Check(SubvolumeQuota.Enable(tree), "have the space of subvolumes counted for", path);
        Check(SubvolumeQuota.Limit(tree, bytes), "limit subvolume", path);
    }

    protected override void MakeTree(string path)
    {
        using var directory = FileTree.OpenDirectory(Path.GetDirectoryName(path)!);
        Check(Subvolume.Create(directory, Path.GetFileName(path)), "make subvolume", path);
    }

    protected override void CopyTree(string source, string path)
    {
        using var original = FileTree.OpenDirectory(source);
        using var directory = FileTree.OpenDirectory(Path.GetDirectoryName(path)!);
        Check(Subvolume.Snapshot(original, directory, Path.GetFileName(path)), $"make snapshot of {source}", path);
    }

    protected override void RemoveTree(string path)
    {
        var parent = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(parent))
            return;
        using var directory = FileTree.OpenDirectory(parent);
        if (Subvolume.Is(directory, Path.GetFileName(path)))
        {
            var limited = IsLimited(path);
            if (Subvolume.Destroy(directory, Path.GetFileName(path)) == 0)
            {
                // Looking for them reads something of every subvolume, so it is not done for one that never had a group.
                if (limited)
                    SubvolumeQuota.RemoveStale(directory);
                return;
            }
        }
        // One with subvolumes of a container's own making inside goes file by file.
        FileTree.RemoveTree(path);
    }

    private static bool IsLimited(string path)
    {
        using var tree = FileTree.OpenDirectory(path);
        return SubvolumeQuota.UsageOf(tree) is { Limit: > 0 };
    }

    private static void Check(int errno, string doing, string path)
    {
        if (errno != 0)
            throw new LinuxException($"{doing} {path}", errno);
    }
}
