using Wherry.Api.Contracts;
using Wherry.Api.Contracts.Streams;
using Wherry.Api.Http;
using Wherry.Api.Images;
using Wherry.Engine;
using Wherry.Engine.Containers;
using Wherry.Engine.Filters;
using Wherry.Errors;
using Wherry.Oci.Images;

namespace Wherry.Api.Containers;

/// <summary>Containers: making, listing, inspecting, and moving them from state to state.</summary>
internal sealed class ContainerRoutes(WherryEngine engine)
{
    public void AddTo(RouteTable routes)
    {
        routes.Get("/containers/json", ListAsync);
        routes.Post("/containers/create", CreateAsync);
        routes.Get("/containers/{id}/json", InspectAsync);
        routes.Get("/containers/{id}/top", TopAsync);
        routes.Post("/containers/{id}/start", StartAsync);
        routes.Post("/containers/{id}/stop", StopAsync);
        routes.Post("/containers/{id}/restart", RestartAsync);
        routes.Post("/containers/{id}/kill", KillAsync);
        routes.Post("/containers/{id}/pause", PauseAsync);
        routes.Post("/containers/{id}/unpause", UnpauseAsync);
        routes.Post("/containers/{id}/rename", RenameAsync);
        routes.Post("/containers/{id}/resize", ResizeAsync);
        routes.Delete("/containers/{id}", RemoveAsync);
        routes.Post("/commit", CommitAsync);
    }

    private Task ListAsync(ApiRequest request)
    {
        var filters = request.Filters();
        foreach (var legacy in (ReadOnlySpan<string>)["since", "before"])
        {
            if (request.Query(legacy) is { } container)
            {
                filters = new FilterArguments(new Dictionary<string, IReadOnlyList<string>>(filters.Values, StringComparer.Ordinal) { [legacy] = [container] });
            }
        }

        var query = new ContainerListQuery(request.Flag("all"), request.Number("limit") ?? 0, request.Flag("size"), filters);
        return request.AnswerAsync(engine.Containers.List(query), ApiJson.Default.IReadOnlyListContainerSummary);
    }

    private async Task CreateAsync(ApiRequest request)
    {
        RequirePlatform(request.Query("platform"));
        var body = await request.BodyAsync(ApiJson.Default.ContainerCreateRequest).ConfigureAwait(false);
        var created = await engine.Containers.CreateAsync(body, request.Query("name"), request.Caller, request.Aborted).ConfigureAwait(false);
        await request.AnswerAsync(created, ApiJson.Default.ContainerCreateResponse, 201).ConfigureAwait(false);
    }

    private Task InspectAsync(ApiRequest request)
    {
        var found = engine.Containers.Inspect(request.Parameter, request.Flag("size"));
        return request.AnswerAsync(LegacyNetworkSettings.For(request.Version, found), ApiJson.Default.ContainerInspectResponse);
    }

    private async Task TopAsync(ApiRequest request)
    {
        var top = await engine.Containers.TopAsync(request.Parameter, request.Query("ps_args"), request.Aborted).ConfigureAwait(false);
        await request.AnswerAsync(top, ApiJson.Default.ContainerTopResponse).ConfigureAwait(false);
    }

    // A change that has begun is finished even if the client goes away meanwhile: hence no cancellation below.
    private async Task StartAsync(ApiRequest request)
    {
        if (request.Http.Request.ContentLength > "{}".Length)
        {
            throw WherryException.Invalid(
                "starting a container with a non-empty request body was deprecated since API v1.22 and removed in v1.24: give HostConfig when you create the container");
        }

        await engine.Containers.StartAsync(request.Parameter, CancellationToken.None).ConfigureAwait(false);
        await request.NoContentAsync().ConfigureAwait(false);
    }

    private async Task StopAsync(ApiRequest request)
    {
        await engine.Containers.StopAsync(request.Parameter, request.Query("signal"), request.Number("t"), CancellationToken.None).ConfigureAwait(false);
        await request.NoContentAsync().ConfigureAwait(false);
    }

    private async Task RestartAsync(ApiRequest request)
    {
        await engine.Containers.RestartAsync(request.Parameter, request.Query("signal"), request.Number("t"), CancellationToken.None).ConfigureAwait(false);
        await request.NoContentAsync().ConfigureAwait(false);
    }

    private async Task KillAsync(ApiRequest request)
    {
        await engine.Containers.KillAsync(request.Parameter, request.Query("signal"), request.Aborted).ConfigureAwait(false);
        await request.NoContentAsync().ConfigureAwait(false);
    }

    private async Task PauseAsync(ApiRequest request)
    {
        await engine.Containers.PauseAsync(request.Parameter, CancellationToken.None).ConfigureAwait(false);
        await request.NoContentAsync().ConfigureAwait(false);
    }

    private async Task UnpauseAsync(ApiRequest request)
    {
        await engine.Containers.UnpauseAsync(request.Parameter, CancellationToken.None).ConfigureAwait(false);
        await request.NoContentAsync().ConfigureAwait(false);
    }

    private async Task RenameAsync(ApiRequest request)
    {
        var name = request.Query("name") ?? throw WherryException.Invalid("neither old nor new names may be empty");
        await engine.Containers.RenameAsync(request.Parameter, name, CancellationToken.None).ConfigureAwait(false);
        await request.NoContentAsync().ConfigureAwait(false);
    }

    private async Task ResizeAsync(ApiRequest request)
    {
        await engine.Containers.ResizeAsync(request.Parameter, request.RequiredNumber("h"), request.RequiredNumber("w"), request.Aborted).ConfigureAwait(false);
        await request.AnswerAsync(200).ConfigureAwait(false);
    }

    private async Task RemoveAsync(ApiRequest request)
    {
        if (request.Flag("link"))
        {
            throw WherryException.Unsupported("removing links isn't supported: containers find each other by address");
        }

        await engine.Containers.RemoveAsync(request.Parameter, request.Flag("force"), request.Flag("v"), CancellationToken.None).ConfigureAwait(false);
        await request.NoContentAsync().ConfigureAwait(false);
    }

    private async Task CommitAsync(ApiRequest request)
    {
        var container = request.Query("container") ?? throw WherryException.Invalid("the query parameter container is missing: it names the container to commit");
        var config = await request.OptionalBodyAsync(ApiJson.Default.ContainerConfig).ConfigureAwait(false);
        var query = new CommitQuery(
            ImageReference.Join(request.Query("repo"), request.Query("tag")),
            request.Query("author"),
            request.Query("comment"),
            request.QueryList("changes"),
            request.Query("pause") is null || request.Flag("pause"),
            config);
        var id = await engine.Containers.CommitAsync(container, query, request.Aborted).ConfigureAwait(false);
        await request.AnswerAsync(new IdResponse { Id = id }, ApiJson.Default.IdResponse, 201).ConfigureAwait(false);
    }

    private static void RequirePlatform(string? asked)
    {
        if (asked is null)
        {
            return;
        }

        var platform = Platform.TryParse(asked) ?? throw WherryException.Invalid($"\"{asked}\" is an invalid platform: it must be os/architecture[/variant]");
        if (!Platform.Host.Matches(platform))
        {
            throw WherryException.Unsupported($"containers for {platform} can't run on this host, which is {Platform.Host}");
        }
    }
}
