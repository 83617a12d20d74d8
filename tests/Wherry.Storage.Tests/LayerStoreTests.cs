using System.Text;
using Wherry.Linux.FileTrees;
using Wherry.Storage.Archives;
using Wherry.Storage.Layers;

namespace Wherry.Storage.Tests;

public sealed class LayerStoreTests : IDisposable
{
    private readonly TestTree _tree = new();
    private readonly string _data;

    public LayerStoreTests() => _data = _tree.Make("data");

    public void Dispose() => _tree.Dispose();

    [Fact]
    public void What_a_container_changes_comes_back_as_a_layer()
    {
        var store = LayerStore.Open(_data, "overlay");
        var bottom = Commit(store, null, "gone/file", "kept/one", "kept/two", "replaced/old", "tofile/x", "hard");
        var snapshot = store.CreateSnapshot(_tree.Make("c1"), bottom.ChainId);
        InOverlay(store.Mount(snapshot), "rm -r gone; rm kept/one; rm -r replaced; mkdir replaced; echo n > replaced/new; rm -r tofile; echo f > tofile; chmod 0700 .; ln hard hard2; echo more >> hard; mkdir fresh; echo x > fresh/.keep");
        var before = View(store.Mount(snapshot));

        using var diff = new MemoryStream();
        store.WriteDiff(snapshot, diff, default);
        var members = Names(diff.ToArray());
        Assert.Contains(".wh.gone", members);
        Assert.Contains("kept/.wh.one", members);
        Assert.Contains("replaced/.wh..wh..opq", members);
        Assert.DoesNotContain("etc/hosts", members);

        using var staged = store.Stage();
        diff.Position = 0;
        staged.Unpack(diff, null, TarEnd.Required, default);
        var top = store.Commit(staged, bottom.ChainId);
        var second = store.CreateSnapshot(_tree.Make("c2"), top.ChainId);
        Assert.Equal(before, View(store.Mount(second)));

        using var again = new MemoryStream();
        store.WriteDiff(second, again, default);
        Assert.Equal(1024, again.Length);
    }

    [Fact]
    public void A_whiteout_hides_lower_layers_only()
    {
        var store = LayerStore.Open(_data, "overlay");
        var bottom = Commit(store, null, "a/lower", "b/lower", "c");
        using var stream = new MemoryStream();
        var writer = new TarWriter(stream);
        foreach (var name in new[] { "a/upper", ".wh.a", ".wh.b", "b/upper", "c", ".wh.c" })
            writer.WriteHeader(new TarEntry { Kind = TarKind.File, Name = Encoding.ASCII.GetBytes(name), Mode = 0x1A4 });
        writer.Finish();
        var top = Commit(store, bottom.ChainId, stream.ToArray());
        var snapshot = store.CreateSnapshot(_tree.Make("c1"), top.ChainId);
        var files = TestTree.Run("unshare", "-m", "sh", "-c", MountScript(store.Mount(snapshot)) + "; find a b c -type f | sort");
        Assert.Equal("a/upper\nb/upper\nc\n", files);
    }

    [Fact]
    public void Directories_an_archive_only_implies_keep_the_look_of_the_layer_below()
    {
        var store = LayerStore.Open(_data, "overlay");
        using var stream = new MemoryStream();
        var writer = new TarWriter(stream);
        writer.WriteHeader(new TarEntry { Kind = TarKind.Directory, Name = "tmp"u8.ToArray(), Mode = 0x3FF, Uid = 5, Gid = 6, Modified = new FileTime(1_000_000_000, 5) });
        writer.Finish();
        var bottom = Commit(store, null, stream.ToArray());
        var top = Commit(store, bottom.ChainId, "tmp/x");
        var path = Path.Combine(_data, "layers", Digests.Hex(top.ChainId), "diff/tmp");
        Assert.Equal("1777 5 6 1000000000", TestTree.Run("stat", "-c", "%a %u %g %Y", path).Trim());
    }

