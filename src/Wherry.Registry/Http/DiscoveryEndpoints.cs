using System.Globalization;
using Wherry.Oci.Images;
using Wherry.Registry.Authentication;
using Wherry.Registry.Manifests;

namespace Wherry.Registry.Http;

/// <summary>What there is: tags, referrers, repositories (end-8a, end-8b, end-12, and Docker's catalog).</summary>
internal sealed class DiscoveryEndpoints(IRegistryContent content)
{
    /// <summary>Entries of one page where the client doesn't say how many it wants; its own wish is bounded by it as well.</summary>
    private const int LargestPage = 10_000;

    /// <summary>Descriptors of one page: with annotations of some kilobytes each still within clients' 4 MiB.</summary>
    private const int ReferrerPage = 1_000;

    internal async Task TagsAsync(RegistryRequest request)
    {
        var tags = await content.TagsAsync(request.Name, request.Aborted).ConfigureAwait(false) ?? throw RegistryException.NameUnknown(request.Name);
        var page = Page(request, tags, $"/v2/{request.Name}/tags/list");
        await request.AnswerAsync(new TagList { Name = request.Name, Tags = page }, RegistryJson.Canonical.TagList).ConfigureAwait(false);
    }

    internal async Task CatalogAsync(RegistryRequest request)
    {
        var all = await content.RepositoriesAsync(request.Aborted).ConfigureAwait(false);
        var visible = all.Where(name => request.Identity.May(name, RepositoryAction.Pull)).ToList();
        var page = Page(request, visible, "/v2/_catalog");
        await request.AnswerAsync(new RepositoryList { Repositories = page }, RegistryJson.Canonical.RepositoryList).ConfigureAwait(false);
    }

    internal async Task ReferrersAsync(RegistryRequest request)
    {
        IEnumerable<ManifestDescriptor> referrers = await content.ReferrersAsync(request.Name, request.Digest, request.Aborted).ConfigureAwait(false);
        var filter = request.Query("artifactType");
        if (filter is not null)
        {
            referrers = referrers.Where(descriptor => descriptor.ArtifactType == filter);
            request.Http.Response.Headers["OCI-Filters-Applied"] = "artifactType";
        }

        if (request.Query("last") is { } last)
        {
            referrers = referrers.Where(descriptor => string.CompareOrdinal(descriptor.Digest, last) > 0);
        }

        var page = referrers.OrderBy(descriptor => descriptor.Digest, StringComparer.Ordinal).Take(ReferrerPage + 1).ToList();
        if (page.Count > ReferrerPage)
        {
            page.RemoveAt(ReferrerPage);
            var query = filter is null ? "" : $"artifactType={Uri.EscapeDataString(filter)}&";
            request.Http.Response.Headers.Link = $"</v2/{request.Name}/referrers/{request.Digest}?{query}last={Uri.EscapeDataString(page[^1].Digest)}>; rel=\"next\"";
        }

        await request.AnswerAsync(new ReferrerIndex { Manifests = page }, RegistryJson.Canonical.ReferrerIndex, mediaType: MediaTypes.OciIndex).ConfigureAwait(false);
    }

    /// <summary>What follows <c>last</c>, at most <c>n</c> of it, with a link to the rest (RFC 5988).</summary>
    private static List<string> Page(RegistryRequest request, IReadOnlyList<string> ordered, string path)
    {
        var size = Math.Min(request.PageSize() ?? LargestPage, LargestPage);
        IEnumerable<string> rest = request.Query("last") is { } last ? ordered.Where(entry => string.CompareOrdinal(entry, last) > 0) : ordered;
        var page = rest.Take(size + 1).ToList();
        if (page.Count > size)
        {
            page.RemoveAt(size);
            if (size > 0)
            {
                request.Http.Response.Headers.Link = string.Create(CultureInfo.InvariantCulture, $"<{path}?n={size}&last={Uri.EscapeDataString(page[^1])}>; rel=\"next\"");
            }
        }

        return page;
    }
}
