using System.Text;
using Wherry.Errors;
using Wherry.Images.Content;
using Wherry.Storage.Archives;
using Wherry.Storage.Compression;
using Wherry.Storage.Layers;

namespace Wherry.Images.Archives;

/// <summary>A layer's blob that an image in the store has.</summary>
/// <param name="DiffId">Its uncompressed digest.</param>
/// <param name="Size">Bytes of the blob.</param>
/// <param name="Compression">Of the blob.</param>
internal sealed record KnownLayer(string DiffId, long Size, CompressionKind Compression);

/// <summary>
/// Reads an archive of images in one pass. What a member is for is only known at the end, where the manifests lie,
/// so everything that looks like a layer is taken in as it comes and everything small is kept.
/// </summary>
internal sealed class ImageArchiveReader : IDisposable
{
    /// <summary>All documents of an archive together; they are held in memory.</summary>
    private const long MostDocuments = 64 << 20;
    private const int LongestChain = 16;
    private const string BlobPrefix = "blobs/sha256/";

    private readonly LayerIntake _intake;
    private readonly Func<string, KnownLayer?> _known;
    private readonly IProgress<ImageProgress>? _progress;
    private readonly Dictionary<string, byte[]> _documents = new(StringComparer.Ordinal);
    private readonly Dictionary<string, LayerArrival> _layers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _links = new(StringComparer.Ordinal);
    private long _documentBytes;

    /// <param name="intake">Takes the layers.</param>
    /// <param name="known">A layer's blob that an image in the store has; such need not come in again, nor be in the archive.</param>
    /// <param name="progress">Told of layers' bytes.</param>
    internal ImageArchiveReader(LayerIntake intake, Func<string, KnownLayer?> known, IProgress<ImageProgress>? progress)
    {
        _intake = intake;
        _known = known;
        _progress = progress;
    }

    public void Dispose()
    {
        foreach (var layer in _layers.Values)
            layer.Dispose();
    }

    internal void ReadAll(Stream archive, CancellationToken cancel)
    {
        var plain = CompressedArchive.OpenRead(archive, out var compression);
        using (compression == CompressionKind.None ? null : plain)
        using (var reader = new TarReader(plain, TarEnd.Required))
        {
            while (reader.Next() is { } entry)
            {
                cancel.ThrowIfCancellationRequested();
                var path = Normalize(entry.NameText, "");
                switch (entry.Kind)
                {
                    case TarKind.File:
                        ReadFile(reader, entry, path, cancel);
                        break;
                    case TarKind.Symlink:
                        _links[path] = Normalize(Encoding.UTF8.GetString(entry.LinkName), Parent(path));
                        break;
                    case TarKind.HardLink:
                        _links[path] = Normalize(Encoding.UTF8.GetString(entry.LinkName), "");
                        break;
                    default:
                        break;
                }
            }
            reader.Drain();
        }
    }

    /// <summary>A small member; null when the archive has none of that name.</summary>
    internal byte[]? Document(string path) => _documents.GetValueOrDefault(Follow(path));

    /// <summary>A small member by its digest, which is checked.</summary>
    internal byte[] DocumentByDigest(string digest, string what)
    {
        var content = Document(BlobPrefix + Digests.Hex(digest))
            ?? throw WherryException.Invalid($"invalid archive: {what} {digest} is missing");
        return Digests.Of(content) == digest ? content : throw WherryException.Invalid($"invalid archive: {what} {digest} has another digest");
    }

    internal LayerArrival Layer(string path)
    {
        var place = Follow(path);
        if (!_layers.ContainsKey(place))
            TakeKnown(place);
        return _layers.GetValueOrDefault(place) ?? throw WherryException.Invalid(
            _documents.ContainsKey(place) ? $"invalid archive: layer {path} is not a tar archive"
            : path.StartsWith(BlobPrefix, StringComparison.Ordinal) ? $"invalid archive: layer {path} is missing, and no image here has it: if it was saved with --exclude-layers-of, load that image first"
            : $"invalid archive: layer {path} is missing");
    }

    internal LayerArrival LayerByDigest(string digest)
    {
        var layer = Layer(BlobPrefix + Digests.Hex(digest));
        return layer.BlobDigest == digest ? layer : throw WherryException.Invalid($"invalid archive: layer {digest} has another digest");
    }

