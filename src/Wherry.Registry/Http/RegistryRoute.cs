namespace Wherry.Registry.Http;

/// <summary>What a path asks for.</summary>
internal enum RouteKind
{
    /// <summary>Nothing that is served.</summary>
    Unknown,

    /// <summary><c>/v2/</c> (end-1).</summary>
    Base,

    /// <summary><c>/v2/NAME/blobs/DIGEST</c> (end-2, end-10).</summary>
    Blob,

    /// <summary><c>/v2/NAME/manifests/REFERENCE</c> (end-3, end-7, end-9).</summary>
    Manifest,

    /// <summary><c>/v2/NAME/blobs/uploads/</c> (end-4a, end-4b, end-11).</summary>
    Uploads,

    /// <summary><c>/v2/NAME/blobs/uploads/ID</c> (end-5, end-6, end-13).</summary>
    Upload,

    /// <summary><c>/v2/NAME/tags/list</c> (end-8).</summary>
    Tags,

    /// <summary><c>/v2/NAME/referrers/DIGEST</c> (end-12).</summary>
    Referrers,

    /// <summary><c>/v2/_catalog</c>, Docker's list of repositories.</summary>
    Catalog,

    /// <summary><c>/token</c>, which gives out tokens.</summary>
    Token,

    /// <summary><c>/healthz</c>.</summary>
    Health,

    /// <summary><c>/metrics</c>.</summary>
    Metrics,

    /// <summary><c>/_wherry/collect</c>, which removes what nobody needs.</summary>
    Collect,

    /// <summary><c>/</c> and <c>/ui/…</c>, for people.</summary>
    Page,
}

/// <param name="Kind">What is asked for.</param>
/// <param name="Name">The repository; of a page, what follows <c>/ui/</c>. Not checked.</param>
/// <param name="Reference">Tag, digest or upload; not checked.</param>
internal readonly record struct RegistryRoute(RouteKind Kind, string Name = "", string Reference = "")
{
    private const string Prefix = "/v2/";

    /// <param name="path">Decoded. Names contain slashes, so it is read from its end.</param>
    internal static RegistryRoute Parse(string path) => path switch
    {
        "/v2" or Prefix => new(RouteKind.Base),
        "/v2/_catalog" => new(RouteKind.Catalog),
        "/token" => new(RouteKind.Token),
        "/healthz" => new(RouteKind.Health),
        "/metrics" => new(RouteKind.Metrics),
        "/_wherry/collect" => new(RouteKind.Collect),
        "/" or "/ui" => new(RouteKind.Page),
        _ when path.StartsWith("/ui/", StringComparison.Ordinal) => new(RouteKind.Page, path[4..]),
        _ when path.StartsWith(Prefix, StringComparison.Ordinal) => ParseRepository(path[Prefix.Length..]),
        _ => new(RouteKind.Unknown),
    };

    private static RegistryRoute ParseRepository(string rest)
    {
        if (EndsWith(rest, "/tags/list", out var name))
        {
            return new(RouteKind.Tags, name);
        }

        if (EndsWith(rest, "/blobs/uploads/", out name) || EndsWith(rest, "/blobs/uploads", out name))
        {
            return new(RouteKind.Uploads, name);
        }

        var slash = rest.LastIndexOf('/');
        if (slash <= 0 || slash == rest.Length - 1)
        {
            return new(RouteKind.Unknown);
        }

        var (before, last) = (rest[..slash], rest[(slash + 1)..]);
        return EndsWith(before, "/blobs/uploads", out name) ? new(RouteKind.Upload, name, last)
            : EndsWith(before, "/blobs", out name) ? new(RouteKind.Blob, name, last)
            : EndsWith(before, "/manifests", out name) ? new(RouteKind.Manifest, name, last)
            : EndsWith(before, "/referrers", out name) ? new(RouteKind.Referrers, name, last)
            : new(RouteKind.Unknown);
    }

    private static bool EndsWith(string text, string end, out string before)
    {
        var fits = text.Length > end.Length && text.EndsWith(end, StringComparison.Ordinal);
        before = fits ? text[..^end.Length] : "";
        return fits;
    }
}
