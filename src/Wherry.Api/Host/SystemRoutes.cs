using System.Text;
using Microsoft.AspNetCore.Http;
using Wherry.Api.Contracts;
using Wherry.Api.Http;
using Wherry.Engine;

namespace Wherry.Api.Host;

/// <summary>The engine itself.</summary>
internal sealed class SystemRoutes(WherryEngine engine)
{
    private static readonly byte[] Ok = Encoding.ASCII.GetBytes("OK");

    public void AddTo(RouteTable routes)
    {
        routes.Get("/_ping", PingAsync);
        routes.Add("HEAD", "/_ping", PingAsync);
        routes.Get("/version", VersionAsync);
        routes.Get("/info", InfoAsync);
    }

    private static Task PingAsync(ApiRequest request)
    {
        var response = request.Http.Response;
        response.Headers.CacheControl = "no-cache, no-store, must-revalidate";
        response.Headers.Pragma = "no-cache";
        response.Headers["Swarm"] = "inactive";
        response.ContentType = "text/plain; charset=utf-8";
        if (HttpMethods.IsHead(request.Http.Request.Method))
        {
            response.ContentLength = 0;
            return Task.CompletedTask;
        }

        response.ContentLength = Ok.Length;
        return response.BodyWriter.WriteAsync(Ok, request.Aborted).AsTask();
    }

    private Task VersionAsync(ApiRequest request) => request.AnswerAsync(engine.System.Version(), ApiJson.Default.SystemVersion);

    private Task InfoAsync(ApiRequest request) => request.AnswerAsync(engine.System.Info(), ApiJson.Default.SystemInfo);
}
