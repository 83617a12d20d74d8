using System.Text.Json;
using Wherry.Errors;
using Wherry.Images.Content;
using Wherry.Images.References;
using Wherry.Oci.Images;
using Wherry.Storage.Layers;

namespace Wherry.Images.Archives;

/// <summary>An image as an archive describes it.</summary>
/// <param name="Config">The configuration's bytes.</param>
/// <param name="Manifest">The manifest's bytes, where the archive has one for exactly these layers.</param>
/// <param name="Layers">Lowest first.</param>
/// <param name="References">The names it is to get.</param>
internal sealed record ArchivedImage(byte[] Config, byte[]? Manifest, IReadOnlyList<LayerArrival> Layers, IReadOnlyList<ImageReference> References)
{
    private const int DeepestIndex = 4;

    /// <summary>The images of an archive: by Docker's list where there is one, else by the image layout's index.</summary>
    internal static IReadOnlyList<ArchivedImage> FindAll(ImageArchiveReader archive)
    {
        var index = archive.Document("index.json") is { } bytes ? Parse(bytes, ImageJson.Default.ImageIndex, "index.json") : null;
        var found = new List<ArchivedImage>();
        if (archive.Document("manifest.json") is { } list)
        {
            var manifests = index is null ? [] : Flatten(archive, index, null, 0).Select(pair => ReadManifest(archive, pair.Manifest)).ToList();
            var entries = Parse(list, ImageJson.Default.DockerArchiveEntryArray, "manifest.json");
            RequireAll(entries, "manifest.json");
            foreach (var entry in entries)
                found.Add(FromDocker(archive, entry, manifests));
        }
        else if (index is not null)
        {
            foreach (var (descriptor, name) in Flatten(archive, index, null, 0))
                found.Add(FromLayout(archive, ReadManifest(archive, descriptor), name));
        }
        else
        {
            throw WherryException.Invalid("invalid archive: it has neither manifest.json (docker save) nor index.json (OCI image layout); a root file system's archive is for import");
        }
        return found.Count > 0 ? found : throw WherryException.Invalid("invalid archive: it names no image");
    }

    private static ArchivedImage FromDocker(ImageArchiveReader archive, DockerArchiveEntry entry, List<(byte[] Bytes, Manifest Manifest)> manifests)
    {
        RequireAll([entry.Config, .. entry.Layers, .. entry.RepoTags ?? []], "manifest.json");
        var config = archive.Document(entry.Config) ?? throw WherryException.Invalid($"invalid archive: configuration {entry.Config} is missing");
        var digest = Digests.Of(config);
        // Most archives name the configuration by its digest; then it must be that.
        var name = Path.GetFileNameWithoutExtension(entry.Config);
        if (Digests.IsHexDigest(name) && Digests.FromHex(name) != digest)
            throw WherryException.Invalid($"invalid archive: configuration {entry.Config} has another digest");
        var layers = entry.Layers.Select(archive.Layer).ToList();
        var digests = layers.Select(layer => layer.BlobDigest).ToList();
        var (bytes, _) = manifests.Find(candidate =>
            candidate.Manifest.Config.Digest == digest && candidate.Manifest.Layers.Select(layer => layer.Digest).SequenceEqual(digests, StringComparer.Ordinal));
        return new ArchivedImage(config, bytes, layers, [.. (entry.RepoTags ?? []).Select(tag => Name(tag).WithDefaultTag())]);
    }

    private static ArchivedImage FromLayout(ImageArchiveReader archive, (byte[] Bytes, Manifest Manifest) manifest, string? name)
    {
        var type = manifest.Manifest.Config.MediaType;
        if (type is not (null or MediaTypes.OciConfig or "application/vnd.docker.container.image.v1+json"))
            throw WherryException.Unsupported($"the archive holds an artifact of type {type}, not an image");
        var config = archive.DocumentByDigest(manifest.Manifest.Config.Digest, "configuration");
        var layers = manifest.Manifest.Layers.Select(layer => archive.LayerByDigest(layer.Digest)).ToList();
        return new ArchivedImage(config, manifest.Bytes, layers, name is null ? [] : [Name(name).WithDefaultTag()]);
    }

