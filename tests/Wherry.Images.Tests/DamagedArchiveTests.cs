using Wherry.Errors;

namespace Wherry.Images.Tests;

/// <summary>Archives cut and damaged at random places; the same places every time.</summary>
public sealed class DamagedArchiveTests : IDisposable
{
    private const int Rounds = 150;
    private readonly StoreFixture _source = new();
    private readonly StoreFixture _store = new();

    public void Dispose()
    {
        _source.Dispose();
        _store.Dispose();
    }

    [Theory]
    [InlineData(SaveLayout.Docker, ArchiveCompression.None)]
    [InlineData(SaveLayout.Oci, ArchiveCompression.None)]
    [InlineData(SaveLayout.Docker, ArchiveCompression.Gzip)]
    [InlineData(SaveLayout.Docker, ArchiveCompression.Zstd)]
    public async Task A_damaged_image_archive_loads_whole_or_is_refused_and_leaves_nothing(SaveLayout layout, ArchiveCompression compression)
    {
        await _source.Images.ImportAsync(new MemoryStream(ImportAndLoadTests.RootTar()), new ImportRequest { Reference = "victim:1" }, null, default);
        using var saved = new MemoryStream();
        await _source.Images.SaveAsync(["victim"], new SaveFormat(layout, compression), saved, default);
        var archive = saved.ToArray();
        var empty = Everything();
        var random = new Random(20261127); // not for secrets: the same damage every time
        var refused = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var damaged = Damage(archive, random);
            try
            {
                foreach (var image in await _store.Images.LoadAsync(new MemoryStream(damaged), null, default))
                {
                    // Whatever the damage hit, it was nothing that counts: the digests were right.
                    using var again = new MemoryStream();
                    await _store.Images.SaveAsync([image.Id], new SaveFormat(), again, default);
                }
                foreach (var image in _store.Images.List())
                    _store.Images.Remove(image.Id, force: true, noPrune: false, _ => []);
            }
            catch (WherryException)
            {
                refused++;
            }
            Assert.Equal(empty, Everything());
        }
        Assert.InRange(refused, Rounds / 4, Rounds);
    }

    [Fact]
    public async Task A_damaged_root_file_system_is_imported_inside_its_root_or_refused()
    {
        var archive = ImportAndLoadTests.RootTar();
        var empty = Everything();
        var random = new Random(20261128); // not for secrets: the same damage every time
        for (var round = 0; round < Rounds; round++)
        {
            try
            {
                var image = await _store.Images.ImportAsync(new MemoryStream(Damage(archive, random)), new ImportRequest(), null, default);
                _store.Images.Remove(image.Id, force: true, noPrune: false, _ => []);
            }
            catch (WherryException)
            {
                // Refused; what it leaves is looked at below.
            }
            Assert.Equal(empty, Everything());
        }
    }

    /// <summary>Cuts the end off, turns bits over, or moves a stretch to another place.</summary>
    private static byte[] Damage(byte[] archive, Random random)
    {
        var damaged = (byte[])archive.Clone();
        switch (random.Next(3))
        {
            case 0:
                return damaged[..random.Next(damaged.Length)];
            case 1:
                for (var i = random.Next(1, 20); i > 0; i--)
                    damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
                return damaged;
            default:
                var length = random.Next(1, Math.Min(600, damaged.Length / 2));
                damaged.AsSpan(random.Next(damaged.Length - length), length).CopyTo(damaged.AsSpan(random.Next(damaged.Length - length)));
                return damaged;
        }
    }

    /// <summary>Everything below the fixture's root, not only below the store: nothing may come to lie beside it.</summary>
    private string Everything() =>
        string.Join('\n', Directory.EnumerateFileSystemEntries(_store.Root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal));
}
