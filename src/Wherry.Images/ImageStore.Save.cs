using System.Text;
using System.Text.Json;
using Wherry.Errors;
using Wherry.Images.Records;
using Wherry.Images.References;
using Wherry.Linux.FileTrees;
using Wherry.Oci.Images;
using Wherry.Storage.Archives;
using Wherry.Storage.Compression;
using Wherry.Storage.Layers;
using Wherry.Storage.Pipelines;

namespace Wherry.Images;

/// <summary>Images to an archive.</summary>
public sealed partial class ImageStore
{
    /// <inheritdoc cref="SaveAsync(IReadOnlyList{string}, SaveFormat, IReadOnlyList{string}, Stream, CancellationToken)"/>
    public Task SaveAsync(IReadOnlyList<string> references, SaveFormat format, Stream output, CancellationToken cancel) =>
        SaveAsync(references, format, [], output, cancel);

    /// <summary>Writes images with the names asked for; an image asked for by repository goes with all tags it has there.</summary>
    /// <param name="references">Names or IDs.</param>
    /// <param name="format">Layout and compression.</param>
    /// <param name="withoutLayersOf">Images whose layers are left out: the archive only loads where they are.</param>
    /// <param name="output">Written to, flushed, not disposed. Nothing is written when a reference is unknown.</param>
    /// <param name="cancel">Ends the work early.</param>
    public Task SaveAsync(IReadOnlyList<string> references, SaveFormat format, IReadOnlyList<string> withoutLayersOf, Stream output, CancellationToken cancel)
    {
        if (references.Count == 0)
            throw WherryException.Invalid("no image to save is named");
        var chosen = Choose(references);
        var excluded = withoutLayersOf.SelectMany(text => Find(text).Manifest.Layers).Select(layer => layer.Digest).ToHashSet(StringComparer.Ordinal);
        // Content of an image that is removed meanwhile stays until the archive is written.
        var writing = BeginWriting();
        return SaveChosenAsync();

        async Task SaveChosenAsync()
        {
            using (writing)
                await ThreadBridge.WriteAsync((stream, stop) => Save(chosen, format, excluded, stream, stop), output, cancel);
        }
    }

    private sealed record ChosenImage(StoredImage Image, IReadOnlyList<ImageReference> Names);

    private List<ChosenImage> Choose(IReadOnlyList<string> references)
    {
        var chosen = new Dictionary<string, (StoredImage Image, SortedDictionary<string, ImageReference> Names)>(StringComparer.Ordinal);
        foreach (var text in references)
        {
            var parsed = ImageReference.TryParse(text);
            // A repository alone means all its tags.
            var all = parsed is { Tag: null, Digest: null }
                ? _catalog.Images.Values.Where(image => image.References.Any(reference => reference.Digest is null && reference.Repository == parsed.Repository)).ToList()
                : [];
            foreach (var image in all.Count > 0 ? all : [Find(text)])
            {
                if (!chosen.TryGetValue(image.Id, out var entry))
                    chosen[image.Id] = entry = (image, new SortedDictionary<string, ImageReference>(StringComparer.Ordinal));
                foreach (var name in image.References.Where(reference => reference.Digest is null && Names(reference, parsed, all.Count > 0, image.Id, text)))
                    entry.Names[name.ToString()] = name;
            }
        }
        return [.. chosen.Values.Select(entry => new ChosenImage(entry.Image, [.. entry.Names.Values]))];

        static bool Names(ImageReference reference, ImageReference? asked, bool wholeRepository, string id, string text) =>
            asked is not null && reference.Repository == asked.Repository
            && (wholeRepository || reference.Tag == asked.WithDefaultTag().Tag)
            && !(asked.Tag is null && IsIdPrefixOf(text, id));
    }