    private static (byte[] Bytes, Manifest Manifest) ReadManifest(ImageArchiveReader archive, Descriptor descriptor)
    {
        var bytes = archive.DocumentByDigest(descriptor.Digest, "manifest");
        var manifest = Parse(bytes, ImageJson.Default.Manifest, $"manifest {descriptor.Digest}");
        RequireAll([manifest.Config, .. manifest.Layers], $"manifest {descriptor.Digest}");
        foreach (var digest in manifest.Layers.Select(layer => layer.Digest).Append(manifest.Config.Digest))
            CheckDigest(digest);
        return (bytes, manifest);
    }

    /// <summary>The manifests that an index leads to. Of an index of platforms the one for this host is taken.</summary>
    private static IEnumerable<(Descriptor Manifest, string? Name)> Flatten(ImageArchiveReader archive, ImageIndex index, string? outerName, int depth)
    {
        if (depth > DeepestIndex)
            throw WherryException.Invalid("invalid archive: its indexes are nested too deep");
        RequireAll(index.Manifests, "index");
        foreach (var descriptor in depth == 0 ? index.Manifests : ForThisHost(index.Manifests))
        {
            CheckDigest(descriptor.Digest);
            var name = NameOf(descriptor) ?? outerName;
            if (!MediaTypes.IsIndex(descriptor.MediaType))
            {
                if (descriptor.MediaType is null || MediaTypes.IsManifest(descriptor.MediaType))
                    yield return (descriptor, name);
                continue;
            }
            var inner = Parse(archive.DocumentByDigest(descriptor.Digest, "index"), ImageJson.Default.ImageIndex, $"index {descriptor.Digest}");
            foreach (var found in Flatten(archive, inner, name, depth + 1))
                yield return found;
        }
    }

    private static IEnumerable<Descriptor> ForThisHost(IReadOnlyList<Descriptor> manifests)
    {
        var match = manifests.FirstOrDefault(descriptor => descriptor.Platform is { } platform && Platform.Host.Matches(platform))
            ?? manifests.FirstOrDefault(descriptor => descriptor.Platform is null);
        return match is null
            ? throw WherryException.NotFound($"the archive has no image for {Platform.Host}, only for {string.Join(", ", manifests.Select(descriptor => descriptor.Platform?.ToString() ?? "?"))}")
            : [match];
    }

    /// <summary>A bare tag, as image layouts may have, names no repository: such an image comes in without a name.</summary>
    private static string? NameOf(Descriptor descriptor)
    {
        if (descriptor.Annotations is not { } annotations)
            return null;
        if (annotations.TryGetValue(MediaTypes.ContainerdNameAnnotation, out var whole))
            return whole;
        return annotations.TryGetValue(MediaTypes.RefNameAnnotation, out var name) && name.AsSpan().ContainsAny(':', '/') ? name : null;
    }

    private static ImageReference Name(string text)
    {
        try
        {
            return ImageReference.Parse(text);
        }
        catch (WherryException invalid)
        {
            throw WherryException.Invalid($"invalid archive: image name \"{text}\": {invalid.Message}", invalid);
        }
    }

    private static void CheckDigest(string digest)
    {
        if (!Digests.IsValid(digest))
            throw WherryException.Invalid($"invalid archive: \"{digest}\" is not a sha256 digest");
    }

    /// <summary>JSON can say null where a type says it can't.</summary>
    private static void RequireAll(IEnumerable<object?> items, string what)
    {
        if (items.Any(item => item is null))
            throw WherryException.Invalid($"invalid archive: {what} is not what it should be: null where something must be");
    }

    private static T Parse<T>(byte[] bytes, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, string what)
    {
        try
        {
            return JsonSerializer.Deserialize(bytes, type) ?? throw WherryException.Invalid($"invalid archive: {what} is empty");
        }
        catch (JsonException damaged)
        {
            throw WherryException.Invalid($"invalid archive: {what} is not what it should be: {damaged.Message}", damaged);
        }
    }
}
