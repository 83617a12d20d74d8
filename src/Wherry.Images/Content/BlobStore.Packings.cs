using System.Text;
using Wherry.Storage.Compression;
using Wherry.Storage.Layers;

namespace Wherry.Images.Content;

/// <summary>What a layer became when it was compressed for a registry.</summary>
/// <param name="Digest">Of the compressed archive, which is not kept.</param>
/// <param name="Size">Its bytes.</param>
internal sealed record Packing(string Digest, long Size);

/// <summary>
/// Remembers under which digest a layer went out, so that the next push can ask for it before it compresses the layer
/// again. Only ever a hint: what is compressed anew counts.
/// </summary>
internal sealed partial class BlobStore
{
    private string PackingDirectory => Path.Combine(Path.GetDirectoryName(_ingest)!, "packings");

    internal Packing? FindPacking(string source, CompressionKind kind)
    {
        try
        {
            return File.ReadAllText(PackingPath(source, kind)).Split(' ') is [var digest, var size] && Digests.IsValid(digest) && long.TryParse(size, out var bytes)
                ? new Packing(digest, bytes)
                : null;
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    internal void RememberPacking(string source, CompressionKind kind, Packing packing)
    {
        Directory.CreateDirectory(PackingDirectory);
        DurableFile.Write(PackingPath(source, kind), Encoding.ASCII.GetBytes($"{packing.Digest} {packing.Size}"));
    }

    private string PackingPath(string source, CompressionKind kind) =>
        Path.Combine(PackingDirectory, $"{Digests.Hex(source)}.{(kind == CompressionKind.Zstd ? "zst" : "gz")}");

    /// <summary>Forgets what layers that are gone became.</summary>
    private void RemoveOldPackings()
    {
        if (!Directory.Exists(PackingDirectory))
            return;
        DurableFile.RemoveLeftovers(PackingDirectory);
        foreach (var file in Directory.EnumerateFiles(PackingDirectory))
        {
            var name = Path.GetFileNameWithoutExtension(file);
            if (!Digests.IsHexDigest(name) || !Contains(Digests.FromHex(name)))
                File.Delete(file);
        }
    }
}
