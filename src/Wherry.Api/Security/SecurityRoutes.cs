using Wherry.Api.Contracts;
using Wherry.Api.Http;
using Wherry.Engine;

namespace Wherry.Api.Security;

/// <summary>What Docker's API has no word for, under a name of its own.</summary>
internal sealed class SecurityRoutes(WherryEngine engine)
{
    public void AddTo(RouteTable routes) => routes.Get("/wherry/containers/{id}/security", SecurityAsync);

    private Task SecurityAsync(ApiRequest request) =>
        request.AnswerAsync(engine.Containers.SecurityOf(request.Parameter), ApiJson.Default.ContainerSecurity);
}
