using Wherry.Errors;
using Wherry.Images.Content;
using Wherry.Images.Records;
using Wherry.Images.References;
using Wherry.Storage.Pipelines;

namespace Wherry.Images;

/// <summary>What the registry client needs of the store.</summary>
public sealed partial class ImageStore
{
    // One image at a time gets its place: what two pulls share is unpacked once.
    private readonly SemaphoreSlim _placing = new(1, 1);

    internal BlobStore Blobs => _blobs;

    internal LayerReceiver NewReceiver() => new(_blobs, _layers, _sync);

    internal bool HasLayer(string chainId) => _layers.Find(chainId) is not null;

    internal StoredImage Stored(string reference) => Find(reference);

    internal IEnumerable<StoredImage> AllStored => _catalog.Images.Values;

    /// <summary>The image a name stands for; null where none does.</summary>
    internal string? IdOf(ImageReference name) => _catalog.Names.GetValueOrDefault(name.ToString());

    /// <summary>The uncompressed digest of a layer's blob that an image in the store has.</summary>
    internal string? KnownDiffId(string blobDigest)
    {
        foreach (var image in _catalog.Images.Values)
        {
            for (var i = 0; i < image.Manifest.Layers.Count && i < image.Config.RootFs.DiffIds.Count; i++)
            {
                if (image.Manifest.Layers[i].Digest == blobDigest)
                    return image.Config.RootFs.DiffIds[i];
            }
        }
        return null;
    }

    /// <summary>Adds names to an image that may have been removed meanwhile; then nothing is done.</summary>
    internal void AddNames(string id, IReadOnlyList<ImageReference> names)
    {
        lock (_changes)
        {
            if (_catalog.Images.TryGetValue(id, out var image) && names.Any(name => _catalog.Names.GetValueOrDefault(name.ToString()) != id))
                AddReferences(image, names);
        }
    }

    /// <summary>Gives the layers that have come in their places, then the image its names.</summary>
    /// <param name="config">The configuration's bytes.</param>
    /// <param name="manifest">The manifest's.</param>
    /// <param name="layers">Lowest first; the caller holds their blobs. Disposed in any case.</param>
    /// <param name="names">Names the image gets.</param>
    /// <param name="placed">Told the digest of each layer that has its place.</param>
    /// <param name="cancel">Ends the work early.</param>
    internal async Task<Image> PublishPulledAsync(byte[] config, byte[] manifest, IReadOnlyList<LayerArrival> layers, IReadOnlyList<ImageReference> names, Action<string> placed, CancellationToken cancel)
    {
        var entered = false;
        try
        {
            var parsed = ParseConfig(config);
            for (var i = 0; i < layers.Count; i++)
            {
                if (layers[i].DiffId != parsed.RootFs.DiffIds[i])
                    throw WherryException.Invalid($"layer {layers[i].BlobDigest} has the digest {layers[i].DiffId} uncompressed, but the image's configuration says {parsed.RootFs.DiffIds[i]}");
            }
            await _placing.WaitAsync(cancel);
            entered = true;
            return await ThreadBridge.OnThread(() =>
            {
                using var writing = BeginWriting();
                string? chain = null;
                try
                {
                    for (var i = 0; i < layers.Count; i++)
                    {
                        cancel.ThrowIfCancellationRequested();
                        var below = chain;
                        chain = PlaceLayer(layers[i], parsed.RootFs.DiffIds[i], below, cancel);
                        if (below is not null)
                            _layers.Release(below); // held by the layer above it now
                        placed(layers[i].BlobDigest);
                    }
                    foreach (var layer in layers)
                    {
                        if (!_blobs.Promote(layer.BlobDigest))
                            throw WherryException.System($"content {layer.BlobDigest} is missing from the store");
                    }
                    return Publish(config, manifest, parent: null, names);
                }
                catch
                {
                    if (chain is not null)
                        _layers.Release(chain);
                    throw;
                }
            });
        }
        finally
        {
            if (entered)
                _placing.Release();
            foreach (var layer in layers)
                layer.Dispose();
        }
    }
}
