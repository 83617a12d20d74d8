using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Wherry.Registry.Authentication;
using Wherry.Registry.Http;
using Wherry.Registry.Manifests;
using Wherry.Registry.Names;
using Wherry.Registry.Storage;

namespace Wherry.Registry.Pages;

/// <summary>For people with a browser: repositories, their tags, and what an image is made of. Reads only.</summary>
internal sealed class PageEndpoints(IRegistryContent content, LocalStore? store)
{
    /// <summary>Rows of one page; beyond, the API has the rest.</summary>
    private const int MostRows = 500;

    internal Task GetAsync(RegistryRequest request)
    {
        var path = request.Route.Name.Trim('/');
        if (path == PageAnswer.StylePath)
        {
            return PageAnswer.SendAsync(request.Http, Encoding.UTF8.GetBytes(PageAnswer.Style), "text/css; charset=utf-8", StatusCodes.Status200OK);
        }

        if (path.Length == 0)
        {
            return RepositoriesAsync(request);
        }

        var split = path.IndexOf('@', StringComparison.Ordinal) is var at and >= 0 ? at : path.IndexOf(':', StringComparison.Ordinal);
        var name = split < 0 ? path : path[..split];
        if (!RepositoryName.IsValid(name))
        {
            throw RegistryException.NameUnknown(name);
        }

        Gatekeeper.Require(request.Identity, name, RepositoryAction.Pull);
        if (split < 0)
        {
            return RepositoryAsync(request, name);
        }

        var reference = ManifestReference.TryParse(path[(split + 1)..]) ?? throw RegistryException.ManifestUnknown(path);
        return ImageAsync(request, name, reference);
    }

    private async Task RepositoriesAsync(RegistryRequest request)
    {
        var all = await content.RepositoriesAsync(request.Aborted).ConfigureAwait(false);
        var visible = all.Where(name => request.Identity.May(name, RepositoryAction.Pull)).ToList();
        var rows = new List<(string Name, int Tags, long? Size)>();
        foreach (var name in visible.Take(MostRows))
        {
            var tags = await content.TagsAsync(name, request.Aborted).ConfigureAwait(false);
            rows.Add((name, tags?.Count ?? 0, store?.UsageOf(name)));
        }

        await PageAnswer.SendAsync(request.Http, "Repositories", page =>
        {
            if (rows.Count == 0)
            {
                page.Add($"<p>There is nothing here yet. Push something:</p>\n<pre>docker tag IMAGE {Host(request)}/IMAGE\ndocker push {Host(request)}/IMAGE</pre>");
                return;
            }

            page.Add($"<div class=\"table\"><table><caption>{Count(rows.Count, visible.Count, "repositories")}</caption>");
            page.Add($"<thead><tr><th scope=\"col\">Name</th><th scope=\"col\" class=\"number\">Tags</th><th scope=\"col\" class=\"number\">Size</th></tr></thead><tbody>");
            foreach (var (name, tags, size) in rows)
            {
                page.Add($"<tr><th scope=\"row\"><a href=\"/ui/{name}\">{name}</a></th><td class=\"number\">{tags}</td><td class=\"number\">{Size(size)}</td></tr>");
            }

            page.Add($"</tbody></table></div>");
        }).ConfigureAwait(false);
    }

    private async Task RepositoryAsync(RegistryRequest request, string name)
    {
        var tags = await content.TagsAsync(name, request.Aborted).ConfigureAwait(false) ?? throw RegistryException.NameUnknown(name);
        var rows = new List<(string Tag, StoredManifest? Manifest, ManifestDocument? Document)>();
        foreach (var tag in tags.Take(MostRows))
        {
            var manifest = await content.FindManifestAsync(name, ManifestReference.ToTag(tag), request.Aborted).ConfigureAwait(false);
            rows.Add((tag, manifest, manifest is null ? null : TryParse(manifest)));
        }

        await PageAnswer.SendAsync(request.Http, name, page =>
        {
            page.Add($"<div class=\"table\"><table><caption>{Count(rows.Count, tags.Count, "tags")}</caption>");
            page.Add($"<thead><tr><th scope=\"col\">Tag</th><th scope=\"col\">Digest</th><th scope=\"col\">Kind</th><th scope=\"col\" class=\"number\">Layers</th><th scope=\"col\" class=\"number\">Size</th></tr></thead><tbody>");
            foreach (var (tag, manifest, document) in rows)
            {
                var layers = document?.Model.Layers?.Count;
                page.Add($"<tr><th scope=\"row\"><a href=\"/ui/{name}:{tag}\">{tag}</a></th><td><code>{Short(manifest?.Digest.ToString())}</code></td>");
                page.Add($"<td>{Kind(document)}</td><td class=\"number\">{layers?.ToString(CultureInfo.InvariantCulture)}</td><td class=\"number\">{Size(Total(document))}</td></tr>");
            }

            page.Add($"</tbody></table></div>");
        }).ConfigureAwait(false);
    }

