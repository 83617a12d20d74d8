using Wherry.Api.Contracts;
using Wherry.Api.Contracts.Volumes;
using Wherry.Api.Http;
using Wherry.Engine;

namespace Wherry.Api.Volumes;

/// <summary>Volumes.</summary>
internal sealed class VolumeRoutes(WherryEngine engine)
{
    public void AddTo(RouteTable routes)
    {
        routes.Get("/volumes", ListAsync);
        routes.Post("/volumes/create", CreateAsync);
        routes.Get("/volumes/{name}", InspectAsync);
        routes.Delete("/volumes/{name}", RemoveAsync);
    }

    private Task ListAsync(ApiRequest request)
    {
        var volumes = engine.Volumes.List(request.Filters(), name => engine.Containers.UsersOfVolume(name).Count > 0);
        return request.AnswerAsync(new VolumeListResponse { Volumes = volumes }, ApiJson.Default.VolumeListResponse);
    }

    private async Task CreateAsync(ApiRequest request)
    {
        var body = await request.BodyAsync(ApiJson.Default.VolumeCreateRequest).ConfigureAwait(false);
        await request.AnswerAsync(engine.Volumes.Create(body), ApiJson.Default.Volume, 201).ConfigureAwait(false);
    }

    private Task InspectAsync(ApiRequest request) =>
        request.AnswerAsync(engine.Volumes.Inspect(request.Parameter), ApiJson.Default.Volume);

    private Task RemoveAsync(ApiRequest request)
    {
        engine.Volumes.Remove(request.Parameter, request.Flag("force"), engine.Containers.UsersOfVolume(request.Parameter));
        return request.NoContentAsync();
    }
}
