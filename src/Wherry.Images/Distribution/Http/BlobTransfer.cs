using System.Net;
using Wherry.Errors;
using Wherry.Images.Content;
using Wherry.Oci.Images;

namespace Wherry.Images.Distribution.Http;

/// <summary>Blobs that pass through the engine without becoming part of an image here.</summary>
internal static class BlobTransfer
{
    /// <summary>Fetches a blob and checks it; the caller owns the file.</summary>
    internal static async Task<SpooledFile> FetchAsync(RepositoryClient source, Descriptor blob, BlobStore blobs, CancellationToken cancel)
    {
        var file = blobs.Spool();
        try
        {
            await source.FetchBlobAsync(blob.Digest, new SpoolInput(file, blob.Size), static _ => { }, cancel);
            file.Complete();
            return file.Digest == blob.Digest
                ? file
                : throw WherryException.System($"content {blob.Digest} came damaged from registry {source.Endpoint}: it has the digest {file.Digest}");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Sends a file, unless the repository has it.</summary>
    internal static async Task SendAsync(RepositoryClient target, SpooledFile file, CancellationToken cancel)
    {
        if (await target.HasBlobAsync(file.Digest, cancel))
            return;
        var upload = (await target.StartUploadAsync(null, null, cancel))!;
        await target.UploadWholeAsync(file.Digest, file.Size, file.OpenRead, upload, static _ => { }, cancel);
    }

    /// <summary>Brings a blob from one repository to another: it is there, it is mounted, or it is fetched and sent.</summary>
    internal static async Task CopyAsync(RepositoryClient source, RepositoryClient target, Descriptor blob, BlobStore blobs, CancellationToken cancel)
    {
        if (await target.HasBlobAsync(blob.Digest, cancel))
            return;
        if (source.Endpoint.Authority == target.Endpoint.Authority && await target.TryMountAsync(blob.Digest, source.Endpoint.Repository, cancel))
            return;
        using var file = await FetchAsync(source, blob, blobs, cancel);
        await SendAsync(target, file, cancel);
    }

    /// <summary>Has a registry take a blob over from another of its repositories; false where it does not.</summary>
    internal static async Task<bool> TryMountAsync(this RepositoryClient target, string digest, string repository, CancellationToken cancel)
    {
        try
        {
            if (await target.StartUploadAsync(digest, repository, cancel) is not { } upload)
                return true;
            await target.AbandonAsync(upload);
            return false;
        }
        catch (RegistryException refused) when (refused.Status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.NotFound)
        {
            return false; // no rights there; then it is sent
        }
    }
}
