using Wherry.Errors;
using Wherry.Images.Records;
using Wherry.Oci.Images;
using Wherry.Storage.Archives;
using Wherry.Storage.Pipelines;
using Wherry.Storage.Trees;

namespace Wherry.Images;

/// <summary>Images as file systems: one made of all layers, and two compared.</summary>
public sealed partial class ImageStore
{
    /// <summary>Makes an image with the same files and configuration in a single layer, and without the files that upper layers deleted.</summary>
    /// <param name="reference">The image.</param>
    /// <param name="target">The new image's name; null for none.</param>
    /// <param name="cancel">Ends the work early.</param>
    public Task<Image> FlattenAsync(string reference, string? target, CancellationToken cancel)
    {
        var name = ParseTarget(target);
        var image = Find(reference);
        return ThreadBridge.OnThread(() =>
        {
            using var writing = BeginWriting();
            using var held = HoldLayers(image);
            using var arrival = _intake.Take(output => _layers.WriteFlat(image.ChainId, output, cancel), TarEnd.Required, cancel);
            var now = DateTimeOffset.UtcNow;
            var config = image.Config with
            {
                Created = now,
                RootFs = new RootFs(),
                History = [new History { Created = now, CreatedBy = "wherry image flatten", Comment = $"flattened from {image.Id}" }],
            };
            return PublishNew(config, parent: null, arrival, name);
        });
    }

    /// <summary>What would have to be done to the first image's files to make them the second's, parents first.</summary>
    public IReadOnlyList<TreeChange> Compare(string from, string to)
    {
        var (first, second) = (Find(from), Find(to));
        using var heldFirst = HoldLayers(first);
        using var heldSecond = HoldLayers(second);
        return _layers.Compare(first.ChainId, second.ChainId);
    }

    private LayerHold HoldLayers(StoredImage image)
    {
        if (image.ChainId is not null)
            _ = _layers.TryRetain(image.ChainId) ?? throw WherryException.NotFound($"No such image: {image.Id}");
        return new LayerHold(this, image.ChainId);
    }

    private sealed class LayerHold(ImageStore store, string? chainId) : IDisposable
    {
        public void Dispose()
        {
            if (chainId is not null)
                store._layers.Release(chainId);
        }
    }
}