    private void Save(IReadOnlyList<ChosenImage> images, SaveFormat format, HashSet<string> excluded, Stream output, CancellationToken cancel)
    {
        if (format.Compression == ArchiveCompression.None)
        {
            Write(output);
            return;
        }
        var kind = format.Compression == ArchiveCompression.Gzip ? CompressionKind.Gzip : CompressionKind.Zstd;
        using var compressed = CompressedArchive.OpenWrite(output, kind);
        Write(compressed);

        void Write(Stream target)
        {
            var archive = new TarWriter(target);
            var time = new FileTime(images.Max(chosen => (chosen.Image.Config.Created ?? DateTimeOffset.UnixEpoch).ToUnixTimeSeconds()), 0);
            WriteBlobs(archive, images, excluded, time, cancel);
            WriteDocument(archive, "index.json", IndexOf(images), time);
            if (format.Layout == SaveLayout.Docker)
                WriteDocument(archive, "manifest.json", DockerListOf(images), time);
            WriteDocument(archive, "oci-layout", JsonSerializer.SerializeToUtf8Bytes(new ImageLayout(), ImageJson.Canonical.ImageLayout), time);
            archive.Finish();
        }
    }

    private void WriteBlobs(TarWriter archive, IReadOnlyList<ChosenImage> images, HashSet<string> excluded, FileTime time, CancellationToken cancel)
    {
        foreach (var directory in (ReadOnlySpan<string>)["blobs", "blobs/sha256"])
            archive.WriteHeader(new TarEntry { Kind = TarKind.Directory, Name = Encoding.ASCII.GetBytes(directory), Mode = 0x1ED, Modified = time });
        var buffer = new byte[1 << 20];
        foreach (var digest in images.SelectMany(chosen => chosen.Image.Blobs).Where(digest => !excluded.Contains(digest)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            using var blob = _blobs.OpenRead(digest);
            archive.WriteHeader(new TarEntry { Kind = TarKind.File, Name = Encoding.ASCII.GetBytes("blobs/sha256/" + Digests.Hex(digest)), Mode = 0x1A4, Size = blob.Length, Modified = time });
            for (int read; (read = blob.Read(buffer)) > 0;)
            {
                cancel.ThrowIfCancellationRequested();
                archive.WriteData(buffer.AsSpan(0, read));
            }
        }
    }

    private static void WriteDocument(TarWriter archive, string name, byte[] content, FileTime time)
    {
        archive.WriteHeader(new TarEntry { Kind = TarKind.File, Name = Encoding.ASCII.GetBytes(name), Mode = 0x1A4, Size = content.Length, Modified = time });
        archive.WriteData(content);
    }

    private byte[] IndexOf(IReadOnlyList<ChosenImage> images) =>
        JsonSerializer.SerializeToUtf8Bytes(
            new ImageIndex
            {
                MediaType = MediaTypes.OciIndex,
                Manifests = [.. images.SelectMany(chosen => chosen.Names.Count == 0
                    ? [DescriptorOf(chosen.Image, null)]
                    : chosen.Names.Select(name => DescriptorOf(chosen.Image, name)))],
            },
            ImageJson.Canonical.ImageIndex);

    private Descriptor DescriptorOf(StoredImage image, ImageReference? name) => new()
    {
        MediaType = image.Manifest.MediaType ?? MediaTypes.OciManifest,
        Digest = image.Record.Manifest,
        Size = _blobs.SizeOf(image.Record.Manifest),
        Platform = image.Config.Platform with { OsVersion = null },
        Annotations = name is null ? null : new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            [MediaTypes.ContainerdNameAnnotation] = name.ToString(),
            [MediaTypes.RefNameAnnotation] = name.Tag!,
        },
    };

    private static byte[] DockerListOf(IReadOnlyList<ChosenImage> images) =>
        JsonSerializer.SerializeToUtf8Bytes(
            [.. images.Select(chosen => new DockerArchiveEntry
            {
                Config = "blobs/sha256/" + Digests.Hex(chosen.Image.Id),
                RepoTags = chosen.Names.Count == 0 ? null : [.. chosen.Names.Select(name => name.Familiar)],
                Layers = [.. chosen.Image.Manifest.Layers.Select(layer => "blobs/sha256/" + Digests.Hex(layer.Digest))],
            })],
            ImageJson.Canonical.DockerArchiveEntryArray);
}
