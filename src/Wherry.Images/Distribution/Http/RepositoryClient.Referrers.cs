using System.Net;
using System.Text.Json;
using Wherry.Images.Distribution.Manifests;
using Wherry.Oci.Images;
using Wherry.Storage.Layers;

namespace Wherry.Images.Distribution.Http;

/// <summary>Who refers to a manifest (distribution-spec, "Listing Referrers" and "Pushing Manifests with Subject").</summary>
internal sealed partial class RepositoryClient
{
    /// <summary>What refers to a manifest: by the API, or where the registry lacks it by the tag that stands for it (distribution-spec, "Referrers Tag Schema").</summary>
    internal async Task<IReadOnlyList<Descriptor>> GetReferrersAsync(string digest, string? artifactType, CancellationToken cancel)
    {
        var found = new List<Descriptor>();
        var next = Endpoint.Of($"referrers/{digest}{(artifactType is null ? "" : "?artifactType=" + Uri.EscapeDataString(artifactType))}");
        for (var page = 0; page < MostPages; page++)
        {
            using var response = await session.SendAsync(
                new RegistryRequest(HttpMethod.Get, next, $"list referrers of {digest} in {Repository}")
                {
                    Accept = [MediaTypes.OciIndex],
                    Scopes = PullScope,
                    Expected = [HttpStatusCode.NotFound, HttpStatusCode.BadRequest, HttpStatusCode.MethodNotAllowed],
                },
                cancel);
            if (!response.IsSuccessStatusCode)
            {
                found.AddRange(await ReferrersByTagAsync(digest, cancel));
                break;
            }
            var bytes = await ReadAsync(response, LargestList, $"the list of referrers of {digest}", cancel);
            found.AddRange(StrictJson.Parse(bytes, ImageJson.Default.ImageIndex, $"the list of referrers of {digest}").Manifests);
            if (NextPage(response, next) is not { } following)
                break;
            next = following;
        }
        return [.. found.Where(entry => entry is not null && (artifactType is null || entry.ArtifactType == artifactType))];
    }

    private async Task<IReadOnlyList<Descriptor>> ReferrersByTagAsync(string digest, CancellationToken cancel)
    {
        try
        {
            var index = await GetManifestAsync(ReferrersTag(digest), cancel);
            return index.IsIndex ? index.Index($"the list of referrers of {digest}").Manifests : [];
        }
        catch (RegistryException failure) when (failure.Status == HttpStatusCode.NotFound)
        {
            return [];
        }
    }

    /// <summary>
    /// Adds to the list that stands in for the API where a registry lacks it (distribution-spec, "Referrers Tag Schema").
    /// Two who do so at once may lose one of both entries: the schema has nothing against it.
    /// </summary>
    internal async Task AddReferrerByTagAsync(string subject, Descriptor referrer, CancellationToken cancel)
    {
        var others = (await ReferrersByTagAsync(subject, cancel)).Where(entry => entry.Digest != referrer.Digest);
        var index = new ImageIndex { MediaType = MediaTypes.OciIndex, Manifests = [.. others, referrer] };
        var bytes = JsonSerializer.SerializeToUtf8Bytes(index, ImageJson.Canonical.ImageIndex);
        await PutManifestAsync(ReferrersTag(subject), new RemoteManifest(Digests.Of(bytes), MediaTypes.OciIndex, bytes), cancel);
    }

    private static string ReferrersTag(string digest) => digest.Replace(':', '-');
}
