using System.Text.Json;
using Wherry.Errors;
using Wherry.Images.Records;
using Wherry.Images.References;
using Wherry.Storage.Layers;

namespace Wherry.Images.Content;

/// <summary>A name in an engine's data root, and the manifest it stands for.</summary>
public sealed record EngineImage
{
    /// <summary>Domain and path: <c>docker.io/library/debian</c>.</summary>
    public required string Repository { get; init; }

    /// <summary>The path within its registry: <c>library/debian</c>.</summary>
    public required string Path { get; init; }

    /// <summary>As people write it: <c>debian</c>.</summary>
    public required string FamiliarRepository { get; init; }

    public required bool IsDockerHub { get; init; }

    /// <summary>Null for a name by digest.</summary>
    public string? Tag { get; init; }

    public required string ManifestDigest { get; init; }
}

/// <summary>
/// An engine's images as another process sees them: read from the records and blobs, which appear by one rename each,
/// while the engine goes on changing them. What is removed in between is simply not there.
/// </summary>
/// <remarks>Thread-safe. The records are read again when their directory has changed.</remarks>
public sealed class EngineImages
{
    /// <summary>A change within the clock's grain of the last reading might not show in the directory's time.</summary>
    private static readonly TimeSpan Grain = TimeSpan.FromMilliseconds(50);

    private readonly string _records;
    private readonly string _blobs;
    private readonly Lock _reading = new();
    private (DateTime Written, IReadOnlyList<EngineImage> Images)? _last;

    private EngineImages(string dataRoot)
    {
        _records = Path.Combine(dataRoot, "images");
        _blobs = Path.Combine(dataRoot, "content", "blobs", "sha256");
    }

    /// <exception cref="WherryException">There is no engine's data root.</exception>
    public static EngineImages Open(string dataRoot)
    {
        var images = new EngineImages(Path.GetFullPath(dataRoot));
        return Directory.Exists(images._records) && Directory.Exists(images._blobs)
            ? images
            : throw WherryException.NotFound($"{dataRoot} holds no engine's images: start wherryd there first, or name its --data-root");
    }

    /// <summary>Where a blob is, or would be.</summary>
    public string PathOf(string digest) => Path.Combine(_blobs, Digests.Hex(digest));

    /// <summary>A manifest's bytes; null where it is gone.</summary>
    public byte[]? ReadManifest(string digest)
    {
        try
        {
            var path = PathOf(digest);
            return new FileInfo(path) is { Exists: true, Length: <= BlobStore.LargestDocument } ? File.ReadAllBytes(path) : null;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Every name of every image.</summary>
    public IReadOnlyList<EngineImage> List()
    {
        lock (_reading)
        {
            var written = Directory.GetLastWriteTimeUtc(_records);
            if (_last is { } last && last.Written == written && DateTime.UtcNow - written > Grain)
                return last.Images;
            var images = Read();
            _last = (written, images);
            return images;
        }
    }

    private List<EngineImage> Read()
    {
        // A name that has just moved may be in two records; the later time wins, as in the engine.
        var names = new SortedDictionary<string, (DateTimeOffset Since, string Manifest)>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(_records, "*.json"))
        {
            if (TryRead(file) is not { } record)
                continue;
            foreach (var (name, since) in record.References)
            {
                if (!names.TryGetValue(name, out var other) || since > other.Since)
                    names[name] = (since, record.Manifest);
            }
        }
        return [.. names.Select(pair => Describe(pair.Key, pair.Value.Manifest)).OfType<EngineImage>()];
    }

    private static EngineImage? Describe(string name, string manifest) => ImageReference.TryParse(name) is not { } reference ? null : new EngineImage
    {
        Repository = reference.Repository,
        Path = reference.Path,
        FamiliarRepository = reference.FamiliarRepository,
        IsDockerHub = reference.Domain == "docker.io",
        Tag = reference.Digest is null ? reference.Tag : null,
        ManifestDigest = manifest,
    };

    private static ImageRecord? TryRead(string file)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(file), RecordJson.Default.ImageRecord);
        }
        catch (Exception gone) when (gone is IOException or JsonException)
        {
            return null;
        }
    }
}
