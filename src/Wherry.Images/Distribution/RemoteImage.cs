using Wherry.Images.Distribution.Http;
using Wherry.Images.Distribution.Manifests;
using Wherry.Images.References;
using Wherry.Oci.Images;

namespace Wherry.Images.Distribution;

/// <summary>A manifest of an image, or of something else, that was not pulled.</summary>
/// <param name="Descriptor">Its digest, size, type, and the platform its index says it is for.</param>
/// <param name="Document">Its bytes.</param>
/// <param name="Config">Its configuration's bytes; null for an artifact.</param>
public sealed record RemoteManifestView(Descriptor Descriptor, byte[] Document, byte[]? Config);

/// <summary>What a name means at a registry.</summary>
/// <param name="Top">What the name stands for: a manifest, or an index.</param>
/// <param name="Document">Its bytes.</param>
/// <param name="Platforms">What the image is there for.</param>
/// <param name="Manifests">The manifest, or those of the index (attestations included).</param>
public sealed record RemoteImage(Descriptor Top, byte[] Document, IReadOnlyList<Platform> Platforms, IReadOnlyList<RemoteManifestView> Manifests)
{
    /// <summary>An index of more platforms than anyone builds for is not followed to its end.</summary>
    private const int MostManifests = 64;

    internal static async Task<RemoteImage> ReadAsync(RepositoryClient place, ImageReference reference, CancellationToken cancel)
    {
        var what = $"image {reference.Familiar}";
        var top = await place.GetManifestAsync(reference.Digest ?? reference.Tag!, cancel);
        if (!top.IsIndex)
        {
            var only = await ViewAsync(place, top, null, what, cancel);
            var platform = only.Config is null ? null : PlatformOf(only.Config, what);
            return new RemoteImage(top.Descriptor, top.Bytes, platform is null ? [] : [platform], [only]);
        }
        var index = top.Index(what);
        var views = new List<RemoteManifestView>();
        foreach (var entry in index.Manifests.Where(entry => !MediaTypes.IsIndex(entry.MediaType)).Take(MostManifests))
            views.Add(await ViewAsync(place, await place.GetManifestAsync(entry.Digest, cancel), entry.Platform, what, cancel));
        return new RemoteImage(
            top.Descriptor,
            top.Bytes,
            [.. index.Manifests.Where(PlatformChoice.IsImage).Select(entry => entry.Platform).OfType<Platform>()],
            views);
    }

    private static async Task<RemoteManifestView> ViewAsync(RepositoryClient place, RemoteManifest manifest, Platform? platform, string what, CancellationToken cancel)
    {
        var content = manifest.Manifest(what);
        var isImage = MediaTypes.IsImageConfig(content.Config.MediaType);
        var config = isImage ? await place.GetDocumentAsync(content.Config, $"fetch the configuration of {what}", cancel) : null;
        return new RemoteManifestView(manifest.Descriptor with { Platform = platform, ArtifactType = content.ArtifactType }, manifest.Bytes, config);
    }

    private static Platform PlatformOf(byte[] config, string what) =>
        StrictJson.Parse(config, ImageJson.Default.ImageConfig, $"the configuration of {what}").Platform;
}
