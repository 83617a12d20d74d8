using Wherry.Registry.Authentication;

namespace Wherry.Registry.Http;

/// <summary>One method on one kind of path: what it needs and what it does.</summary>
internal sealed record Endpoint(Func<RegistryRequest, Task> Handler)
{
    /// <summary>The right needed on the path's repository; null for none.</summary>
    public RepositoryAction? Action { get; init; }

    /// <summary>Only for whoever may do everything.</summary>
    public bool NeedsAdministrator { get; init; }

    /// <summary>Only for whoever has said who they are.</summary>
    public bool NeedsSomebody { get; init; }

    /// <summary>Why this registry doesn't do it; null where it does.</summary>
    public string? Unavailable { get; init; }
}

/// <summary>Everything that is served, by kind of path and method.</summary>
internal sealed class RegistryEndpoints
{
    private readonly Dictionary<(RouteKind Kind, string Method), Endpoint> _all = [];

    /// <summary>The parts a table is made of.</summary>
    internal sealed record Parts(
        BlobEndpoints Blobs,
        ManifestEndpoints Manifests,
        DiscoveryEndpoints Discovery,
        UploadEndpoints? Uploads,
        ServiceEndpoints Service,
        Pages.PageEndpoints Pages);

    /// <param name="parts">Handlers.</param>
    /// <param name="readOnly">Why nothing can be changed; null where it can.</param>
    /// <param name="withMetrics">Whether metrics are served here.</param>
    internal static RegistryEndpoints For(Parts parts, string? readOnly, bool withMetrics)
    {
        var table = new RegistryEndpoints();
        table.Read(RouteKind.Base, new Endpoint(ServiceEndpoints.BaseAsync) { NeedsSomebody = true });
        table.Read(RouteKind.Health, new Endpoint(parts.Service.HealthAsync));
        table.Read(RouteKind.Catalog, new Endpoint(parts.Discovery.CatalogAsync) { NeedsSomebody = true });
        table.Read(RouteKind.Page, new Endpoint(parts.Pages.GetAsync) { NeedsSomebody = true });
        table.Read(RouteKind.Token, new Endpoint(parts.Service.TokenAsync));
        table.Add("POST", RouteKind.Token, new Endpoint(parts.Service.TokenAsync));
        if (withMetrics)
        {
            table.Read(RouteKind.Metrics, new Endpoint(parts.Service.MetricsAsync) { NeedsSomebody = true });
        }

        table.Read(RouteKind.Blob, new Endpoint(parts.Blobs.GetAsync) { Action = RepositoryAction.Pull });
        table.Read(RouteKind.Manifest, new Endpoint(parts.Manifests.GetAsync) { Action = RepositoryAction.Pull });
        table.Read(RouteKind.Tags, new Endpoint(parts.Discovery.TagsAsync) { Action = RepositoryAction.Pull });
        table.Read(RouteKind.Referrers, new Endpoint(parts.Discovery.ReferrersAsync) { Action = RepositoryAction.Pull });

        table.Add("POST", RouteKind.Uploads, Push(parts.Uploads is { } begin ? begin.StartAsync : null));
        table.Add("PATCH", RouteKind.Upload, Push(parts.Uploads is { } append ? append.AppendAsync : null));
        table.Add("PUT", RouteKind.Upload, Push(parts.Uploads is { } finish ? finish.FinishAsync : null));
        table.Add("GET", RouteKind.Upload, Push(parts.Uploads is { } status ? status.StatusAsync : null));
        table.Add("DELETE", RouteKind.Upload, Push(parts.Uploads is { } cancel ? cancel.CancelAsync : null));
        table.Add("PUT", RouteKind.Manifest, Push(parts.Manifests.PutAsync));
        table.Add("DELETE", RouteKind.Manifest, Change(parts.Manifests.DeleteAsync, RepositoryAction.Delete));
        table.Add("DELETE", RouteKind.Blob, Change(parts.Blobs.DeleteAsync, RepositoryAction.Delete));
        table.Add("POST", RouteKind.Collect, new Endpoint(parts.Service.CollectAsync) { NeedsAdministrator = true });
        return table;

        Endpoint Push(Func<RegistryRequest, Task>? handler) => Change(handler, RepositoryAction.Push);

        Endpoint Change(Func<RegistryRequest, Task>? handler, RepositoryAction action) =>
            new(handler ?? (_ => throw RegistryException.ReadOnly("there is no store to write to"))) { Action = action, Unavailable = readOnly };
    }

    /// <summary>Only what those who watch the registry need.</summary>
    internal static RegistryEndpoints ForMonitoring(ServiceEndpoints service)
    {
        var table = new RegistryEndpoints();
        table.Read(RouteKind.Health, new Endpoint(service.HealthAsync));
        table.Read(RouteKind.Metrics, new Endpoint(service.MetricsAsync));
        return table;
    }

    internal Endpoint? Find(RouteKind kind, string method) => _all.GetValueOrDefault((kind, method));

    /// <summary>The methods a kind of path has; none where it isn't served.</summary>
    internal IReadOnlyList<string> Methods(RouteKind kind) => [.. _all.Keys.Where(key => key.Kind == kind).Select(key => key.Method)];

    private void Read(RouteKind kind, Endpoint endpoint)
    {
        Add("GET", kind, endpoint);
        Add("HEAD", kind, endpoint);
    }

    private void Add(string method, RouteKind kind, Endpoint endpoint) => _all.Add((kind, method), endpoint);
}