    [Fact]
    public void A_snapshot_keeps_its_layers_over_a_restart_and_gives_them_up_when_removed()
    {
        var store = LayerStore.Open(_data, "overlay");
        var layer = Commit(store, null, "x");
        var container = _tree.Make("c1");
        store.CreateSnapshot(container, layer.ChainId);
        store.Release(layer.ChainId);
        Assert.NotNull(store.Find(layer.ChainId));

        store = LayerStore.Open(_data, "overlay");
        store.RemoveUnreferenced();
        Assert.NotNull(store.Find(layer.ChainId));
        Assert.True(Directory.Exists(Path.Combine(container, "upper")));

        store.RemoveSnapshot(container);
        Assert.Null(store.Find(layer.ChainId));
        Assert.Empty(Directory.EnumerateFileSystemEntries(container));
        Assert.Equal([Path.Combine(_data, "layers/snapshots")], Directory.EnumerateFileSystemEntries(Path.Combine(_data, "layers")));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_data, "layers/snapshots")));
    }

    [Fact]
    public void A_snapshot_whose_directory_is_gone_is_forgotten_at_the_next_start()
    {
        var store = LayerStore.Open(_data, "overlay");
        var layer = Commit(store, null, "x");
        var container = _tree.Make("c1");
        store.CreateSnapshot(container, layer.ChainId);
        FileTree.RemoveTree(container);

        store = LayerStore.Open(_data, "overlay");
        Assert.Equal([layer.ChainId], store.RemoveUnreferenced());
    }

    [Fact]
    public void Layers_go_with_the_last_that_needs_them()
    {
        var store = LayerStore.Open(_data, "overlay");
        var bottom = Commit(store, null, "a");
        var left = Commit(store, bottom.ChainId, "b");
        var right = Commit(store, bottom.ChainId, "c");
        store.Release(bottom.ChainId);
        Assert.Equal([left.ChainId], store.Release(left.ChainId));
        Assert.Equal([right.ChainId, bottom.ChainId], store.Release(right.ChainId));
    }

    [Fact]
    public void What_is_mounted_in_a_tree_survives_the_trees_removal()
    {
        var doomed = _tree.Make("doomed");
        var inside = _tree.Make("doomed/mounted");
        TestTree.Run("mount", "-t", "tmpfs", "wherry-storage-test", inside);
        try
        {
            File.WriteAllText(Path.Combine(inside, "file"), "alive");
            Assert.ThrowsAny<Errors.WherryException>(() => FileTree.RemoveTree(doomed));
            Assert.Equal("alive", File.ReadAllText(Path.Combine(inside, "file")));
        }
        finally
        {
            TestTree.Run("umount", inside);
        }
        FileTree.RemoveTree(doomed);
        Assert.False(Directory.Exists(doomed));
    }

    [Fact]
    public void Other_drivers_are_refused_by_name()
    {
        var failure = Assert.Throws<Errors.WherryException>(() => LayerStore.Open(_data, "zfs"));
        Assert.Contains("zfs", failure.Message, StringComparison.Ordinal);
    }

    private static Layer Commit(LayerStore store, string? parent, params string[] files)
    {
        using var stream = new MemoryStream();
        var writer = new TarWriter(stream);
        foreach (var name in files)
        {
            writer.WriteHeader(new TarEntry { Kind = TarKind.File, Name = Encoding.ASCII.GetBytes(name), Mode = 0x1A4, Size = name.Length });
            writer.WriteData(Encoding.ASCII.GetBytes(name));
        }
        writer.Finish();
        return Commit(store, parent, stream.ToArray());
    }

    private static Layer Commit(LayerStore store, string? parent, byte[] archive)
    {
        using var staged = store.Stage();
        staged.Unpack(new MemoryStream(archive), null, TarEnd.Required, default);
        return store.Commit(staged, parent);
    }

    private static List<string> Names(byte[] archive)
    {
        using var reader = new TarReader(new MemoryStream(archive));
        var names = new List<string>();
        while (reader.Next() is { } entry)
            names.Add(entry.NameText);
        return names;
    }

    private static string MountScript(SnapshotMount mount) =>
        $"mount -t overlay overlay -o lowerdir={string.Join(':', mount.Lower)},upperdir={mount.Upper},workdir={mount.Work},{string.Join(',', mount.Options)} '{Path.GetDirectoryName(mount.Upper)}/rootfs' && cd '{Path.GetDirectoryName(mount.Upper)}/rootfs'";

    private static void InOverlay(SnapshotMount mount, string script) =>
        TestTree.Run("unshare", "-m", "sh", "-ec", MountScript(mount) + "\n" + script);

    private static string View(SnapshotMount mount) =>
        TestTree.Run("unshare", "-m", "sh", "-ec", MountScript(mount) + "\nfind . -printf '%P %y %m %U %G %l\\n' | sort; find . -type f -print0 | sort -z | xargs -0 sha256sum");
}
