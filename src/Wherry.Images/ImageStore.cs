using System.Text.Json;
using Wherry.Errors;
using Wherry.Images.Content;
using Wherry.Images.Records;
using Wherry.Images.References;
using Wherry.Oci.Images;
using Wherry.Storage.Layers;

namespace Wherry.Images;

/// <summary>The engine's images: their content, their names, and what is done with them.</summary>
/// <remarks>
/// Thread-safe. Readers use an immutable catalog; only those who change records wait for each other. Whoever brings
/// new content counts as a writer until it is referenced, and nothing unreferenced is removed while there are any.
/// </remarks>
public sealed partial class ImageStore
{
    private readonly string _recordDirectory;
    private readonly string _temporaryDirectory;
    private readonly BlobStore _blobs;
    private readonly LayerStore _layers;
    private readonly LayerIntake _intake;
    private readonly StoreSync _sync;
    private readonly Lock _changes = new();
    private volatile ImageCatalog _catalog = ImageCatalog.Empty;
    private int _writers;

    private ImageStore(string dataRoot, LayerStore layers)
    {
        _recordDirectory = Path.Combine(dataRoot, "images");
        _temporaryDirectory = Path.Combine(dataRoot, "tmp");
        _layers = layers;
        _blobs = BlobStore.Open(dataRoot);
        _sync = new StoreSync(dataRoot);
        _intake = new LayerIntake(_blobs, layers, _sync);
    }

    /// <summary>Opens the store, makes it if need be, and removes what a crash left unfinished.</summary>
    public static ImageStore Open(string dataRoot, LayerStore layers)
    {
        var store = new ImageStore(Path.GetFullPath(dataRoot), layers);
        Directory.CreateDirectory(store._recordDirectory);
        Directory.CreateDirectory(store._temporaryDirectory);
        DurableFile.RemoveLeftovers(store._recordDirectory);
        DurableFile.RemoveLeftovers(store._temporaryDirectory);
        store.ReadRecords();
        layers.RemoveUnreferenced();
        store.RemoveUnreferencedBlobs();
        return store;
    }

    /// <summary>All images, newest first.</summary>
    public IReadOnlyList<Image> List() =>
        [.. _catalog.Images.Values.Select(image => image.ToImage()).OrderByDescending(image => image.Created).ThenBy(image => image.Id, StringComparer.Ordinal)];

    /// <summary>Makes <paramref name="target"/> name the image that <paramref name="source"/> names. An image that loses its name this way stays.</summary>
    public void Tag(string source, string target)
    {
        var reference = ParseTarget(target)!;
        lock (_changes)
            AddReferences(Find(source), [reference]);
    }

    /// <summary>Checks that a reference can become a name: a digest is computed, not given.</summary>
    private static ImageReference? ParseTarget(string? target)
    {
        if (string.IsNullOrEmpty(target))
            return null;
        var reference = ImageReference.Parse(target);
        return reference.Digest is null ? reference.WithDefaultTag() : throw WherryException.Invalid("refusing to create a tag with a digest reference");
    }

