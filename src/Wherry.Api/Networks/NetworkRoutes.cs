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

    private Task ListAsync(ApiRequest request) =>
        request.AnswerAsync(engine.Networks.List(request.Filters()), ApiJson.Default.IReadOnlyListNetwork);

    private Task InspectAsync(ApiRequest request) =>
        request.AnswerAsync(engine.Networks.Inspect(request.Parameter), ApiJson.Default.Network);
}
