using System.IO.Compression;
using System.Text;
using Wherry.Oci.Images;
using Wherry.Storage.Archives;
using Wherry.Storage.Layers;

namespace Wherry.Images.Tests.Registries;

/// <summary>Images made up for the tests, byte by byte reproducible.</summary>
public static class SampleImage
{
    /// <summary>A layer's archive with one file of noise.</summary>
    public static byte[] Layer(string file, int size, int seed = 1)
    {
        using var output = new MemoryStream();
        var tar = new TarWriter(output);
        var content = new byte[size];
        new Random(seed).NextBytes(content); // not for secrets: the same file every time
        tar.WriteHeader(new TarEntry { Kind = TarKind.File, Name = Encoding.UTF8.GetBytes(file), Mode = 0x1A4, Size = size });
        tar.WriteData(content);
        tar.Finish();
        return output.ToArray();
    }

    public static byte[] Gzip(byte[] plain)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(plain);
        return output.ToArray();
    }

    /// <summary>Puts an image of gzip layers into a registry; returns its manifest's digest.</summary>
    public static string Add(TestRegistry registry, string repository, string? tag, IReadOnlyList<byte[]> plainLayers, string architecture = "amd64", Func<byte[], byte[]>? pack = null, string type = MediaTypes.OciManifest, string layerType = MediaTypes.OciLayerGzip)
    {
        var layers = plainLayers.Select(pack ?? Gzip).ToList();
        foreach (var layer in layers)
            registry.AddBlob(layer);
        var diffIds = string.Join(',', plainLayers.Select(layer => $"\"{Digests.Of(layer)}\""));
        var config = Encoding.UTF8.GetBytes($$$"""{"architecture":"{{{architecture}}}","os":"linux","config":{"Cmd":["sh"]},"rootfs":{"type":"layers","diff_ids":[{{{diffIds}}}]}}""");
        registry.AddBlob(config);
        var configType = type == MediaTypes.OciManifest ? MediaTypes.OciConfig : MediaTypes.DockerConfig;
        return registry.AddManifest(repository, tag, type, $$"""{"schemaVersion":2,"mediaType":"{{type}}","config":{"mediaType":"{{configType}}","digest":"{{Digests.Of(config)}}","size":{{config.Length}}},"layers":[{{string.Join(',', layers.Select(layer => $$"""{"mediaType":"{{layerType}}","digest":"{{Digests.Of(layer)}}","size":{{layer.Length}}}"""))}}]}""");
    }
}

/// <summary>Collects what an operation reports.</summary>
public sealed class Reports : IProgress<ImageProgress>
{
    private readonly List<ImageProgress> _all = [];

    public IReadOnlyList<ImageProgress> All
    {
        get
        {
            lock (_all)
                return [.. _all];
        }
    }

    public IEnumerable<string> Statuses => All.Select(report => report.Status);

    public void Report(ImageProgress value)
    {
        lock (_all)
            _all.Add(value);
    }
}