    private void ReadRecords()
    {
        var catalog = ImageCatalog.Empty;
        var since = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(_recordDirectory, "*.json").Order(StringComparer.Ordinal))
        {
            var record = JsonSerializer.Deserialize(File.ReadAllBytes(file), RecordJson.Default.ImageRecord)
                ?? throw WherryException.System($"{file} is empty");
            catalog = catalog.With(ReadImage(record));
            foreach (var (name, time) in record.References)
            {
                if (!since.TryGetValue(name, out var other) || time > other)
                    since[name] = time;
            }
        }
        foreach (var image in catalog.Images.Values)
        {
            if (image.ChainId is not null)
                _ = _layers.TryRetain(image.ChainId) ?? throw WherryException.System($"layer {image.ChainId} of image {image.Id} is missing");
        }
        _catalog = catalog;
        foreach (var image in catalog.Images.Values)
        {
            var outdated = image.Record.References.Where(pair => since[pair.Key] != pair.Value).Select(pair => pair.Key).ToList();
            if (outdated.Count > 0)
                WriteRecord(image, WithoutReferences(image.Record, outdated));
        }
        // The writes above may have left the catalog's names with the older holder.
        _catalog = _catalog.Images.Values.Aggregate(ImageCatalog.Empty, (all, image) => all.With(image));
    }

    private StoredImage ReadImage(ImageRecord record)
    {
        var manifest = JsonSerializer.Deserialize(_blobs.ReadDocument(record.Manifest), ImageJson.Default.Manifest)!;
        var config = JsonSerializer.Deserialize(_blobs.ReadDocument(record.Id), ImageJson.Default.ImageConfig)!;
        return Describe(record, config, manifest);
    }

    private StoredImage Describe(ImageRecord record, ImageConfig config, Manifest manifest)
    {
        string? chain = null;
        var sizes = new List<long>(config.RootFs.DiffIds.Count);
        foreach (var diffId in config.RootFs.DiffIds)
        {
            chain = Digests.Chain(chain, diffId);
            sizes.Add(_layers.Find(chain)?.Size ?? 0);
        }
        return new StoredImage(record, config, manifest, chain, sizes);
    }

    /// <summary>Makes an image visible, with its names, by one rename. Takes over the caller's hold on the topmost layer.</summary>
    /// <param name="config">The configuration's bytes, whose digest is the image's ID.</param>
    /// <param name="manifest">The manifest's bytes; the content it names is stored.</param>
    /// <param name="parent">The image this one was made from.</param>
    /// <param name="references">Names it gets, away from images that have them.</param>
    private Image Publish(ReadOnlySpan<byte> config, ReadOnlySpan<byte> manifest, string? parent, IReadOnlyList<ImageReference> references)
    {
        var id = _blobs.PutDocument(config);
        var manifestDigest = _blobs.PutDocument(manifest);
        // Layers' files before the record that speaks of them: after a power failure no image has empty ones.
        _sync.Finish();
        lock (_changes)
        {
            var record = new ImageRecord { Id = id, Manifest = manifestDigest, Parent = parent, References = new SortedDictionary<string, DateTimeOffset>(StringComparer.Ordinal) };
            if (_catalog.Images.TryGetValue(id, out var existing))
            {
                // The same image, perhaps in another packing: what is here stays, and has its own hold.
                var known = AddReferences(existing, references).ToImage();
                if (known.ChainId is not null)
                    _layers.Release(known.ChainId);
                return known;
            }
            var image = Describe(
                record,
                JsonSerializer.Deserialize(config, ImageJson.Default.ImageConfig)!,
                JsonSerializer.Deserialize(manifest, ImageJson.Default.Manifest)!);
            return (references.Count == 0 ? WriteRecord(image, record) : AddReferences(image, references)).ToImage();
        }
    }

    private StoredImage AddReferences(StoredImage image, IReadOnlyList<ImageReference> references)
    {
        if (references.Count == 0)
            return image;
        var now = DateTimeOffset.UtcNow;
        var names = references.Select(reference => reference.ToString()).ToList();
        var losers = names.Select(name => _catalog.Names.GetValueOrDefault(name))
            .Where(id => id is not null && id != image.Id)
            .Distinct(StringComparer.Ordinal)
            .Select(id => _catalog.Images[id!])
            .ToList();
        var all = new SortedDictionary<string, DateTimeOffset>(image.Record.References.ToDictionary(), StringComparer.Ordinal);
        foreach (var name in names)
            all[name] = now;
        var changed = WriteRecord(image, image.Record with { References = all, LastTagged = now });
        foreach (var loser in losers)
            WriteRecord(loser, WithoutReferences(loser.Record, names));
        // A loser's own entry in the catalog took its old names out; they are the new image's.
        _catalog = _catalog.With(changed);
        return changed;
    }

    private StoredImage WriteRecord(StoredImage image, ImageRecord record)
    {
        DurableFile.Write(RecordPath(record.Id), JsonSerializer.SerializeToUtf8Bytes(record, RecordJson.Default.ImageRecord));
        var changed = image with { Record = record };
        _catalog = _catalog.With(changed);
        return changed;
    }

    private static ImageRecord WithoutReferences(ImageRecord record, IEnumerable<string> names)
    {
        var left = new SortedDictionary<string, DateTimeOffset>(record.References.ToDictionary(), StringComparer.Ordinal);
        foreach (var name in names)
            left.Remove(name);
        return record with { References = left };
    }

    private string RecordPath(string id) => Path.Combine(_recordDirectory, Digests.Hex(id) + ".json");

    /// <summary>Keeps content that is not referenced yet from being removed, until disposed.</summary>
    private ContentWriter BeginWriting()
    {
        lock (_changes)
            _writers++;
        return new ContentWriter(this);
    }

    /// <summary>Removes blobs of no image, unless content is on its way: the last writer does it then.</summary>
    private void RemoveUnreferencedBlobs()
    {
        lock (_changes)
        {
            if (_writers > 0)
                return;
            var referenced = _catalog.Images.Values.SelectMany(image => image.Blobs).ToHashSet(StringComparer.Ordinal);
            _blobs.RemoveUnreferenced(referenced.Contains);
        }
    }

    private sealed class ContentWriter(ImageStore store) : IDisposable
    {
        public void Dispose()
        {
            lock (store._changes)
                store._writers--;
            store.RemoveUnreferencedBlobs();
        }
    }
}
