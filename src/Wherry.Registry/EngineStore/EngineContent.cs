using Wherry.Images.Content;
using Wherry.Registry.Manifests;
using Wherry.Registry.Names;
using Wherry.Registry.Storage;

namespace Wherry.Registry.EngineStore;

/// <summary>
/// The images an engine on this host has, to be pulled by others and never changed. Images of Docker's registry are
/// served under the names people give them (<c>debian</c>) and under their full path (<c>library/debian</c>); those
/// of other registries with the registry in front, its port set off by a dash (<c>localhost-5000/app</c>).
/// </summary>
public sealed class EngineContent(EngineImages images) : IRegistryContent
{
    public ValueTask<BlobContent?> OpenBlobAsync(string repository, ContentDigest digest, bool willPush, CancellationToken cancel)
    {
        var text = digest.ToString();
        var belongs = Of(repository).Any(image => image.ManifestDigest == text || images.ReadManifest(image.ManifestDigest) is { } manifest && Names(manifest, text));
        return ValueTask.FromResult<BlobContent?>(belongs && digest.Algorithm == ContentDigest.Sha256 ? FileBlob.TryOpen(images.PathOf(text)) : null);
    }

    public ValueTask<StoredManifest?> FindManifestAsync(string repository, ManifestReference reference, CancellationToken cancel)
    {
        var wanted = reference.Digest?.ToString();
        var found = Of(repository).FirstOrDefault(image => wanted is null ? image.Tag == reference.Tag : image.ManifestDigest == wanted);
        if (found is null || images.ReadManifest(found.ManifestDigest) is not { } content || !ContentDigest.TryParse(found.ManifestDigest, out var digest))
        {
            return ValueTask.FromResult<StoredManifest?>(null);
        }

        var mediaType = MediaTypeOf(content);
        return ValueTask.FromResult<StoredManifest?>(new StoredManifest(digest, mediaType, content));
    }

    public ValueTask<IReadOnlyList<string>?> TagsAsync(string repository, CancellationToken cancel)
    {
        var tags = Of(repository).ToList();
        return ValueTask.FromResult<IReadOnlyList<string>?>(tags.Count == 0 ? null : [.. tags.Select(image => image.Tag).OfType<string>().Distinct().Order(StringComparer.Ordinal)]);
    }

    public ValueTask<IReadOnlyList<string>> RepositoriesAsync(CancellationToken cancel) => ValueTask.FromResult<IReadOnlyList<string>>(
        [.. images.List().Select(image => Served(image.FamiliarRepository)).Where(name => RepositoryName.IsValid(name)).Distinct().Order(StringComparer.Ordinal)]);

    /// <summary>An engine keeps no artifacts.</summary>
    public ValueTask<IReadOnlyList<ManifestDescriptor>> ReferrersAsync(string repository, ContentDigest subject, CancellationToken cancel) =>
        ValueTask.FromResult<IReadOnlyList<ManifestDescriptor>>([]);

    private IEnumerable<EngineImage> Of(string repository) => images.List().Where(image =>
        Served(image.FamiliarRepository) == repository || Served(image.Repository) == repository || (image.IsDockerHub && image.Path == repository));

    /// <summary>A port's colon is not allowed in a repository's name.</summary>
    private static string Served(string repository) => repository.Replace(':', '-');

    private static bool Names(byte[] manifest, string digest) =>
        ManifestDocument.Parse(MediaTypeOf(manifest), manifest).Blobs.Any(blob => blob.Digest == digest);

    private static string MediaTypeOf(byte[] manifest)
    {
        using var document = System.Text.Json.JsonDocument.Parse(manifest);
        return document.RootElement.TryGetProperty("mediaType", out var type) && type.GetString() is { Length: > 0 } named ? named : Oci.Images.MediaTypes.OciManifest;
    }
}
