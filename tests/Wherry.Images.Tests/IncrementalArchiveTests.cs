using Wherry.Errors;

namespace Wherry.Images.Tests;

/// <summary>Archives without the layers that the other side has, images of one layer, and images compared.</summary>
public sealed class IncrementalArchiveTests : IDisposable
{
    private readonly StoreFixture _here = new();
    private readonly StoreFixture _there = new();

    public void Dispose()
    {
        _here.Dispose();
        _there.Dispose();
    }

    [Theory]
    [InlineData(SaveLayout.Docker)]
    [InlineData(SaveLayout.Oci)]
    public async Task An_archive_without_known_layers_loads_where_they_are_and_nowhere_else(SaveLayout layout)
    {
        await MakeAsync();
        using var whole = new MemoryStream();
        await _here.Images.SaveAsync(["base:1"], new SaveFormat(layout), whole, default);
        using var rest = new MemoryStream();
        await _here.Images.SaveAsync(["child:1"], new SaveFormat(layout), ["base:1"], rest, default);

        rest.Position = 0;
        var failure = await Assert.ThrowsAnyAsync<WherryException>(() => _there.Images.LoadAsync(rest, null, default));
        Assert.Equal(ErrorKind.InvalidParameter, failure.Kind);
        Assert.Contains("no image here has it", failure.Message, StringComparison.Ordinal);
        Assert.Empty(_there.Images.List());
        Assert.Empty(_there.Files("content/blobs/sha256"));

        whole.Position = 0;
        await _there.Images.LoadAsync(whole, null, default);
        rest.Position = 0;
        await _there.Images.LoadAsync(rest, null, default);
        Assert.Equal(_here.Images.Resolve("child:1").Id, _there.Images.Resolve("child:1").Id);
        Assert.Equal(_here.Images.Resolve("child:1").ChainId, _there.Images.Resolve("child:1").ChainId);
    }

    [Fact]
    public async Task A_flattened_image_has_one_layer_and_the_same_files()
    {
        await MakeAsync();
        var flat = await _here.Images.FlattenAsync("child:1", "flat:1", default);

        Assert.Single(flat.Config.RootFs.DiffIds);
        Assert.Empty(_here.Images.Compare("child:1", "flat:1"));
        Assert.Equal(["new"], _here.Images.Compare("base:1", "flat:1").Select(change => System.Text.Encoding.UTF8.GetString(change.Path)));
        Assert.Equal(["x"], flat.Config.Config!.Cmd);
    }

    [Fact]
    public async Task Pruning_takes_children_before_parents_and_tells_what_it_freed()
    {
        var child = await MakeAsync();
        var sizes = _here.Images.Sizes();
        Assert.Equal(new ImageSizes(5, 7), sizes[child.Id]);

        var pruned = _here.Images.Prune(danglingOnly: false, _ => true, _ => [], default);

        Assert.Equal(12, pruned.SpaceReclaimed);
        Assert.Empty(_here.Images.List());
        Assert.Empty(_here.Files("content/blobs/sha256"));
    }

    private async Task<Image> MakeAsync()
    {
        var parent = await _here.Images.ImportAsync(new MemoryStream(ImportAndLoadTests.RootTar()), new ImportRequest { Reference = "base:1" }, null, default);
        var snapshot = _here.Layers.CreateSnapshot(_here.Directory("c1"), parent.ChainId);
        File.WriteAllText(Path.Combine(snapshot.Upper, "new"), "content");
        var child = await _here.Images.CommitAsync(new CommitRequest { ParentImageId = parent.Id, Snapshot = snapshot, Config = new() { Cmd = ["x"] }, Reference = "child:1" }, default);
        _here.Layers.RemoveSnapshot(snapshot.Directory);
        return child;
    }
}