    private async Task ImageAsync(RegistryRequest request, string name, ManifestReference reference)
    {
        var manifest = await content.FindManifestAsync(name, reference, request.Aborted).ConfigureAwait(false) ?? throw RegistryException.ManifestUnknown(reference.ToString());
        var document = TryParse(manifest) ?? throw RegistryException.ManifestUnknown(reference.ToString());
        var referrers = await content.ReferrersAsync(name, manifest.Digest, request.Aborted).ConfigureAwait(false);
        var separator = reference.Tag is null ? "@" : ":";
        await PageAnswer.SendAsync(request.Http, $"{name}{separator}{(reference.Tag ?? Short(manifest.Digest.ToString()))}", page =>
        {
            page.Add($"<p>In <a href=\"/ui/{name}\">{name}</a></p>");
            page.Add($"<pre>docker pull {Host(request)}/{name}{separator}{reference.ToString()}</pre>");
            page.Add($"<dl><dt>Digest</dt><dd><code>{manifest.Digest.ToString()}</code></dd><dt>Media type</dt><dd><code>{manifest.MediaType}</code></dd>");
            page.Add($"<dt>Size</dt><dd>{Size(Total(document))}</dd></dl>");
            if (document.IsIndex)
            {
                page.Add($"<h2>Manifests</h2>");
                Descriptors(page, name, document.Model.Manifests!, "manifests", descriptor => descriptor.Platform is { } platform ? $"{platform.Os}/{platform.Architecture}{(platform.Variant is { } variant ? "/" + variant : "")}" : "", linked: true);
            }
            else
            {
                page.Add($"<h2>Layers</h2>");
                Descriptors(page, name, document.Model.Layers!, "layers", descriptor => descriptor.MediaType ?? "", linked: false);
                page.Add($"<h2>Configuration</h2>");
                Descriptors(page, name, [document.Model.Config!], "configuration", descriptor => descriptor.MediaType ?? "", linked: false);
            }

            if (referrers.Count > 0)
            {
                page.Add($"<h2>Referrers</h2>");
                Descriptors(page, name, referrers, "referrers", descriptor => descriptor.ArtifactType ?? descriptor.MediaType ?? "", linked: true);
            }

            if (document.Model.Annotations is { Count: > 0 } annotations)
            {
                page.Add($"<h2>Annotations</h2><dl>");
                foreach (var (key, value) in annotations)
                {
                    page.Add($"<dt>{key}</dt><dd>{value}</dd>");
                }

                page.Add($"</dl>");
            }
        }).ConfigureAwait(false);
    }

    private static void Descriptors(HtmlWriter page, string name, IReadOnlyList<ManifestDescriptor> rows, string what, Func<ManifestDescriptor, string> kind, bool linked)
    {
        page.Add($"<div class=\"table\"><table><caption>{Count(Math.Min(rows.Count, MostRows), rows.Count, what)}</caption>");
        page.Add($"<thead><tr><th scope=\"col\">Digest</th><th scope=\"col\">Kind</th><th scope=\"col\" class=\"number\">Size</th></tr></thead><tbody>");
        foreach (var row in rows.Take(MostRows))
        {
            if (linked)
            {
                page.Add($"<tr><td><a href=\"/ui/{name}@{row.Digest}\"><code>{row.Digest}</code></a></td><td>{kind(row)}</td><td class=\"number\">{Size(row.Size)}</td></tr>");
            }
            else
            {
                page.Add($"<tr><td><code>{row.Digest}</code></td><td>{kind(row)}</td><td class=\"number\">{Size(row.Size)}</td></tr>");
            }
        }

        page.Add($"</tbody></table></div>");
    }

    private static ManifestDocument? TryParse(StoredManifest manifest)
    {
        try
        {
            return ManifestDocument.Parse(manifest.MediaType, manifest.Content.Span);
        }
        catch (RegistryException)
        {
            return null;
        }
    }

    private static string Kind(ManifestDocument? document) =>
        document is null ? "" : document.IsIndex ? $"index of {document.Model.Manifests!.Count.ToString(CultureInfo.InvariantCulture)}" : document.Model.ArtifactType ?? "image";

    /// <summary>Bytes a client fetches for an image; of an index, of its list of manifests.</summary>
    private static long? Total(ManifestDocument? document) => document is null ? null
        : Total(document.IsIndex ? document.Model.Manifests! : [.. document.Model.Layers!, document.Model.Config!]);

    /// <summary>What a manifest claims of content that need not be here may be more than a number holds.</summary>
    private static long Total(IEnumerable<ManifestDescriptor> descriptors) =>
        descriptors.Aggregate(0L, (sum, descriptor) => descriptor.Size > long.MaxValue - sum ? long.MaxValue : sum + descriptor.Size);

    private static string Count(int shown, int all, string what) => shown < all
        ? string.Create(CultureInfo.InvariantCulture, $"the first {shown} of {all} {what}")
        : string.Create(CultureInfo.InvariantCulture, $"{all} {(all != 1 ? what : what == "repositories" ? "repository" : what.TrimEnd('s'))}");

    private static string Short(string? digest) => digest is null ? "" : digest[..Math.Min(digest.Length, 19)];

    private static string Size(long? bytes)
    {
        if (bytes is not { } number)
        {
            return "";
        }

        ReadOnlySpan<string> units = ["B", "kB", "MB", "GB", "TB"];
        var value = (double)number;
        var unit = 0;
        while (value >= 1000 && unit < units.Length - 1)
        {
            value /= 1000;
            unit++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{value:0.#} {units[unit]}");
    }

    private static string Host(RegistryRequest request) => request.Http.Request.Host.ToUriComponent();
}
