using Wherry.Images.Records;
using Wherry.Storage.Layers;

namespace Wherry.Images;

/// <summary>What a pruning removed.</summary>
/// <param name="Deletions">Names, images and layers.</param>
/// <param name="SpaceReclaimed">Bytes of the removed layers' files.</param>
public sealed record ImagePruning(IReadOnlyList<ImageDeletion> Deletions, long SpaceReclaimed);

/// <summary>Bytes of an image's layers.</summary>
/// <param name="Shared">In layers that other images have too.</param>
/// <param name="Unique">In layers only this image has.</param>
public readonly record struct ImageSizes(long Shared, long Unique);

/// <summary>Images that nothing needs, and what they take.</summary>
public sealed partial class ImageStore
{
    /// <summary>Removes images by Docker's rules: no image a container was made of, and none that another was made from.</summary>
    /// <param name="danglingOnly">Only those without a name.</param>
    /// <param name="matches">Whether an image may go.</param>
    /// <param name="users">Tells which containers were made of an image.</param>
    /// <param name="cancel">Ends between images; what was removed is told all the same.</param>
    public ImagePruning Prune(bool danglingOnly, Func<Image, bool> matches, Func<Image, IReadOnlyList<ImageUser>> users, CancellationToken cancel)
    {
        var done = new List<ImageDeletion>();
        var space = 0L;
        using (BeginWriting()) // blobs are removed once, at the end
        {
            // Children before their parents, which their going may set free.
            for (var found = true; found && !cancel.IsCancellationRequested;)
            {
                found = false;
                foreach (var candidate in _catalog.Images.Values.Where(image => !HasChildren(image)))
                {
                    if (cancel.IsCancellationRequested || (danglingOnly && HasTag(candidate)))
                        continue;
                    if (PruneOne(candidate.Id, danglingOnly, matches, users) is not { } removal)
                        continue;
                    found = true;
                    done.AddRange(removal.Done);
                    space += ReleaseChains(removal, done);
                }
            }
        }
        return new ImagePruning(done, space);
    }

    /// <summary>When an image was last loaded, named, made a container of or given up by one: the time of its record's file.</summary>
    public DateTime LastUse(Image image) => File.GetLastWriteTimeUtc(RecordPath(image.Id));

    /// <summary>An image is used now; one that is gone does not mind.</summary>
    public void NoteUse(string id)
    {
        try
        {
            File.SetLastWriteTimeUtc(RecordPath(id), DateTime.UtcNow);
        }
        catch (FileNotFoundException)
        {
            // Removed by force from under its container.
        }
    }

    /// <summary>Removes what pulls that were broken off before a time have left and nobody goes on with; returns its bytes.</summary>
    public long RemovePartials(DateTime before) => _blobs.RemovePartials(before);

    /// <summary>What every image takes, by its ID.</summary>
    public IReadOnlyDictionary<string, ImageSizes> Sizes()
    {
        var images = _catalog.Images;
        var users = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var chain in images.Values.SelectMany(ChainsOf))
            users[chain.ChainId] = users.GetValueOrDefault(chain.ChainId) + 1;
        return images.ToDictionary(
            pair => pair.Key,
            pair =>
            {
                var layers = ChainsOf(pair.Value).ToList();
                var shared = layers.Where(layer => users[layer.ChainId] > 1).Sum(layer => layer.Size);
                return new ImageSizes(shared, layers.Sum(layer => layer.Size) - shared);
            },
            StringComparer.Ordinal);
    }

    /// <summary>Bytes of all layers that the chosen images have, each counted once.</summary>
    public long SizeOfLayersUnder(Func<Image, bool> chosen) =>
        _catalog.Images.Values.Where(image => chosen(image.ToImage())).SelectMany(ChainsOf).DistinctBy(layer => layer.ChainId).Sum(layer => layer.Size);

    /// <summary>A name by digest came with a tag's pull, and does not keep an image whose tag has moved on.</summary>
    private static bool HasTag(StoredImage image) => image.References.Any(name => name.Digest is null);

    private Removal? PruneOne(string id, bool danglingOnly, Func<Image, bool> matches, Func<Image, IReadOnlyList<ImageUser>> users)
    {
        lock (_changes)
        {
            if (!_catalog.Images.TryGetValue(id, out var image) || (danglingOnly && HasTag(image)))
                return null;
            var shown = image.ToImage();
            if (!matches(shown) || users(shown).Count > 0 || HasChildren(image))
                return null;
            var removal = new Removal(users, [], [], Prune: true);
            image = Untag(image, image.References, removal);
            Delete(image, force: false, removal, quiet: true);
            return removal;
        }
    }

    /// <summary>Gives the removed images' layers up, and tells the bytes of those that went.</summary>
    private long ReleaseChains(Removal removal, List<ImageDeletion> done)
    {
        var space = 0L;
        foreach (var chain in removal.Chains)
        {
            var sizes = _layers.Chain(chain).ToDictionary(layer => layer.ChainId, layer => layer.Size, StringComparer.Ordinal);
            foreach (var id in _layers.Release(chain))
            {
                done.Add(new ImageDeletion(null, id));
                space += sizes.GetValueOrDefault(id);
            }
        }
        return space;
    }

    private IEnumerable<Layer> ChainsOf(StoredImage image)
    {
        string? chain = null;
        foreach (var diffId in image.Config.RootFs.DiffIds)
        {
            chain = Digests.Chain(chain, diffId);
            if (_layers.Find(chain) is { } layer)
                yield return layer;
        }
    }
}
