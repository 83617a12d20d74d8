using System.Text.Json;
using Wherry.Oci.Images;
using Wherry.Registry.Names;

namespace Wherry.Registry.Manifests;

/// <summary>A manifest that was read and found to be in order; what it refers to may or may not exist.</summary>
internal sealed class ManifestDocument
{
    /// <summary>Bytes: what registries are told to take at least (distribution-spec, "Pushing Manifests").</summary>
    internal const int LargestManifest = 4 * 1024 * 1024;

    private ManifestDocument(string mediaType, ManifestModel model)
    {
        MediaType = mediaType;
        Model = model;
    }

    internal string MediaType { get; }

    internal ManifestModel Model { get; }

    internal bool IsIndex => MediaTypes.IsIndex(MediaType);

    /// <summary>Configuration and layers; those that are fetched from elsewhere by licence are left out.</summary>
    internal IEnumerable<ManifestDescriptor> Blobs =>
        IsIndex ? [] : Model.Layers!.Where(layer => !IsForeign(layer)).Prepend(Model.Config!);

    /// <summary>The manifests an index lists.</summary>
    internal IEnumerable<ManifestDescriptor> Children => IsIndex ? Model.Manifests! : [];

    internal ContentDigest? Subject => ContentDigest.TryParse(Model.Subject?.Digest, out var digest) ? digest : null;

    /// <summary>What the list of referrers shows of this manifest (distribution-spec, "Listing Referrers").</summary>
    internal ManifestDescriptor Describe(ContentDigest digest, long size) => new()
    {
        MediaType = MediaType,
        Digest = digest.ToString(),
        Size = size,
        ArtifactType = !string.IsNullOrEmpty(Model.ArtifactType) ? Model.ArtifactType : IsIndex ? null : Model.Config!.MediaType,
        Annotations = Model.Annotations,
    };

    /// <param name="contentType">As the client declared it; null or empty takes the document's word.</param>
    /// <param name="content">The bytes.</param>
    /// <exception cref="RegistryException">MANIFEST_INVALID, with what is wrong.</exception>
    internal static ManifestDocument Parse(string? contentType, ReadOnlySpan<byte> content)
    {
        ManifestModel model;
        try
        {
            StrictJson.Check(content);
            model = JsonSerializer.Deserialize(content, RegistryJson.Default.ManifestModel) ?? throw RegistryException.ManifestInvalid("it is null");
        }
        catch (JsonException failure)
        {
            throw RegistryException.ManifestInvalid(failure.Message, failure.Path, failure);
        }

        var declared = contentType?.Split(';', 2)[0].Trim();
        var mediaType = !string.IsNullOrEmpty(declared) ? declared : model.MediaType ?? throw RegistryException.ManifestInvalid("neither Content-Type nor mediaType says what it is");
        if (!MediaTypes.IsIndex(mediaType) && !MediaTypes.IsManifest(mediaType))
        {
            throw RegistryException.ManifestInvalid($"the media type {mediaType} is not supported: use OCI's manifest or index, or Docker's schema 2", mediaType);
        }

        if (model.MediaType is { } inner && inner != mediaType)
        {
            throw RegistryException.ManifestInvalid($"its mediaType is {inner}, but it was sent as {mediaType}", inner);
        }

        if (model.SchemaVersion != 2)
        {
            throw RegistryException.ManifestInvalid("schemaVersion must be 2");
        }

        var document = new ManifestDocument(mediaType, model);
        if (document.IsIndex)
        {
            CheckAll("manifests", model.Manifests ?? throw RegistryException.ManifestInvalid("an index needs manifests"));
        }
        else
        {
            Check("config", model.Config ?? throw RegistryException.ManifestInvalid("an image manifest needs config"));
            CheckAll("layers", model.Layers ?? throw RegistryException.ManifestInvalid("an image manifest needs layers"));
            if (model.Manifests is not null)
            {
                throw RegistryException.ManifestInvalid("it has manifests as an index has, but is sent as an image manifest");
            }
        }

        if (model.Subject is { } subject)
        {
            Check("subject", subject);
        }

        return document;
    }

    /// <summary>Layers that image-spec or Docker let stay on a server of their own.</summary>
    private static bool IsForeign(ManifestDescriptor layer) =>
        layer.Urls is { Count: > 0 }
        || (layer.MediaType is { } type && (type.Contains(".nondistributable.", StringComparison.Ordinal) || type.Contains(".foreign.", StringComparison.Ordinal)));

    private static void CheckAll(string member, IReadOnlyList<ManifestDescriptor> descriptors)
    {
        for (var i = 0; i < descriptors.Count; i++)
        {
            Check($"{member}[{i}]", descriptors[i] ?? throw RegistryException.ManifestInvalid($"{member}[{i}] is null"));
        }
    }

    private static void Check(string member, ManifestDescriptor descriptor)
    {
        if (!ContentDigest.TryParse(descriptor.Digest, out _))
        {
            throw RegistryException.ManifestInvalid($"{member} has no valid sha256 or sha512 digest", descriptor.Digest);
        }

        if (descriptor.Size < 0)
        {
            throw RegistryException.ManifestInvalid($"{member} has a negative size", descriptor.Digest);
        }
    }
}
