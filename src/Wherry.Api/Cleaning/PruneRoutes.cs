using Wherry.Api.Contracts;
using Wherry.Api.Contracts.Cleaning;
using Wherry.Api.Contracts.Images;
using Wherry.Api.Http;
using Wherry.Api.Images;
using Wherry.Engine;

namespace Wherry.Api.Cleaning;

/// <summary>Removing what nothing uses.</summary>
internal sealed class PruneRoutes(WherryEngine engine)
{
    /// <summary>Since this version volumes with a name are only pruned when asked for.</summary>
    private static readonly ApiVersion NamedVolumesStay = new(1, 42);

    public void AddTo(RouteTable routes)
    {
        routes.Post("/containers/prune", ContainersAsync);
        routes.Post("/volumes/prune", VolumesAsync);
        routes.Post("/images/prune", ImagesAsync);
        routes.Post("/networks/prune", NetworksAsync);
        routes.Post("/build/prune", BuildAsync);
    }

    private async Task ContainersAsync(ApiRequest request)
    {
        var pruned = await engine.Prune.ContainersAsync(request.Filters(), request.Aborted).ConfigureAwait(false);
        await request.AnswerAsync(pruned, ApiJson.Default.ContainersPruneResponse).ConfigureAwait(false);
    }

    private Task VolumesAsync(ApiRequest request) =>
        request.AnswerAsync(engine.Prune.Volumes(request.Filters(), request.Version < NamedVolumesStay, request.Aborted), ApiJson.Default.VolumesPruneResponse);

    private Task ImagesAsync(ApiRequest request)
    {
        var pruned = engine.Prune.Images(request.Filters(), request.Aborted);
        ImageDeleteResponseItem[] items = [.. pruned.Deletions.Select(ImageViews.Deletion)];
        return request.AnswerAsync(
            new ImagesPruneResponse { ImagesDeleted = items.Length == 0 ? null : items, SpaceReclaimed = pruned.SpaceReclaimed },
            ApiJson.Default.ImagesPruneResponse);
    }

    /// <summary>The three networks there are belong to the engine: none is ever left over.</summary>
    private static Task NetworksAsync(ApiRequest request) =>
        request.AnswerAsync(new NetworksPruneResponse(), ApiJson.Default.NetworksPruneResponse);

    /// <summary>Nothing is built here, so there is no cache of builds.</summary>
    private static Task BuildAsync(ApiRequest request) =>
        request.AnswerAsync(new BuildPruneResponse(), ApiJson.Default.BuildPruneResponse);
}
