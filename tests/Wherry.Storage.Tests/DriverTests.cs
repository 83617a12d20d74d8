using System.Text;
using Wherry.Errors;
using Wherry.Linux.FileTrees;
using Wherry.Linux.Mounts;
using Wherry.Linux.Processes;
using Wherry.Storage.Archives;
using Wherry.Storage.Layers;
using Wherry.Storage.Trees;

namespace Wherry.Storage.Tests;

/// <summary>What every storage driver promises, on a file system that it can use; btrfs on an image of its own.</summary>
public sealed class DriverTests : IDisposable
{
    private readonly TestTree _tree = new();
    private string? _mounted;

    public void Dispose()
    {
        if (_mounted is not null)
            TestTree.Run("umount", "-l", _mounted); // a program that served a root there may be about to end
        _tree.Dispose();
    }

    [Theory]
    [InlineData("overlay")]
    [InlineData("fuse-overlayfs")]
    [InlineData("vfs")]
    [InlineData("btrfs")]
    public void Changes_of_a_container_are_told_packed_and_unpacked_again(string driver) => ShowChanges(driver, DataFor(driver));

    [Theory]
    [InlineData("fuse-overlayfs")]
    [InlineData("vfs")]
    public void They_are_so_on_an_overlay_too_which_takes_no_whiteouts(string driver) => ShowChanges(driver, DataOnOverlay(driver));

    [Theory]
    [InlineData("overlay", false)]
    [InlineData("fuse-overlayfs", false)]
    [InlineData("fuse-overlayfs", true)]
    [InlineData("vfs", true)]
    public void A_member_after_a_whiteout_of_its_name_replaces_what_is_below(string driver, bool onOverlay)
    {
        var data = onOverlay ? DataOnOverlay(driver) : DataFor(driver);
        var store = LayerStore.Open(data, driver);
        var bottom = Commit(store, null, Pack(Folder("d"), Text("d/below", "1"), Text("f", "1"), Folder("gone"), Text("gone/x", "1"), Folder("late"), Text("late/x", "1")));
        var top = Commit(store, bottom.ChainId, Pack(
            Text(".wh.d", ""), Folder("d"), Text("d/above", "2"), Text(".wh.f", ""), Text("f", "2"), Text(".wh.gone", ""), Text("gone/y", "2"), Folder("late"), Text("late/y", "2"), Text(".wh.late", "")));
        var snapshot = store.CreateSnapshot(Path.Combine(data, "snapshots", "c1"), top.ChainId);
        Assert.Empty(store.Changes(snapshot));
        using var root = store.MountRoot(snapshot);
        var path = $"/proc/{Environment.ProcessId}/fd/{root.Number}";
        Assert.Equal("2", File.ReadAllText($"{path}/f"));
        Assert.Equal(
            ["d/above", "gone/y", "late/y"],
            new[] { "d", "gone", "late" }.SelectMany(name => Directory.EnumerateFileSystemEntries($"{path}/{name}").Select(entry => $"{name}/{Path.GetFileName(entry)}")));
    }

    private static void ShowChanges(string driver, string data)
    {
        var store = LayerStore.Open(data, driver);
        Assert.Equal(driver, store.DriverName);
        var bottom = Commit(store, null, Pack(Folder("etc"), Text("etc/old", "old"), Text("etc/kept", "kept"), Text("gone", "gone"), Folder("dir"), Text("dir/a", "a")));
        var top = Commit(store, bottom.ChainId, Pack(Text(".wh.gone", ""), Text("etc/old", "newer"), Folder("dir"), Text("dir/.wh..wh..opq", ""), Text("dir/b", "b")));
        var snapshot = store.CreateSnapshot(Path.Combine(data, "snapshots", "c1"), top.ChainId);
        using (var root = store.MountRoot(snapshot))
        {
            var path = $"/proc/{Environment.ProcessId}/fd/{root.Number}";
            Assert.Equal("newer", File.ReadAllText($"{path}/etc/old"));
            Assert.False(File.Exists($"{path}/gone"));
            Assert.False(File.Exists($"{path}/dir/a"));
            Assert.True(Directory.Exists($"{path}/proc"));
            File.WriteAllText($"{path}/etc/old", "newest");
            File.WriteAllText($"{path}/added", "added");
            File.Delete($"{path}/etc/kept");
            File.Delete($"{path}/dir/b");
            Directory.CreateDirectory($"{path}/dir/sub");
        }

        var changes = store.Changes(snapshot).Select(change => $"{change.Kind} {Encoding.UTF8.GetString(change.Path)}").Order(StringComparer.Ordinal);
        Assert.Equal(["Added added", "Added dir/sub", "Deleted dir/b", "Deleted etc/kept", "Modified dir", "Modified etc", "Modified etc/old"], changes);
        Assert.Equal(11, store.DiffSize(snapshot));

        using var diff = new MemoryStream();
        store.WriteDiff(snapshot, diff, default);
        var again = Commit(store, top.ChainId, diff.ToArray());
        var second = store.CreateSnapshot(Path.Combine(data, "snapshots", "c2"), again.ChainId);
        Assert.Empty(store.Changes(second));
        using (var root = store.MountRoot(second))
        {
            var path = $"/proc/{Environment.ProcessId}/fd/{root.Number}";
            Assert.Equal(("newest", "added"), (File.ReadAllText($"{path}/etc/old"), File.ReadAllText($"{path}/added")));
            Assert.False(File.Exists($"{path}/etc/kept"));
            Assert.True(Directory.Exists($"{path}/dir/sub"));
        }

        store = LayerStore.Open(data, null);
        Assert.Equal(driver, store.DriverName);
        store.RemoveSnapshot(snapshot.Directory);
        store.RemoveSnapshot(second.Directory);
        store.RemoveUnreferenced();
        Assert.DoesNotContain(Directory.EnumerateDirectories(Path.Combine(data, "layers")), directory => Digests.IsHexDigest(Path.GetFileName(directory)) || Path.GetFileName(directory).StartsWith('.'));
    }

