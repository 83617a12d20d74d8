using Wherry.Errors;
using Wherry.Linux.BtrfsVolumes;
using Wherry.Linux.FileTrees;
using Wherry.Linux.ProjectQuotas;
using Wherry.Storage.Archives;
using Wherry.Storage.Layers;

namespace Wherry.Storage.Tests;

/// <summary>Snapshots with a size, on a file system of their own that has project quotas.</summary>
public sealed class SizedSnapshotTests : IDisposable
{
    private const int Megabyte = 1 << 20;

    private readonly TestTree _tree = new();
    private string? _mounted;

    public void Dispose()
    {
        if (_mounted is not null)
            TestTree.Run("umount", _mounted);
        _tree.Dispose();
    }

    [Fact]
    public void A_snapshot_has_a_project_of_its_own_for_as_long_as_it_is_there()
    {
        var data = Mount("prjquota");
        var store = LayerStore.Open(data, "overlay");
        Assert.Null(store.WhyNoSizes);
        var first = store.CreateSnapshot(Path.Combine(data, "snapshots", "c1"), null, 8 * Megabyte);
        var second = store.CreateSnapshot(Path.Combine(data, "snapshots", "c2"), null, (9 * Megabyte) + 1);
        var free = store.CreateSnapshot(Path.Combine(data, "snapshots", "c3"), null);
        var (one, two) = (ProjectOf(first.Directory), ProjectOf(second.Directory));
        Assert.NotEqual(0u, one);
        Assert.NotEqual(one, two);
        Assert.Equal(0u, ProjectOf(free.Directory));
        Assert.Equal((one, one), (ProjectOf(first.Upper), ProjectOf(first.Work)));
        Assert.Equal(8 * Megabyte, Usage(data, one).LimitBytes);
        Assert.Equal((9 * Megabyte) + 1024, Usage(data, two).LimitBytes);

        File.WriteAllBytes(Path.Combine(first.Upper, "file"), new byte[Megabyte]);
        Assert.InRange(Usage(data, one).Bytes, Megabyte, 2 * Megabyte);

        // Another engine's start knows of it what the directory says.
        store = LayerStore.Open(data, null);
        store.RemoveSnapshot(first.Directory);
        Directory.Delete(first.Directory);
        Assert.Equal(default, Usage(data, one));
        Assert.Equal((9 * Megabyte) + 1024, Usage(data, two).LimitBytes);
    }

    [Fact]
    public void Projects_are_never_shared_and_those_of_others_left_alone()
    {
        var data = Mount("prjquota");
        const uint others = 77;
        using (var directory = FileTree.OpenDirectory(data))
        {
            ProjectQuota.SetProject(directory, others);
            ProjectQuota.SetLimit(directory, others, 50 * Megabyte);
        }

        var stores = new[] { LayerStore.Open(Path.Combine(data, "a"), "overlay"), LayerStore.Open(Path.Combine(data, "b"), "overlay") };
        Parallel.For(0, 60, new ParallelOptions { MaxDegreeOfParallelism = 8 }, number =>
            stores[number % 2].CreateSnapshot(Path.Combine(data, $"snapshots{number % 2}", $"c{number}"), null, 2 * Megabyte));
        var projects = Enumerable.Range(0, 60).Select(number => ProjectOf(Path.Combine(data, $"snapshots{number % 2}", $"c{number}"))).ToArray();
        Assert.Equal(60, projects.Distinct().Count());
        Assert.DoesNotContain(others, projects);

        var unsized = stores[0].CreateSnapshot(Path.Combine(data, "snapshots0", "unsized"), null);
        Assert.Equal(others, ProjectOf(unsized.Directory));
        stores[0].RemoveSnapshot(unsized.Directory);
        Assert.Equal(50 * Megabyte, Usage(data, others).LimitBytes);
    }

    [Fact]
    public void Where_a_size_can_not_be_kept_the_reason_is_told_and_nothing_made()
    {
        var counted = LayerStore.Open(Mount("noquota"), "overlay");
        AssertRefused(counted, "mount it with prjquota");
        AssertRefused(LayerStore.Open(_tree.Make("vfs"), "vfs"), "vfs");
    }

