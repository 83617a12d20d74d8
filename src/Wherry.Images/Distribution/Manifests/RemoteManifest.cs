using System.Text.Json;
using Wherry.Errors;
using Wherry.Oci.Images;
using Wherry.Storage.Layers;

namespace Wherry.Images.Distribution.Manifests;

/// <summary>A manifest or an index as a registry gave it, checked against its digest.</summary>
/// <param name="Digest">Of the bytes.</param>
/// <param name="MediaType">What it says it is.</param>
/// <param name="Bytes">As they came.</param>
internal sealed record RemoteManifest(string Digest, string MediaType, byte[] Bytes)
{
    /// <summary>Manifests larger than this are refused, as registries refuse them.</summary>
    internal const int LargestManifest = 4 << 20;

    /// <summary>The most layers and manifests a document may list; the kernel stacks 500.</summary>
    private const int MostEntries = 4096;

    /// <summary>Layers larger than this are refused before they begin.</summary>
    private const long LargestLayer = 1L << 40;

    internal static IReadOnlyList<string> Accepted { get; } =
    [
        MediaTypes.OciIndex,
        MediaTypes.DockerManifestList,
        MediaTypes.OciManifest,
        MediaTypes.DockerManifest,
    ];

    internal bool IsIndex => MediaTypes.IsIndex(MediaType);

    internal Descriptor Descriptor => new() { MediaType = MediaType, Digest = Digest, Size = Bytes.Length };

    /// <summary>Decides what a document is by its own word and by its content type, which must not contradict each other.</summary>
    internal static RemoteManifest Recognize(byte[] bytes, string? contentType, string what)
    {
        var named = StrictJson.Parse(bytes, ImageJson.Default.ImageIndex, what);
        var type = named.MediaType ?? contentType?.Split(';')[0].Trim();
        if (named.SchemaVersion == 1 || type is "application/vnd.docker.distribution.manifest.v1+json" or "application/vnd.docker.distribution.manifest.v1+prettyjws")
            throw WherryException.Unsupported($"{what} has Docker's schema 1, which is too old: push the image again with a current client");
        if (named.MediaType is not null && contentType is not null && Accepted.Contains(contentType.Split(';')[0].Trim()) && named.MediaType != contentType.Split(';')[0].Trim())
            throw WherryException.Invalid($"{what} says it is {named.MediaType}, and the registry says {contentType}");
        if (type is null or "application/json" or "application/octet-stream" or "text/plain")
            type = named.Manifests.Count > 0 ? MediaTypes.OciIndex : MediaTypes.OciManifest;
        return Accepted.Contains(type)
            ? new RemoteManifest(Digests.Of(bytes), type, bytes)
            : throw WherryException.Unsupported($"{what} is of the unknown type {type}");
    }

    internal ImageIndex Index(string what)
    {
        var index = StrictJson.Parse(Bytes, ImageJson.Default.ImageIndex, what);
        CheckEntries(index.Manifests, what);
        return index;
    }

    /// <summary>The manifest, with descriptors that can be relied on.</summary>
    internal Manifest Manifest(string what)
    {
        Manifest manifest;
        using (var document = JsonDocument.Parse(Bytes))
        {
            if (!document.RootElement.TryGetProperty("config", out var config) || config.ValueKind != JsonValueKind.Object)
                throw WherryException.Invalid($"{what} has no configuration");
            if (document.RootElement.TryGetProperty("manifests", out _))
                throw WherryException.Invalid($"{what} is a manifest and an index at once");
        }
        manifest = StrictJson.Parse(Bytes, ImageJson.Default.Manifest, what);
        CheckEntries([manifest.Config, .. manifest.Layers], what);
        return manifest;
    }

    /// <summary>Refuses what is no image, and layers that may not or can't be had.</summary>
    internal static void RequireImage(Manifest manifest, string what)
    {
        if (!MediaTypes.IsImageConfig(manifest.Config.MediaType))
            throw WherryException.Unsupported($"{what} is an artifact of type {manifest.ArtifactType ?? manifest.Config.MediaType}, not an image: 'wherry artifact pull' gets its files");
        foreach (var layer in manifest.Layers)
        {
            if (MediaTypes.IsForeignLayer(layer.MediaType))
                throw WherryException.Unsupported($"{what} has the foreign layer {layer.Digest}, which its registry may not distribute ({layer.MediaType}): such images are not supported");
            if (!MediaTypes.IsLayer(layer.MediaType))
                throw WherryException.Unsupported($"{what} has a layer of the unknown type {layer.MediaType}");
        }
    }

    private static void CheckEntries(IReadOnlyList<Descriptor> entries, string what)
    {
        if (entries.Count > MostEntries)
            throw WherryException.Invalid($"{what} lists {entries.Count} entries: the limit is {MostEntries}");
        foreach (var entry in entries)
        {
            // JSON can say null where a type says it can't.
            if (entry is null || !Digests.IsValid(entry.Digest))
                throw WherryException.Invalid($"{what} names content by \"{entry?.Digest}\", which is not a sha256 digest");
            if (entry.Size is < 0 or > LargestLayer)
                throw WherryException.Invalid($"{what} says that {entry.Digest} has {entry.Size} bytes");
        }
    }
}
