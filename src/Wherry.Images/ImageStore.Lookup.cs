using Wherry.Errors;
using Wherry.Images.Records;
using Wherry.Images.References;
using Wherry.Storage.Layers;

namespace Wherry.Images;

/// <summary>From what a user typed to an image.</summary>
public sealed partial class ImageStore
{
    /// <summary>The image of a name, a name with a digest, an ID, or the start of just one ID.</summary>
    public Image Resolve(string reference) => Find(reference).ToImage();

    /// <summary>As <see cref="Resolve"/>, with null where no image is so named or the text can name none.</summary>
    public Image? TryResolve(string reference)
    {
        try
        {
            return Find(reference).ToImage();
        }
        catch (WherryException failure) when (failure.Kind is ErrorKind.NotFound or ErrorKind.InvalidParameter)
        {
            return null;
        }
    }

    /// <summary>What the content store has of an image; null where it has been removed meanwhile.</summary>
    public ImageContent? ContentOf(Image image)
    {
        if (!_catalog.Images.TryGetValue(image.Id, out var stored) || _blobs.TrySizeOf(stored.Record.Manifest) is not { } size)
            return null;
        var layers = stored.Manifest.Layers.DistinctBy(layer => layer.Digest).Sum(layer => layer.Size);
        return new ImageContent(stored.Manifest.MediaType ?? Oci.Images.MediaTypes.OciManifest, size, size + stored.Manifest.Config.Size + layers);
    }

    private StoredImage Find(string text)
    {
        var catalog = _catalog;
        if (Digests.IsHexDigest(text) || Digests.IsValid(text))
        {
            var id = Digests.IsValid(text) ? text : Digests.FromHex(text);
            return catalog.Images.GetValueOrDefault(id) ?? throw WherryException.NotFound($"No such image: {text}");
        }
        var isPrefix = IsIdPrefix(text, out var prefix);
        var reference = isPrefix ? ImageReference.TryParse(text) : ImageReference.Parse(text);
        if (reference is not null)
        {
            var name = reference.Digest is null ? reference.WithDefaultTag() : reference.WithDigest(reference.Digest);
            if (catalog.Names.TryGetValue(name.ToString(), out var id))
                return catalog.Images[id];
        }
        if (isPrefix)
        {
            var found = catalog.Images.Values.Where(image => image.Id.AsSpan(7).StartsWith(prefix)).Take(2).ToList();
            if (found.Count == 1)
                return found[0];
            if (found.Count > 1)
                throw WherryException.NotFound($"ambiguous image ID prefix: {text} is the start of more than one");
        }
        throw WherryException.NotFound($"No such image: {reference?.WithDefaultTag().Familiar ?? text}");
    }

    private static bool IsIdPrefix(string text, out string prefix)
    {
        prefix = text.StartsWith("sha256:", StringComparison.Ordinal) ? text[7..] : text;
        return prefix.Length is > 0 and < 64 && Digests.IsHex(prefix);
    }
}
