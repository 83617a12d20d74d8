using System.Formats.Tar;
using System.Text;
using Wherry.Errors;
using Wherry.Storage.Layers;

namespace Wherry.Images.Tests;

/// <summary>Archives as other tools make them.</summary>
public sealed class ArchiveFormTests : IDisposable
{
    private readonly StoreFixture _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task Old_docker_archives_load_with_shared_and_linked_layers()
    {
        var layer = ImportAndLoadTests.RootTar();
        var diff = Digests.Of(layer);
        var config = Config(diff, diff);
        var archive = Archive(tar =>
        {
            Add(tar, "a/layer.tar", layer);
            Add(tar, "a/VERSION", "1.0"u8.ToArray());
            tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "b/layer.tar") { LinkName = "../a/layer.tar" });
            Add(tar, $"{Digests.Hex(Digests.Of(config))}.json", config);
            Add(tar, "manifest.json", $$"""[{"Config":"{{Digests.Hex(Digests.Of(config))}}.json","RepoTags":["old:1","old:2"],"Layers":["a/layer.tar","b/layer.tar"]}]""");
        });

        var loaded = await _store.Images.LoadAsync(archive, null, default);

        Assert.Equal(["old:1", "old:2"], loaded.Select(image => image.Reference));
        var image = _store.Images.Resolve("old:2");
        Assert.Equal(Digests.Of(config), image.Id);
        Assert.Equal(10, image.Size);
        Assert.Equal(2, _store.Layers.Chain(image.ChainId).Count);
    }

    [Theory]
    [InlineData("config digest")]
    [InlineData("layer digest")]
    [InlineData("layer missing")]
    [InlineData("layers count")]
    [InlineData("no manifest")]
    [InlineData("broken manifest")]
    [InlineData("bad name")]
    [InlineData("null entry")]
    [InlineData("null layer")]
    public async Task Archives_that_contradict_themselves_are_refused_and_leave_nothing(string fault)
    {
        var layer = ImportAndLoadTests.RootTar();
        var diff = fault == "layer digest" ? "sha256:" + new string('1', 64) : Digests.Of(layer);
        var config = fault == "layers count" ? Config(diff, diff) : Config(diff);
        var name = fault == "config digest" ? new string('2', 64) : Digests.Hex(Digests.Of(config));
        var archive = Archive(tar =>
        {
            if (fault != "layer missing")
                Add(tar, "a/layer.tar", layer);
            Add(tar, $"{name}.json", config);
            if (fault != "no manifest")
                Add(tar, "manifest.json", fault == "broken manifest" ? "[{" : fault == "null entry" ? "[null]" : fault == "null layer" ? $$"""[{"Config":"{{name}}.json","Layers":[null]}]""" : $$"""[{"Config":"{{name}}.json","RepoTags":["{{(fault == "bad name" ? "A B" : "x:1")}}"],"Layers":["a/layer.tar"]}]""");
        });

        var failure = await Assert.ThrowsAnyAsync<WherryException>(() => _store.Images.LoadAsync(archive, null, default));

        Assert.Equal(ErrorKind.InvalidParameter, failure.Kind);
        Assert.Contains("invalid archive", failure.Message, StringComparison.Ordinal);
        Assert.Empty(_store.Images.List());
        Assert.Empty(_store.Files("content/blobs/sha256"));
        Assert.Equal([Path.Combine(_store.Data, "layers/snapshots")], _store.Files("layers"));
    }

    [Fact]
    public async Task A_hostile_layer_within_an_archive_leaves_nothing()
    {
        var layer = Archive(tar => tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "../../escape"))).ToArray();
        var config = Config(Digests.Of(layer));
        var archive = Archive(tar =>
        {
            Add(tar, "a/layer.tar", layer);
            Add(tar, "c.json", config);
            Add(tar, "manifest.json", """[{"Config":"c.json","RepoTags":["x:1"],"Layers":["a/layer.tar"]}]""");
        });
        var failure = await Assert.ThrowsAnyAsync<WherryException>(() => _store.Images.LoadAsync(archive, null, default));
        Assert.Contains("leaves the archive's root", failure.Message, StringComparison.Ordinal);
        Assert.Empty(_store.Files("content/blobs/sha256"));
    }

    [Fact]
    public async Task Skopeo_and_umoci_understand_what_is_saved_and_are_understood()
    {
        if (!File.Exists("/usr/bin/skopeo"))
            Assert.Skip("skopeo is not installed");
        var image = await _store.Images.ImportAsync(new MemoryStream(ImportAndLoadTests.RootTar()), new ImportRequest { Reference = "demo:1", Changes = ["CMD [\"x\"]"] }, null, default);
        var saved = Path.Combine(_store.Root, "saved.tar");
        await using (var file = File.Create(saved))
            await _store.Images.SaveAsync(["demo:1"], new SaveFormat(), file, default);

        var asDocker = Path.Combine(_store.Root, "docker.tar");
        StoreFixture.Run("skopeo", "copy", "--insecure-policy", $"docker-archive:{saved}", $"docker-archive:{asDocker}:again:1");
        var asOci = Path.Combine(_store.Root, "oci.tar");
        StoreFixture.Run("skopeo", "copy", "--insecure-policy", $"oci-archive:{saved}", $"oci-archive:{asOci}:registry.test/again:2");
        await using (var file = File.OpenRead(asDocker))
            Assert.Equal("again:1", Assert.Single(await _store.Images.LoadAsync(file, null, default)).Reference);
        await using (var file = File.OpenRead(asOci))
            Assert.Equal("registry.test/again:2", Assert.Single(await _store.Images.LoadAsync(file, null, default)).Reference);
        Assert.Equal(image.ChainId, _store.Images.Resolve("again:1").ChainId);
        Assert.Equal(image.ChainId, _store.Images.Resolve("registry.test/again:2").ChainId);
    }

    [Fact]
    public async Task A_commit_adds_a_layer_and_its_parent_stays_until_forced_out_by_nobody()
    {
        var parent = await _store.Images.ImportAsync(new MemoryStream(ImportAndLoadTests.RootTar()), new ImportRequest { Reference = "base:1" }, null, default);
        var container = _store.Directory("c1");
        var snapshot = _store.Layers.CreateSnapshot(container, parent.ChainId);
        File.WriteAllText(Path.Combine(snapshot.Upper, "new"), "content");
        var child = await _store.Images.CommitAsync(
            new CommitRequest { ParentImageId = parent.Id, Snapshot = snapshot, Config = new() { Cmd = ["sh"] }, Changes = ["ENV A=1"], Comment = "why", Reference = "child" }, default);

        Assert.Equal(parent.Id, child.ParentId);
        Assert.Equal(2, child.Config.RootFs.DiffIds.Count);
        Assert.Equal(["child:latest"], child.RepoTags);
        var history = _store.Images.History("child");
        Assert.Equal([child.Id, parent.Id], history.Select(entry => entry.Id));
        Assert.Equal(("why", 7L), (history[0].Comment, history[0].Size));

        var conflict = Assert.Throws<WherryException>(() => _store.Images.Remove(parent.Id, true, false, _ => []));
        Assert.Equal($"conflict: unable to delete {parent.Id[7..19]} (cannot be forced) - image has dependent child images", conflict.Message);
        _store.Layers.RemoveSnapshot(container);
        _store.Images.Remove("base:1", false, false, _ => []);
        Assert.Equal(2, _store.Images.List().Count);
        var gone = _store.Images.Remove("child", false, false, _ => []);
        Assert.Contains(new ImageDeletion(null, parent.Id), gone);
        Assert.Empty(_store.Images.List());
        Assert.Empty(_store.Files("content/blobs/sha256"));
    }

    [Fact]
    public async Task Removing_an_image_by_force_keeps_the_layers_of_a_stopped_container()
    {
        var image = await _store.Images.ImportAsync(new MemoryStream(ImportAndLoadTests.RootTar()), new ImportRequest { Reference = "x:1" }, null, default);
        var snapshot = _store.Layers.CreateSnapshot(_store.Directory("c1"), image.ChainId);
        ImageUser[] stopped = [new("0123456789abcdef", "db", false)];
        Assert.Throws<WherryException>(() => _store.Images.Remove(image.Id, false, false, _ => stopped));
        Assert.Throws<WherryException>(() => _store.Images.Remove(image.Id, true, false, _ => [stopped[0] with { Running = true }]));

        _store.Images.Remove(image.Id, true, false, _ => stopped);

        Assert.True(File.Exists(Path.Combine(_store.Layers.Mount(snapshot).Lower[1], "bin/hello")));
        _store.Reopen();
        Assert.True(File.Exists(Path.Combine(_store.Layers.Mount(snapshot).Lower[1], "bin/hello")));
        _store.Layers.RemoveSnapshot(snapshot.Directory);
        Assert.Equal([Path.Combine(_store.Data, "layers/snapshots")], _store.Files("layers"));
    }

    [Fact]
    public async Task A_name_that_moves_leaves_the_old_image_dangling()
    {
        var first = await _store.Images.ImportAsync(new MemoryStream(ImportAndLoadTests.RootTar()), new ImportRequest { Reference = "x:1" }, null, default);
        var second = await _store.Images.ImportAsync(new MemoryStream(ImportAndLoadTests.RootTar()), new ImportRequest { Reference = "x:1", Message = "second" }, null, default);
        Assert.Equal(second.Id, _store.Images.Resolve("x:1").Id);
        Assert.True(_store.Images.Resolve(first.Id).IsDangling);
        _store.Reopen();
        Assert.Equal(second.Id, _store.Images.Resolve("x:1").Id);
        Assert.True(_store.Images.Resolve(first.Id).IsDangling);
    }

    private static byte[] Config(params string[] diffIds) =>
        Encoding.UTF8.GetBytes($$"""{"architecture":"amd64","os":"linux","created":"2024-01-01T00:00:00.123456789Z","rootfs":{"type":"layers","diff_ids":[{{string.Join(',', diffIds.Select(id => $"\"{id}\""))}}]} }""");

    private static MemoryStream Archive(Action<TarWriter> fill)
    {
        var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, leaveOpen: true))
            fill(tar);
        stream.Position = 0;
        return stream;
    }

    private static void Add(TarWriter tar, string name, string content) => Add(tar, name, Encoding.UTF8.GetBytes(content));

    private static void Add(TarWriter tar, string name, byte[] content) =>
        tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
}
