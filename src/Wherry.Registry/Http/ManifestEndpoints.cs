using Microsoft.AspNetCore.Http;
using Wherry.Registry.Manifests;
using Wherry.Registry.Names;
using Wherry.Registry.Storage;

namespace Wherry.Registry.Http;

/// <summary>Manifests: fetched, pushed, removed (end-3, end-7, end-9).</summary>
internal sealed class ManifestEndpoints(IRegistryContent content, LocalStore? store, IRegistryLog log)
{
    internal async Task GetAsync(RegistryRequest request)
    {
        var reference = Reference(request);
        var manifest = await content.FindManifestAsync(request.Name, reference, request.Aborted).ConfigureAwait(false)
            ?? throw RegistryException.ManifestUnknown(reference.ToString());
        var headers = request.Http.Response.Headers;
        var tag = $"\"{manifest.Digest}\"";
        headers["Docker-Content-Digest"] = manifest.Digest.ToString();
        headers.ETag = tag;
        if (Conditions.IsKnown(request.Http.Request, tag))
        {
            request.Http.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        await request.AnswerAsync(manifest.Content, manifest.MediaType).ConfigureAwait(false);
    }

    internal async Task PutAsync(RegistryRequest request)
    {
        var reference = Reference(request);
        var body = await request.BodyAsync(
            ManifestDocument.LargestManifest,
            () => new RegistryException(413, ErrorCode.ManifestInvalid, "the manifest is too large: at most 4 MiB")).ConfigureAwait(false);
        var result = store!.PutManifest(request.Name, reference, request.Http.Request.ContentType, body);
        var headers = request.Http.Response.Headers;
        headers.Location = $"/v2/{request.Name}/manifests/{result.Digest}";
        headers["Docker-Content-Digest"] = result.Digest.ToString();
        if (result.Subject is { } subject)
        {
            headers["OCI-Subject"] = subject.ToString();
        }

        log.Info($"{request.Identity} pushed manifest {result.Digest} as {request.Name}{(reference.Tag is { } tag ? ":" + tag : "@" + result.Digest)}");
        await request.AnswerAsync(StatusCodes.Status201Created).ConfigureAwait(false);
    }

    internal Task DeleteAsync(RegistryRequest request)
    {
        var reference = Reference(request);
        var deleted = reference.Tag is { } tag ? store!.DeleteTag(request.Name, tag) : store!.DeleteManifest(request.Name, reference.Digest!.Value);
        if (!deleted)
        {
            throw RegistryException.ManifestUnknown(reference.ToString());
        }

        log.Info($"{request.Identity} deleted {reference} from {request.Name}");
        return request.AnswerAsync(StatusCodes.Status202Accepted);
    }

    private static ManifestReference Reference(RegistryRequest request) => ManifestReference.TryParse(request.Route.Reference)
        ?? throw (request.Route.Reference.Contains(':', StringComparison.Ordinal)
            ? RegistryException.DigestInvalid("provided digest did not match the grammar of sha256 or sha512", request.Route.Reference)
            : RegistryException.ManifestInvalid("the tag is not valid", request.Route.Reference));
}
