using Wherry.Linux;
using Wherry.Registry.Manifests;
using Wherry.Registry.Names;
using Wherry.Storage.Layers;

namespace Wherry.Registry.Storage;

/// <summary>Manifests coming in and going.</summary>
public sealed partial class LocalStore
{
    /// <summary>Stores a manifest and makes the reference name it.</summary>
    /// <param name="reference">A tag, or the digest the bytes must have.</param>
    /// <param name="contentType">As the client declared it.</param>
    /// <param name="content">Kept byte for byte.</param>
    /// <exception cref="RegistryException">It is no valid manifest, or names content that is not here.</exception>
    public PutManifestResult PutManifest(string repository, ManifestReference reference, string? contentType, ReadOnlyMemory<byte> content)
    {
        var digest = ContentDigest.Of(content.Span, reference.Digest?.Algorithm ?? ContentDigest.Sha256);
        if (reference.Digest is { } wanted && wanted != digest)
        {
            throw RegistryException.DigestInvalid($"the manifest has the digest {digest}, not {wanted}", wanted.ToString());
        }

        var document = ManifestDocument.Parse(contentType, content.Span);
        try
        {
            WithinQuota(repository, content.Length, digest, () => Change(() =>
            {
                var links = Layout.Repository(repository);
                RequireContent(links, document);
                PublishDocument(digest, content.Span);
                if (document.Subject is { } subject)
                {
                    // Before the manifest's own link, without which it shows nowhere.
                    links.LinkReferrer(subject, digest, document.Describe(digest, content.Length));
                }

                links.LinkManifest(digest, document.MediaType);
                if (reference.Tag is { } tag)
                {
                    links.LinkTag(tag, digest);
                }

                return true;
            }));
        }
        catch (LinuxException full) when (full.ErrorNumber is DiskFull.NoSpace or DiskFull.OverDiskQuota)
        {
            throw DiskFull.Failure(full);
        }

        return new PutManifestResult(digest, document.Subject);
    }

    /// <summary>Marks a manifest as in use: without a tag it stays for another grace period.</summary>
    public void Renew(string repository, ContentDigest digest) => Change(() => RepositoryLinks.TryTouch(Layout.Repository(repository).ManifestPath(digest)));

    /// <summary>Takes a tag away; false where there is none. The manifest stays until it is collected.</summary>
    public bool DeleteTag(string repository, string tag) => Change(() => Layout.Repository(repository).UnlinkTag(tag));

    /// <summary>Takes a manifest out of a repository with the tags that name it; false where there is none.</summary>
    public bool DeleteManifest(string repository, ContentDigest digest) => Change(() => Unlink(Layout.Repository(repository), digest));

    /// <summary>Tags first and the manifest's own link last, so that after a crash the request can simply be repeated.</summary>
    internal bool Unlink(RepositoryLinks links, ContentDigest digest)
    {
        if (links.MediaTypeOf(digest) is not { } mediaType)
        {
            return false;
        }

        foreach (var tag in links.Tags().Where(tag => links.ResolveTag(tag) == digest))
        {
            links.UnlinkTag(tag);
        }

        if (TryReadDocument(digest, mediaType)?.Subject is { } subject)
        {
            links.UnlinkReferrer(subject, digest);
        }

        return links.UnlinkManifest(digest);
    }

    /// <summary>A stored manifest as a document; null where it is missing or damaged.</summary>
    internal ManifestDocument? TryReadDocument(ContentDigest digest, string mediaType)
    {
        try
        {
            return ManifestDocument.Parse(mediaType, File.ReadAllBytes(Layout.Blob(digest)));
        }
        catch (Exception damaged) when (damaged is IOException or RegistryException)
        {
            return null;
        }
    }

    /// <summary>Everything a manifest names must be in its repository; what is, has its lease renewed.</summary>
    private void RequireContent(RepositoryLinks links, ManifestDocument document)
    {
        if (_options.AllowMissingBlobs)
        {
            return;
        }

        foreach (var descriptor in document.Blobs)
        {
            _ = ContentDigest.TryParse(descriptor.Digest, out var digest);
            if (!RepositoryLinks.TryTouch(links.LayerPath(digest)) || SizeOf(digest) is not { } size)
            {
                throw new RegistryException(400, ErrorCode.ManifestBlobUnknown, "the manifest names a blob that is not in this repository", descriptor.Digest);
            }

            if (size != descriptor.Size)
            {
                throw RegistryException.ManifestInvalid($"it gives {descriptor.Size} bytes as the size of a blob of {size}", descriptor.Digest);
            }
        }

        foreach (var child in document.Children)
        {
            _ = ContentDigest.TryParse(child.Digest, out var digest);
            if (!RepositoryLinks.TryTouch(links.ManifestPath(digest)))
            {
                throw new RegistryException(400, ErrorCode.ManifestBlobUnknown, "the index names a manifest that is not in this repository", child.Digest);
            }
        }
    }

    private void PublishDocument(ContentDigest digest, ReadOnlySpan<byte> content)
    {
        var path = Layout.Blob(digest);
        if (!RepositoryLinks.TryTouch(path))
        {
            DurableFile.Write(path, content);
        }
    }
}

/// <param name="Digest">Of the stored manifest.</param>
/// <param name="Subject">What it refers to, where it does.</param>
public readonly record struct PutManifestResult(ContentDigest Digest, ContentDigest? Subject);
