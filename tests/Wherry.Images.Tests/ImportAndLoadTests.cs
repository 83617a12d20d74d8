using Wherry.Errors;
using Wherry.Linux.FileTrees;
using Wherry.Storage.Archives;

namespace Wherry.Images.Tests;

public sealed class ImportAndLoadTests : IDisposable
{
    private readonly StoreFixture _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task An_imported_root_becomes_an_image_with_the_changes_asked_for()
    {
        var image = await ImportAsync("demo:1", ["CMD [\"/bin/hello\"]", "ENV A=1 B=\"two words\"", "EXPOSE 80", "LABEL x=y"]);

        Assert.Equal(["demo:1"], image.RepoTags);
        Assert.Equal(["/bin/hello"], image.Config.Config!.Cmd);
        Assert.Equal(["A=1", "B=two words"], image.Config.Config.Env);
        Assert.Contains("80/tcp", image.Config.Config.ExposedPorts!.Keys);
        Assert.Equal(5, image.Size);
        Assert.Equal(image.Id, _store.Images.Resolve("demo:1").Id);
        Assert.Equal(image.Id, _store.Images.Resolve(image.Id[7..19]).Id);
    }

    [Theory]
    [InlineData(SaveLayout.Docker, ArchiveCompression.None)]
    [InlineData(SaveLayout.Docker, ArchiveCompression.Gzip)]
    [InlineData(SaveLayout.Oci, ArchiveCompression.Zstd)]
    public async Task A_saved_image_loads_elsewhere_as_the_same_image(SaveLayout layout, ArchiveCompression compression)
    {
        var image = await ImportAsync("demo:1", []);
        using var archive = new MemoryStream();
        await _store.Images.SaveAsync(["demo:1"], new SaveFormat(layout, compression), archive, default);

        using var other = new StoreFixture();
        archive.Position = 0;
        var loaded = Assert.Single(await other.Images.LoadAsync(archive, null, default));

        Assert.Equal((image.Id, "demo:1"), (loaded.Id, loaded.Reference));
        Assert.Equal(image.ManifestDigest, other.Images.Resolve("demo:1").ManifestDigest);
        var layer = other.Layers.Mount(other.Layers.CreateSnapshot(other.Directory("c1"), image.ChainId)).Lower[1];
        Assert.Equal("hello", File.ReadAllText(Path.Combine(layer, "bin/hello")));
    }

    [Fact]
    public async Task A_truncated_archive_is_refused_and_leaves_nothing()
    {
        var tar = RootTar();
        var failure = await Assert.ThrowsAsync<TarFormatException>(() =>
            _store.Images.ImportAsync(new MemoryStream(tar, 0, 1024 + 100), new ImportRequest { Reference = "x" }, null, default));
        Assert.Contains("truncated", failure.Message, StringComparison.Ordinal);
        AssertEmpty();
    }

    [Fact]
    public async Task Removing_the_last_name_removes_the_image_with_its_layers_and_blobs()
    {
        var image = await ImportAsync("demo:1", []);
        _store.Images.Tag("demo:1", "demo:2");

        Assert.Equal([new ImageDeletion("demo:1", null)], _store.Images.Remove("demo:1", false, false, _ => []));
        Assert.Equal(
            [new ImageDeletion("demo:2", null), new ImageDeletion(null, image.Id), new ImageDeletion(null, image.ChainId)],
            _store.Images.Remove("demo:2", false, false, _ => []));
        AssertEmpty();
    }

    [Fact]
    public async Task A_conflict_names_the_container()
    {
        var image = await ImportAsync("demo:1", []);
        var failure = Assert.Throws<WherryException>(() =>
            _store.Images.Remove("demo:1", false, false, _ => [new ImageUser("0123456789abcdef", "web", false)]));
        Assert.Equal(ErrorKind.Conflict, failure.Kind);
        Assert.StartsWith(
            $"conflict: unable to remove repository reference \"demo:1\" (must force) - container 0123456789ab is using its referenced image {image.Id[7..19]}",
            failure.Message,
            StringComparison.Ordinal);
        Assert.Contains("web", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_restart_finds_images_again_and_removes_what_nobody_references()
    {
        var image = await ImportAsync("demo:1", []);
        File.WriteAllText(Path.Combine(_store.Data, "content/blobs/sha256", new string('a', 64)), "orphan");
        Directory.CreateDirectory(Path.Combine(_store.Data, "layers/.tmp-left/diff/deep"));

        _store.Reopen();

        Assert.Equal(image.Id, _store.Images.Resolve("demo:1").Id);
        Assert.False(File.Exists(Path.Combine(_store.Data, "content/blobs/sha256", new string('a', 64))));
        Assert.False(Directory.Exists(Path.Combine(_store.Data, "layers/.tmp-left")));
    }

    [Fact]
    public async Task Busybox_is_the_same_image_each_time()
    {
        var first = await _store.Images.BootstrapAsync(new BootstrapRequest("busybox"), null, default);
        using var other = new StoreFixture();
        var second = await other.Images.BootstrapAsync(new BootstrapRequest("busybox"), null, default);

        Assert.Equal(first.Id, second.Id);
        Assert.Equal(first.ManifestDigest, second.ManifestDigest);
        Assert.Equal(["busybox:latest"], first.RepoTags);
    }

    private Task<Image> ImportAsync(string reference, IReadOnlyList<string> changes) =>
        _store.Images.ImportAsync(new MemoryStream(RootTar()), new ImportRequest { Reference = reference, Changes = changes }, null, default);

    private void AssertEmpty()
    {
        Assert.Empty(_store.Images.List());
        Assert.Empty(_store.Files("content/blobs/sha256"));
        Assert.Equal([Path.Combine(_store.Data, "layers/snapshots")], _store.Files("layers"));
        Assert.Empty(_store.Files("images"));
    }

    internal static byte[] RootTar()
    {
        using var stream = new MemoryStream();
        var tar = new TarWriter(stream);
        tar.WriteHeader(new TarEntry { Kind = TarKind.Directory, Name = "bin"u8.ToArray(), Mode = 0x1ED, Modified = new FileTime(1_700_000_000, 0) });
        tar.WriteHeader(new TarEntry { Kind = TarKind.File, Name = "bin/hello"u8.ToArray(), Mode = 0x1ED, Size = 5, Modified = new FileTime(1_700_000_000, 0) });
        tar.WriteData("hello"u8);
        tar.Finish();
        return stream.ToArray();
    }
}