    [Theory]
    [InlineData("overlay")]
    [InlineData("fuse-overlayfs")]
    [InlineData("vfs")]
    [InlineData("btrfs")]
    public void An_image_flattens_to_one_layer_with_the_same_files(string driver)
    {
        var store = LayerStore.Open(DataFor(driver), driver);
        var bottom = Commit(store, null, Pack(Text("a", "1"), Text("b", "2"), Text(".wh.nothing", "")));
        var top = Commit(store, bottom.ChainId, Pack(Text(".wh.a", ""), Text("c", "3")));
        using var flat = new MemoryStream();
        store.WriteFlat(top.ChainId, flat, default);
        var names = Names(flat.ToArray());
        Assert.Equal(["./", "b", "c"], names);
        var one = Commit(store, null, flat.ToArray());
        Assert.Empty(store.Compare(top.ChainId, one.ChainId));
        Assert.Equal(["Deleted a", "Added c"], store.Compare(bottom.ChainId, top.ChainId).Select(change => $"{change.Kind} {Encoding.UTF8.GetString(change.Path)}"));
    }

    [Theory]
    [InlineData("overlay")]
    [InlineData("fuse-overlayfs")]
    public void An_image_of_499_layers_works_and_one_of_500_is_refused_with_advice(string driver)
    {
        var data = DataFor(driver);
        var store = LayerStore.Open(data, driver);
        string? chain = null;
        for (var i = 0; i < 499; i++)
            chain = Commit(store, chain, Pack(Text($"layer-{i}", "x"))).ChainId;
        var snapshot = store.CreateSnapshot(Path.Combine(data, "snapshots", "c1"), chain);
        using (var root = store.MountRoot(snapshot))
        {
            var path = $"/proc/{Environment.ProcessId}/fd/{root.Number}";
            Assert.Equal(499, Directory.EnumerateFiles(path, "layer-*").Count());
        }

        var failure = Assert.Throws<WherryException>(() => Commit(store, chain, Pack(Text("one-too-many", "x"))));
        Assert.Contains("more than 499 layers", failure.Message, StringComparison.Ordinal);
        Assert.Contains("flatten", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Layers_of_one_driver_are_not_given_to_another()
    {
        var data = DataFor("vfs");
        Commit(LayerStore.Open(data, "vfs"), null, Pack(Text("a", "1")));
        var failure = Assert.Throws<WherryException>(() => LayerStore.Open(data, "overlay"));
        Assert.Contains("made by the storage driver vfs", failure.Message, StringComparison.Ordinal);
        var elsewhere = Assert.Throws<WherryException>(() => LayerStore.Open(_tree.Make("other"), "btrfs"));
        Assert.Contains("btrfs can't be used on", elsewhere.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Owners_are_mapped_for_a_user_namespace()
    {
        var target = _tree.Make("mapped");
        var map = new IdMap([new IdRange(0, 100_000, 1000)], [new IdRange(0, 200_000, 1000)]);
        var archive = Pack(Text("sub/file", "x", 7, 8));
        Extract(target, archive, ExtractionRules.Files with { Ids = map });
        Assert.Equal("100007 200008", TestTree.Run("stat", "-c", "%u %g", Path.Combine(target, "sub/file")).Trim());
        Assert.Equal("100000 200000", TestTree.Run("stat", "-c", "%u %g", Path.Combine(target, "sub")).Trim());
        var failure = Assert.Throws<TarFormatException>(() => Extract(target, Pack(Text("x", "x", 1000)), ExtractionRules.Files with { Ids = map }));
        Assert.Contains("user 1000 has no id", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_archives_unpack_or_fail_but_never_escape_crash_or_hang()
    {
        var outside = _tree.Make("outside");
        File.WriteAllText(Path.Combine(outside, "canary"), "alive");
        var whole = Pack(
            Folder("d"), Text("d/one", "1"), Link("up", "../outside"), Link("abs", outside), Text("up2/x", "x"),
            new Member(new TarEntry { Kind = TarKind.HardLink, Name = "hard"u8.ToArray(), LinkName = "d/one"u8.ToArray() }),
            Text(".wh.two", ""), Text("d/.wh..wh..opq", ""), new Member(new TarEntry { Kind = TarKind.Fifo, Name = "fifo"u8.ToArray(), Mode = 0x1A4 }),
            Text(new string('n', 180), "long"), Text("abs/canary", "dead"));
        var random = new Random(20261121);
        for (var round = 0; round < 1500; round++)
        {
            var damaged = (byte[])whole.Clone();
            for (var i = random.Next(1, 5); i > 0; i--)
            {
                // Names, kinds and links more often than data: there is where an escape would be.
                var block = random.Next(damaged.Length / 512) * 512;
                damaged[block + (random.Next(2) == 0 ? random.Next(512) : random.Next(160))] = (byte)"./0123456789\0abcd"[random.Next(17)];
            }

            RepairChecksums(damaged);
            var target = _tree.Make($"target/{round % 8}-{round}");
            try
            {
                Extract(target, damaged, round % 2 == 0 ? ExtractionRules.Layer : ExtractionRules.Files);
            }
            catch (WherryException)
            {
            }

            Assert.Equal("alive", File.ReadAllText(Path.Combine(outside, "canary")));
            Assert.Single(Directory.EnumerateFileSystemEntries(outside));
            FileTree.RemoveTree(target);
        }
    }

    private static void RepairChecksums(byte[] archive)
    {
        for (var at = 0; at + 512 <= archive.Length; at += 512)
        {
            var block = archive.AsSpan(at, 512);
            if (!block[257..262].SequenceEqual("ustar"u8))
                continue;
            block[148..156].Fill((byte)' ');
            var sum = 0;
            foreach (var value in block)
                sum += value;
            Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(block[148..156]);
        }
    }

    private string DataOnOverlay(string driver)
    {
        Assert.SkipWhen(driver == "fuse-overlayfs" && FuseOverlay.FindProgram() is null, "this host has no fuse-overlayfs");
        var place = _tree.Make("merged");
        TestTree.Run("mount", "-t", "overlay", "-o", $"lowerdir={_tree.Make("below")},upperdir={_tree.Make("above")},workdir={_tree.Make("work")}", "overlay", place);
        _mounted = place;
        return Path.Combine(place, "data");
    }

    private string DataFor(string driver)
    {
        Assert.SkipWhen(driver == "fuse-overlayfs" && FuseOverlay.FindProgram() is null, "this host has no fuse-overlayfs");
        if (driver != "btrfs")
            return _tree.Make("data");
        _mounted = _tree.MountBtrfs();
        return Path.Combine(_mounted, "data");
    }

    private static void Extract(string target, byte[] archive, ExtractionRules rules)
    {
        using var reader = new TarReader(new MemoryStream(archive));
        using var tree = new TreeExtractor(target, rules);
        tree.Extract(reader, default);
    }

    private static Layer Commit(LayerStore store, string? parent, byte[] archive)
    {
        using var staged = store.Stage();
        staged.Unpack(new MemoryStream(archive), null, TarEnd.Required, default);
        return store.Commit(staged, parent);
    }

    private static byte[] Pack(params Member[] members)
    {
        using var stream = new MemoryStream();
        var writer = new TarWriter(stream);
        foreach (var (entry, data) in members)
        {
            writer.WriteHeader(entry);
            writer.WriteData(Encoding.ASCII.GetBytes(data));
        }

        writer.Finish();
        return stream.ToArray();
    }

    private static List<string> Names(byte[] archive)
    {
        using var reader = new TarReader(new MemoryStream(archive));
        var names = new List<string>();
        while (reader.Next() is { } entry)
            names.Add(entry.NameText);
        return names;
    }

    private static Member Text(string name, string text, uint uid = 0, uint gid = 0) => new(
        new TarEntry { Kind = TarKind.File, Name = Encoding.UTF8.GetBytes(name), Mode = 0x1A4, Uid = uid, Gid = gid, Size = text.Length, Modified = new FileTime(1_700_000_000, 0) },
        text);

    private static Member Folder(string name) =>
        new(new TarEntry { Kind = TarKind.Directory, Name = Encoding.UTF8.GetBytes(name), Mode = 0x1ED, Modified = new FileTime(1_700_000_000, 0) });

    private static Member Link(string name, string target) =>
        new(new TarEntry { Kind = TarKind.Symlink, Name = Encoding.UTF8.GetBytes(name), LinkName = Encoding.UTF8.GetBytes(target) });

    private sealed record Member(TarEntry Entry, string Data = "");
}
