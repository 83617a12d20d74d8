using Wherry.Api.Contracts;
using Wherry.Api.Http;
using Wherry.Engine;

namespace Wherry.Api.Networks;

/// <summary>The networks every engine has; they can be looked at and not changed.</summary>
internal sealed class NetworkRoutes(WherryEngine engine)
{
    public void AddTo(RouteTable routes)
    {
        routes.Get("/networks", ListAsync);
        routes.Get("/networks/{id}", InspectAsync);
    }

    private async Task ListAsync(ApiRequest request)
    {
        var networks = await engine.Networks.ListAsync(request.Filters(), request.Aborted).ConfigureAwait(false);
        await request.AnswerAsync(networks, ApiJson.Default.IReadOnlyListNetwork).ConfigureAwait(false);
    }

    private async Task InspectAsync(ApiRequest request)
    {
        var network = await engine.Networks.InspectAsync(request.Parameter, request.Aborted).ConfigureAwait(false);
        await request.AnswerAsync(network, ApiJson.Default.Network).ConfigureAwait(false);
    }
}