    [Fact]
    public void On_btrfs_a_snapshot_takes_no_more_than_its_size_beside_its_image()
    {
        var data = MountBtrfs();
        var store = LayerStore.Open(data, "btrfs");
        Assert.Null(store.WhyNoSizes);

        // The image alone is larger than the size.
        var image = CommitLarge(store, 12 * Megabyte);
        var unsized = store.CreateSnapshot(Path.Combine(data, "snapshots", "c0"), image);
        Assert.Null(Usage(unsized));
        var sized = store.CreateSnapshot(Path.Combine(data, "snapshots", "c1"), image, 8 * Megabyte);
        var other = store.CreateSnapshot(Path.Combine(data, "snapshots", "c2"), image, 9 * Megabyte);
        Assert.Equal((8 * Megabyte, 9 * Megabyte, 0), (Usage(sized)!.Value.Limit, Usage(other)!.Value.Limit, Usage(unsized)!.Value.Limit));

        var full = Assert.ThrowsAny<IOException>(() => File.WriteAllBytes(Path.Combine(sized.RootFs, "more"), new byte[16 * Megabyte]));
        Assert.Contains("quota", full.Message, StringComparison.OrdinalIgnoreCase);
        File.WriteAllBytes(Path.Combine(other.RootFs, "more"), new byte[6 * Megabyte]);
        File.WriteAllBytes(Path.Combine(unsized.RootFs, "more"), new byte[16 * Megabyte]);

        // Another engine removes it, and its limit goes once its blocks are free: by the kernel, or else by the next start.
        store = LayerStore.Open(data, null);
        using var directory = FileTree.OpenDirectory(data);
        var (gone, kept) = (IdOf(sized), IdOf(other));
        Assert.Contains(gone, SubvolumeQuota.Counted(directory));
        store.RemoveSnapshot(sized.Directory);
        var patience = 60;
        while (SubvolumeQuota.Counted(directory).Contains(gone))
        {
            Assert.True(patience-- > 0, "the removed snapshot's group stays");

            // What the kernel's cleaner has removed is gone, and no more counted, with the next transaction.
            Thread.Sleep(250);
            TestTree.Run("btrfs", "filesystem", "sync", data);
            store = LayerStore.Open(data, null);
        }

        Assert.Contains(kept, SubvolumeQuota.Counted(directory));
    }

    private string CommitLarge(LayerStore store, int bytes)
    {
        var files = _tree.Make("files");
        File.WriteAllBytes(Path.Combine(files, "large"), new byte[bytes]);
        var archive = Path.Combine(_tree.Root, "image.tar");
        TestTree.Run("tar", "-cf", archive, "-C", files, "large");
        using var stream = File.OpenRead(archive);
        using var staged = store.Stage();
        staged.Unpack(stream, null, TarEnd.Required, default);
        return store.Commit(staged, null).ChainId;
    }

    private static ulong IdOf(Snapshot snapshot)
    {
        using var root = FileTree.OpenDirectory(snapshot.RootFs);
        return SubvolumeQuota.IdOf(root)!.Value;
    }

    private static (long Bytes, long Limit)? Usage(Snapshot snapshot)
    {
        using var root = FileTree.OpenDirectory(snapshot.RootFs);
        return SubvolumeQuota.UsageOf(root);
    }

    /// <summary>The data root on a btrfs of its own.</summary>
    private string MountBtrfs()
    {
        _mounted = _tree.MountBtrfs();
        return Directory.CreateDirectory(Path.Combine(_mounted, "data")).FullName;
    }

    private void AssertRefused(LayerStore store, string reason)
    {
        Assert.Contains(reason, store.WhyNoSizes, StringComparison.Ordinal);
        var directory = Path.Combine(_tree.Root, "refused");
        var failure = Assert.Throws<WherryException>(() => store.CreateSnapshot(directory, null, 8 * Megabyte));
        Assert.Equal(ErrorKind.Unsupported, failure.Kind);
        Assert.Empty(Directory.GetFileSystemEntries(directory));
    }

    private static uint ProjectOf(string path)
    {
        using var directory = FileTree.OpenDirectory(path);
        return ProjectQuota.ProjectOf(directory);
    }

    private static ProjectUsage Usage(string path, uint project)
    {
        using var directory = FileTree.OpenDirectory(path);
        return ProjectQuota.UsageOf(directory, project);
    }

    /// <summary>The data root on an ext4 of its own.</summary>
    private string Mount(string option)
    {
        var image = Path.Combine(_tree.Root, "ext4.img");
        TestTree.Run("truncate", "-s", "256M", image);
        TestTree.Run("mkfs.ext4", "-q", "-O", "project,quota", image);
        var place = _tree.Make("ext4");
        var mount = TestTree.TryRun("mount", "-o", $"loop,{option}", image, place);
        if (mount is not null)
            Assert.Skip($"this kernel mounts no ext4 with project quotas; the virtual machine's does: {mount}");
        _mounted = place;
        return Directory.CreateDirectory(Path.Combine(place, "data")).FullName;
    }
}