    private void ReadFile(TarReader reader, TarEntry entry, string path, CancellationToken cancel)
    {
        // Enough of the start to tell a layer from a document; rarely is it more than the first stretch.
        var start = new byte[(int)Math.Min(entry.Size, 512)];
        var have = 0;
        ReadOnlySpan<byte> rest = [];
        while (have < start.Length && reader.TryReadData(out var data, out _))
        {
            var take = Math.Min(data.Length, start.Length - have);
            data[..take].CopyTo(start.AsSpan(have));
            have += take;
            rest = data[take..];
        }
        if (CompressedArchive.Detect(start) != CompressionKind.None || TarReader.Recognizes(start))
            ReadLayer(reader, entry, path, start, rest, cancel);
        else
            ReadDocument(reader, entry, path, start, rest);
    }

    private void ReadLayer(TarReader reader, TarEntry entry, string path, byte[] start, ReadOnlySpan<byte> rest, CancellationToken cancel)
    {
        if (path.StartsWith(BlobPrefix, StringComparison.Ordinal) && Digests.IsHexDigest(path.AsSpan(BlobPrefix.Length)))
        {
            if (TakeKnown(path))
                return;
        }
        var first = rest.ToArray();
        try
        {
            Remember(path, _intake.Take(output => Feed(reader, entry, path, start, first, output), TarEnd.Optional, cancel));
        }
        catch (TarFormatException damaged)
        {
            throw new TarFormatException($"layer {path}: {damaged.Message}", damaged);
        }
    }

    /// <summary>A layer that is in the store, by the name it has or would have in the archive.</summary>
    private bool TakeKnown(string path)
    {
        if (!path.StartsWith(BlobPrefix, StringComparison.Ordinal) || !Digests.IsHexDigest(path.AsSpan(BlobPrefix.Length)))
            return false;
        var digest = Digests.FromHex(path[BlobPrefix.Length..]);
        if (_known(digest) is not { } known)
            return false;
        _layers[path] = new LayerArrival { BlobDigest = digest, BlobSize = known.Size, DiffId = known.DiffId, Compression = known.Compression };
        return true;
    }

    private void Feed(TarReader reader, TarEntry entry, string path, byte[] start, byte[] first, Stream output)
    {
        const long ReportEvery = 16 << 20;
        var id = Path.GetFileName(path) is "layer.tar" ? Path.GetFileName(Parent(path)) : Path.GetFileName(path);
        id = id.Length > 12 ? id[..12] : id;
        output.Write(start);
        output.Write(first);
        long done = start.Length + first.Length, reported = 0;
        while (reader.TryReadData(out var data, out _))
        {
            output.Write(data);
            done += data.Length;
            if (done - reported < ReportEvery)
                continue;
            reported = done;
            _progress?.Report(new ImageProgress(id, "Loading layer", done, entry.Size));
        }
        _progress?.Report(new ImageProgress(id, "Loading layer", entry.Size, entry.Size));
    }

    private void ReadDocument(TarReader reader, TarEntry entry, string path, byte[] start, ReadOnlySpan<byte> rest)
    {
        // Not ours if so large: artifacts may lie in an image layout, too. Whoever names it is told that it is missing.
        if (entry.Size > BlobStore.LargestDocument || entry.Sparse is not null)
            return;
        if (_documentBytes + entry.Size > MostDocuments && path is not ("manifest.json" or "index.json"))
            return;
        _documentBytes += entry.Size;
        var content = new byte[entry.Size];
        start.CopyTo(content, 0);
        rest.CopyTo(content.AsSpan(start.Length));
        var done = start.Length + rest.Length;
        while (reader.TryReadData(out var data, out _))
        {
            data.CopyTo(content.AsSpan(done));
            done += data.Length;
        }
        _documents[path] = content;
    }

    private void Remember(string path, LayerArrival layer)
    {
        if (_layers.Remove(path, out var before))
            before.Dispose();
        _layers[path] = layer;
    }

    private string Follow(string path)
    {
        path = Normalize(path, "");
        for (var i = 0; i < LongestChain && _links.TryGetValue(path, out var target); i++)
            path = target;
        return path;
    }

    private static string Parent(string path) => path.LastIndexOf('/') is var slash and >= 0 ? path[..slash] : "";

    /// <summary>Member names are only keys here; none is ever opened.</summary>
    private static string Normalize(string path, string directory)
    {
        var parts = new List<string>(directory.Split('/', StringSplitOptions.RemoveEmptyEntries));
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".." && parts.Count > 0)
                parts.RemoveAt(parts.Count - 1);
            else if (part is not ("." or ".."))
                parts.Add(part);
        }
        return string.Join('/', parts);
    }
}
