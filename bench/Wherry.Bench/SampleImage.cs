using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;

namespace Wherry.Bench;

/// <summary>A docker-archive of four layers with many files, of the size of a usual application image.</summary>
public static class SampleImage
{
    public const string Name = "bench-sample";
    private const int Layers = 4;
    private const int FilesPerLayer = 2000;
    private const int FileBytes = 65_000;

    /// <summary>Writes it unless it is there already; about 520 MB.</summary>
    /// <param name="directory">Where it is kept for the next time.</param>
    /// <param name="scale">How many times that size its files have.</param>
    /// <param name="variant">Images of different variants have no layer in common; each is called <see cref="Name"/>, with this as its tag.</param>
    public static string Ensure(string directory, int scale = 1, int variant = 0)
    {
        var path = Path.Combine(directory, $"{Name}-{scale}-{variant}.tar");
        if (File.Exists(path))
        {
            return path;
        }

        Directory.CreateDirectory(directory);
        var digests = new List<string>();
        for (var layer = 0; layer < Layers; layer++)
        {
            var file = LayerPath(directory, layer);
            WriteLayer(file, layer, FileBytes * scale, variant);
            using var stream = File.OpenRead(file);
            digests.Add($"\"sha256:{Convert.ToHexStringLower(SHA256.HashData(stream))}\"");
        }

        using (var archive = new TarWriter(File.Create(path + ".partial"), TarEntryFormat.Ustar))
        {
            for (var layer = 0; layer < Layers; layer++)
            {
                archive.WriteEntry(LayerPath(directory, layer), $"layer{layer}.tar");
                File.Delete(LayerPath(directory, layer));
            }

            Write(archive, "config.json", $$$"""{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[{{{string.Join(',', digests)}}}]}}""");
            Write(archive, "manifest.json", $$"""[{"Config":"config.json","RepoTags":["{{Tagged(variant)}}"],"Layers":[{{string.Join(',', Enumerable.Range(0, Layers).Select(layer => $"\"layer{layer}.tar\""))}}]}]""");
        }

        File.Move(path + ".partial", path, overwrite: true);
        return path;
    }

    /// <summary>What a variant is called once it is loaded.</summary>
    public static string Tagged(int variant) => variant == 0 ? $"{Name}:latest" : $"{Name}:{variant}";

    private static string LayerPath(string directory, int layer) => Path.Combine(directory, $"{Name}-layer{layer}.tmp");

    private static void WriteLayer(string path, int layer, int fileBytes, int variant)
    {
        using var tar = new TarWriter(File.Create(path), TarEntryFormat.Ustar);
        var random = new Random((variant * Layers) + layer); // not for secrets: the same image every time
        var content = new byte[fileBytes];
        for (var file = 0; file < FilesPerLayer; file++)
        {
            // Half noise, half text, so that it compresses as programs do.
            random.NextBytes(content.AsSpan(0, fileBytes / 2));
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, $"opt/layer{layer}/d{file % 50}/f{file}") { DataStream = new MemoryStream(content) });
        }
    }

    private static void Write(TarWriter archive, string name, string text) =>
        archive.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) });
}
