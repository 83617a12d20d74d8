using System.Text.Json;
using Wherry.Errors;
using Wherry.Images.Archives;
using Wherry.Images.Content;
using Wherry.Oci.Images;
using Wherry.Storage.Layers;
using Wherry.Storage.Pipelines;

namespace Wherry.Images;

/// <summary>Images from an archive: <c>docker save</c>'s of any age, and OCI image layouts.</summary>
public sealed partial class ImageStore
{
    /// <summary>Takes all images of an archive, plain or compressed. Each appears whole; on failure those not yet there leave nothing.</summary>
    public Task<IReadOnlyList<LoadedImage>> LoadAsync(Stream archive, IProgress<ImageProgress>? progress, CancellationToken cancel) =>
        ThreadBridge.ReadAsync(archive, (source, stop) => Load(source, progress, stop), cancel);

    private IReadOnlyList<LoadedImage> Load(Stream source, IProgress<ImageProgress>? progress, CancellationToken cancel)
    {
        using var writing = BeginWriting();
        using var archive = new ImageArchiveReader(_intake, KnownLayers().GetValueOrDefault, progress);
        archive.ReadAll(source, cancel);
        var loaded = new List<LoadedImage>();
        foreach (var archived in ArchivedImage.FindAll(archive))
        {
            cancel.ThrowIfCancellationRequested();
            var image = Place(archived, cancel);
            if (archived.References.Count == 0)
                loaded.Add(new LoadedImage(image.Id, null));
            loaded.AddRange(archived.References.Select(reference => new LoadedImage(image.Id, reference.Familiar)));
        }
        return loaded;
    }

    /// <summary>Layers' blobs of images in the store, with their uncompressed digests.</summary>
    private Dictionary<string, KnownLayer> KnownLayers()
    {
        var known = new Dictionary<string, KnownLayer>(StringComparer.Ordinal);
        foreach (var image in _catalog.Images.Values)
        {
            foreach (var (layer, diffId) in image.Manifest.Layers.Zip(image.Config.RootFs.DiffIds))
                known[layer.Digest] = new KnownLayer(diffId, layer.Size, CompressionOf(layer.MediaType));
        }
        return known;
    }

    /// <summary>Puts an archived image's layers in their places and publishes it.</summary>
    private Image Place(ArchivedImage archived, CancellationToken cancel)
    {
        var config = ParseConfig(archived.Config);
        if (config.RootFs.DiffIds.Count != archived.Layers.Count)
            throw WherryException.Invalid($"invalid archive: the configuration names {config.RootFs.DiffIds.Count} layers, the manifest {archived.Layers.Count}");
        string? chain = null;
        try
        {
            for (var i = 0; i < archived.Layers.Count; i++)
            {
                var below = chain;
                chain = PlaceLayer(archived.Layers[i], config.RootFs.DiffIds[i], below, cancel);
                if (below is not null)
                    _layers.Release(below); // held by the layer above it now
            }
            var manifest = archived.Manifest ?? ManifestFor(archived.Config, [.. archived.Layers.Select(layer => new Descriptor
            {
                MediaType = LayerMediaType(layer.Compression),
                Digest = layer.BlobDigest,
                Size = layer.BlobSize,
            })]);
            return Publish(archived.Config, manifest, parent: null, archived.References);
        }
        catch
        {
            if (chain is not null)
                _layers.Release(chain);
            throw;
        }
    }

    private string PlaceLayer(LayerArrival layer, string diffId, string? below, CancellationToken cancel)
    {
        if (!Digests.IsValid(diffId) || layer.DiffId != diffId)
            throw WherryException.Invalid($"invalid archive: layer {layer.BlobDigest} has the digest {layer.DiffId} uncompressed, but the configuration says {diffId}");
        var chain = Digests.Chain(below, diffId);
        if (_layers.TryRetain(chain) is not null)
            return chain;
        // The same layer may stand on several others: its files are then unpacked once for each.
        var staged = layer.Staged ?? _intake.Unpack(layer.BlobDigest, cancel);
        layer.Staged = null;
        using (staged)
            return _layers.Commit(staged, below).ChainId;
    }

    private static ImageConfig ParseConfig(byte[] bytes)
    {
        try
        {
            var config = JsonSerializer.Deserialize(bytes, ImageJson.Default.ImageConfig)!;
            return config.Os is "" or "linux" ? config : throw WherryException.Unsupported($"the image is for {config.Os}, which this engine does not run");
        }
        catch (JsonException damaged)
        {
            throw WherryException.Invalid($"invalid archive: an image's configuration is not what it should be: {damaged.Message}", damaged);
        }
    }
}
