using Wherry.Errors;
using Wherry.Storage.Archives;
using Wherry.Storage.Layers;

namespace Wherry.Images.Tests;

public sealed class FullDiskTests : IDisposable
{
    private readonly StoreFixture _source = new();
    private readonly string _disk;

    public FullDiskTests()
    {
        _disk = _source.Directory("disk");
        StoreFixture.Run("mount", "-t", "tmpfs", "-o", "size=16m", "wherry-images-test", _disk);
    }

    public void Dispose()
    {
        StoreFixture.Run("umount", _disk);
        _source.Dispose();
    }

    [Theory]
    [InlineData(ArchiveCompression.None)]
    [InlineData(ArchiveCompression.Gzip)]
    public async Task A_load_that_fills_the_disk_says_so_and_leaves_nothing(ArchiveCompression compression)
    {
        using var root = new MemoryStream();
        var writer = new TarWriter(root);
        var content = new byte[1 << 20];
        for (var i = 0; i < 24; i++)
        {
            new Random(i).NextBytes(content);
            writer.WriteHeader(new TarEntry { Kind = TarKind.File, Name = System.Text.Encoding.ASCII.GetBytes($"f{i}"), Size = content.Length });
            writer.WriteData(content);
        }
        writer.Finish();
        root.Position = 0;
        await _source.Images.ImportAsync(root, new ImportRequest { Reference = "big" }, null, default);
        using var archive = new MemoryStream();
        await _source.Images.SaveAsync(["big"], new SaveFormat(SaveLayout.Docker, compression), archive, default);

        var images = ImageStore.Open(_disk, LayerStore.Open(_disk, "overlay"));
        archive.Position = 0;
        var failure = await Assert.ThrowsAnyAsync<WherryException>(() => images.LoadAsync(archive, null, default));

        Assert.Contains("ENOSPC", failure.Message, StringComparison.Ordinal);
        Assert.Empty(images.List());
        Assert.Empty(Directory.EnumerateFiles(_disk, "*", SearchOption.AllDirectories));
        Assert.Equal([Path.Combine(_disk, "layers/snapshots")], Directory.EnumerateFileSystemEntries(Path.Combine(_disk, "layers")));
    }
}
