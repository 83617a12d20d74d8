using Wherry.Linux.FileTrees;
using Wherry.Storage.Archives;
using Wherry.Storage.Layers;

namespace Wherry.Storage.Tests;

public sealed class GnuTarTests : IDisposable
{
    private readonly TestTree _tree = new();

    public void Dispose() => _tree.Dispose();

    [Theory]
    [InlineData("--format=gnu")]
    [InlineData("--format=gnu", "-S")]
    [InlineData("--format=pax")]
    [InlineData("--format=pax", "-S", "--sparse-version=0.0")]
    [InlineData("--format=pax", "-S", "--sparse-version=0.1")]
    [InlineData("--format=pax", "-S", "--sparse-version=1.0")]
    [InlineData("--format=gnu", "-z")]
    [InlineData("--format=gnu", "--zstd")]
    public void What_GNU_tar_packs_unpacks_to_the_same_tree(params string[] options)
    {
        var source = MakeTree();
        if (!options.Contains("--format=pax"))
            TestTree.Run("sh", "-c", $"cd '{source}' && find . -exec touch -h -d @1700000000 {{}} +");
        var archive = Path.Combine(_tree.Root, "a.tar");
        TestTree.Run("tar", ["cf", archive, .. options, "--xattrs", "-C", source, "."]);

        using var store = new StagedStore(_tree.Make("data"));
        var diff = store.Unpack(File.ReadAllBytes(archive));

        Assert.Equal(TestTree.Describe(source), TestTree.Describe(diff));
        if (options.Contains("-S"))
            Assert.True(int.Parse(TestTree.Run("stat", "-c", "%b", Path.Combine(diff, "sparse"))) < 2000, "holes became data");
    }

    [Fact]
    public void What_is_packed_GNU_tar_unpacks_to_the_same_tree()
    {
        var source = MakeTree();
        using var store = new StagedStore(_tree.Make("data"));
        var archive = Path.Combine(_tree.Root, "b.tar");
        File.WriteAllBytes(archive, store.Pack(source));
        var target = _tree.Make("target");
        TestTree.Run("tar", "xpf", archive, "--same-owner", "--numeric-owner", "-C", target);

        Assert.Equal(TestTree.Describe(source), TestTree.Describe(target));
    }

    [Fact]
    public void The_same_tree_packs_to_the_same_bytes_and_so_does_its_copy()
    {
        var source = MakeTree();
        using var store = new StagedStore(_tree.Make("data"));
        var first = store.Pack(source);
        Assert.Equal(first, store.Pack(source));
        Assert.Equal(first, store.Pack(store.Unpack(first)));
    }

    [Fact]
    public void Capabilities_and_setuid_bits_survive()
    {
        var source = _tree.Make("caps");
        var file = Path.Combine(source, "ping");
        File.WriteAllText(file, "x");
        byte[] capability = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        using (var directory = FileTree.OpenDirectory(source))
        {
            Assert.Equal(0, FileTree.SetOwner(directory, "ping"u8, 12, 3_000_000_000));
            Assert.Equal(0, FileTree.SetModeOfNode(directory, "ping"u8, 0xDED)); // 06755
            Assert.Equal(0, FileTree.SetAttribute(directory, "ping"u8, "security.capability"u8, capability));
            Assert.Equal(0, FileTree.SetAttribute(directory, "ping"u8, "trusted.overlay.redirect"u8, "/etc"u8));
        }
        using var store = new StagedStore(_tree.Make("data"));
        using var unpacked = FileTree.OpenDirectory(store.Unpack(store.Pack(source)));
        Assert.Equal(0, FileTree.GetStatus(unpacked, "ping"u8, out var status));
        Assert.Equal((0xDEDu, 12u, 3_000_000_000u), (status.Permissions, status.Uid, status.Gid));
        Assert.Equal(capability, FileTree.GetAttribute(unpacked, "ping"u8, "security.capability"u8));
        Assert.Null(FileTree.GetAttribute(unpacked, "ping"u8, "trusted.overlay.redirect"u8));
    }

    private string MakeTree()
    {
        var source = _tree.Make("source");
        var deep = string.Join('/', Enumerable.Repeat("a-rather-long-directory-name", 8));
        TestTree.Run("sh", "-c", $$"""
            cd '{{source}}'
            mkdir -p bin sub/'{{deep}}' empty
            echo hello > bin/hello; chmod 4755 bin/hello; ln bin/hello bin/again; ln -s hello bin/link
            ln -s '{{deep}}{{deep}}' bin/longlink
            echo deep > sub/'{{deep}}'/file
            printf '\377\376 not text' > "$(printf 'name-\377\376')"
            mkfifo fifo; mknod char c 1 3; mknod block b 7 200
            truncate -s 5M sparse; printf data | dd of=sparse bs=1 seek=1048576 conv=notrunc status=none; printf end | dd of=sparse bs=1 seek=3000000 conv=notrunc status=none
            chown 123456:2097160 bin/hello; chown -h 7:8 bin/link; chmod 1777 empty; chmod 6755 bin/hello
            touch -d '1969-12-31 23:59:58.5 UTC' old; touch -d '2001-02-03 04:05:06.123456789 UTC' new empty
            """);
        return source;
    }
}

/// <summary>A layer store with just what packing and unpacking needs.</summary>
public sealed class StagedStore : IDisposable
{
    private readonly LayerStore _store;
    private readonly List<StagedLayer> _staged = [];
    private readonly string _root;

    public StagedStore(string root)
    {
        _root = root;
        _store = LayerStore.Open(root, "overlay");
    }

    /// <summary>Unpacks an archive and gives the directory.</summary>
    public string Unpack(byte[] archive, TarEnd end = TarEnd.Required)
    {
        var staged = _store.Stage();
        _staged.Add(staged);
        staged.Unpack(new MemoryStream(archive), null, end, default);
        return Directory.EnumerateDirectories(Path.Combine(_root, "layers"), ".tmp-*")
            .OrderBy(Directory.GetCreationTimeUtc)
            .Select(directory => Path.Combine(directory, "diff"))
            .Last(Directory.Exists);
    }

    /// <summary>Packs a directory as if it were a snapshot's upper.</summary>
    public byte[] Pack(string directory)
    {
        var container = Path.Combine(_root, Guid.NewGuid().ToString("N"));
        var snapshot = _store.CreateSnapshot(container, null);
        Directory.Delete(snapshot.Upper);
        File.CreateSymbolicLink(snapshot.Upper, directory);
        using var stream = new MemoryStream();
        _store.WriteDiffAsync(snapshot, stream, default).GetAwaiter().GetResult();
        _store.RemoveSnapshot(container);
        return stream.ToArray();
    }

    public void Dispose() => _staged.ForEach(staged => staged.Dispose());
}
