using System.Text.Json;
using Wherry.Errors;
using Wherry.Images.Distribution.Manifests;
using Wherry.Oci.Images;
using Wherry.Storage.Layers;

namespace Wherry.Images.Distribution.Artifacts;

/// <summary>Manifests of artifacts, as the image-spec's manifest.md has them since 1.1.</summary>
internal static class ArtifactManifest
{
    /// <summary>What stands where an artifact has no configuration, or no file.</summary>
    internal static readonly byte[] EmptyDocument = "{}"u8.ToArray();

    private const string PlainFile = "application/octet-stream";

    internal static Descriptor Empty { get; } = new() { MediaType = MediaTypes.OciEmpty, Digest = Digests.Of(EmptyDocument), Size = EmptyDocument.Length };

    /// <summary>The same request makes the same bytes: there is no date in it unless an annotation says one.</summary>
    internal static Manifest Compose(ArtifactPushRequest request, ArtifactFiles files, Descriptor? subject) => new()
    {
        MediaType = MediaTypes.OciManifest,
        ArtifactType = request.ArtifactType,
        Config = Empty,
        Layers = files.All.Count == 0 ? [Empty] : [.. files.All.Select(file => new Descriptor
        {
            MediaType = request.FileTypes.GetValueOrDefault(file.Name, PlainFile),
            Digest = file.Content.Digest,
            Size = file.Content.Size,
            Annotations = new Dictionary<string, string>(StringComparer.Ordinal) { [MediaTypes.TitleAnnotation] = file.Name },
        })],
        Subject = subject,
        Annotations = request.Annotations.Count == 0 ? null : request.Annotations,
    };

    internal static RemoteManifest Serialize(Manifest manifest)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(manifest, ImageJson.Canonical.Manifest);
        return bytes.Length <= RemoteManifest.LargestManifest
            ? new RemoteManifest(Digests.Of(bytes), MediaTypes.OciManifest, bytes)
            : throw new WherryException(ErrorKind.TooLarge, $"the artifact's manifest would have {bytes.Length} bytes, and registries take {RemoteManifest.LargestManifest}: it has too many files or too long annotations");
    }

    /// <summary>Signatures have an image's configuration and no layer that an image could have: they are artifacts.</summary>
    internal static bool IsImage(Manifest manifest) =>
        manifest.ArtifactType is null
        && MediaTypes.IsImageConfig(manifest.Config.MediaType)
        && manifest.Layers.All(static layer => MediaTypes.IsLayer(layer.MediaType) || MediaTypes.IsForeignLayer(layer.MediaType));

    /// <summary>The files an artifact lists, by the names they are to have here: those it gives them, else their digests.</summary>
    internal static IReadOnlyList<(string Name, Descriptor Content)> FilesOf(Manifest manifest, string what)
    {
        if (manifest.Layers.Count > ArtifactFiles.MostFiles)
            throw WherryException.Invalid($"{what} has {manifest.Layers.Count} files: the limit is {ArtifactFiles.MostFiles}");
        return [.. manifest.Layers
            .Where(static layer => layer.MediaType != MediaTypes.OciEmpty)
            .Select(static layer => (layer.Annotations?.GetValueOrDefault(MediaTypes.TitleAnnotation) ?? layer.Digest.Replace(':', '-'), layer))];
    }
}
