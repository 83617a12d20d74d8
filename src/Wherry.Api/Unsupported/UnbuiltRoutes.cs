using Wherry.Api.Http;
using Wherry.Errors;

namespace Wherry.Api.Unsupported;

/// <summary>
/// The rest of Docker's API. A client that asks for one of these learns that the endpoint is known and absent,
/// which a 404 would not tell.
/// </summary>
internal static class UnbuiltRoutes
{
    private static readonly (string Method, string Template)[] Endpoints =
    [
        ("GET", "/containers/{id}/stats"),
        ("POST", "/containers/{id}/update"),
        ("GET", "/containers/{id}/attach/ws"),
        ("POST", "/containers/{id}/copy"),
        ("GET", "/containers/{id}/checkpoints"),
        ("POST", "/containers/{id}/checkpoints"),
        ("DELETE", "/containers/{id}/checkpoints/{name}"),
        ("POST", "/build"),
        ("POST", "/build/cancel"),
        ("POST", "/session"),
        ("POST", "/grpc"),
        ("GET", "/images/{name*}/attestations"),
        ("GET", "/events"),
        ("PUT", "/volumes/{name}"),
        ("POST", "/networks/create"),
        ("POST", "/networks/{id}/connect"),
        ("POST", "/networks/{id}/disconnect"),
        ("DELETE", "/networks/{id}"),
        ("GET", "/plugins"),
        ("GET", "/plugins/privileges"),
        ("POST", "/plugins/pull"),
        ("POST", "/plugins/create"),
        ("GET", "/plugins/{name*}/json"),
        ("POST", "/plugins/{name*}/enable"),
        ("POST", "/plugins/{name*}/disable"),
        ("POST", "/plugins/{name*}/upgrade"),
        ("POST", "/plugins/{name*}/push"),
        ("POST", "/plugins/{name*}/set"),
        ("DELETE", "/plugins/{name*}"),
        ("GET", "/swarm"),
        ("POST", "/swarm/init"),
        ("POST", "/swarm/join"),
        ("POST", "/swarm/leave"),
        ("POST", "/swarm/update"),
        ("GET", "/swarm/unlockkey"),
        ("POST", "/swarm/unlock"),
        ("GET", "/nodes"),
        ("GET", "/nodes/{id}"),
        ("POST", "/nodes/{id}/update"),
        ("DELETE", "/nodes/{id}"),
        ("GET", "/services"),
        ("POST", "/services/create"),
        ("GET", "/services/{id}"),
        ("POST", "/services/{id}/update"),
        ("GET", "/services/{id}/logs"),
        ("DELETE", "/services/{id}"),
        ("GET", "/tasks"),
        ("GET", "/tasks/{id}"),
        ("GET", "/tasks/{id}/logs"),
        ("GET", "/secrets"),
        ("POST", "/secrets/create"),
        ("GET", "/secrets/{id}"),
        ("POST", "/secrets/{id}/update"),
        ("DELETE", "/secrets/{id}"),
        ("GET", "/configs"),
        ("POST", "/configs/create"),
        ("GET", "/configs/{id}"),
        ("POST", "/configs/{id}/update"),
        ("DELETE", "/configs/{id}"),
    ];

    public static void AddTo(RouteTable routes)
    {
        foreach (var (method, template) in Endpoints)
        {
            var shown = template.Replace("*}", "}", StringComparison.Ordinal);
            routes.Add(method, template, _ => throw WherryException.Unsupported($"{method} {shown} is not supported by this version of Wherry"));
        }
    }
}
