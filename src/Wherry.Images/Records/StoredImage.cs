using System.Collections.Immutable;
using Wherry.Images.References;
using Wherry.Oci.Images;

namespace Wherry.Images.Records;

/// <summary>An image's record with the documents it names.</summary>
internal sealed record StoredImage(ImageRecord Record, ImageConfig Config, Manifest Manifest, string? ChainId, IReadOnlyList<long> LayerSizes)
{
    internal string Id => Record.Id;

    internal IEnumerable<string> Blobs => [Record.Manifest, Manifest.Config.Digest, .. Manifest.Layers.Select(layer => layer.Digest)];

    internal IReadOnlyList<ImageReference> References => [.. Record.References.Keys.Select(ImageReference.Parse)];

    internal Image ToImage()
    {
        var references = References;
        return new Image
        {
            Id = Id,
            Config = Config,
            RepoTags = [.. references.Where(reference => reference.Digest is null).Select(reference => reference.Familiar).Order(StringComparer.Ordinal)],
            RepoDigests = [.. references.Where(reference => reference.Digest is not null).Select(reference => reference.Familiar).Order(StringComparer.Ordinal)],
            Created = Config.Created ?? DateTimeOffset.UnixEpoch,
            Size = LayerSizes.Sum(),
            ChainId = ChainId,
            ParentId = Record.Parent,
            ManifestDigest = Record.Manifest,
            LastTagged = Record.LastTagged,
        };
    }
}

/// <summary>All images and names at one moment. Never changes: readers need no lock.</summary>
internal sealed record ImageCatalog(ImmutableDictionary<string, StoredImage> Images, ImmutableDictionary<string, string> Names)
{
    internal static ImageCatalog Empty { get; } = new(
        ImmutableDictionary.Create<string, StoredImage>(StringComparer.Ordinal),
        ImmutableDictionary.Create<string, string>(StringComparer.Ordinal));

    internal ImageCatalog With(StoredImage image)
    {
        var names = Names;
        if (Images.TryGetValue(image.Id, out var before))
            names = names.RemoveRange(before.Record.References.Keys.Where(name => names.GetValueOrDefault(name) == image.Id));
        return new ImageCatalog(
            Images.SetItem(image.Id, image),
            names.SetItems(image.Record.References.Keys.Select(name => KeyValuePair.Create(name, image.Id))));
    }

    internal ImageCatalog Without(StoredImage image) => new(
        Images.Remove(image.Id),
        Names.RemoveRange(image.Record.References.Keys.Where(name => Names.GetValueOrDefault(name) == image.Id)));
}
