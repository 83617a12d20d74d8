using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Wherry.Registry.Authentication;
using Wherry.Registry.Metrics;
using Wherry.Registry.Names;
using Wherry.Registry.Pages;

namespace Wherry.Registry.Http;

/// <summary>The whole of request processing: route, identity, rights, handler, failure; directly on Kestrel.</summary>
internal sealed class RegistryApplication(RegistryEndpoints endpoints, Gatekeeper gatekeeper, RegistryMetrics metrics, IRegistryLog log) : IHttpApplication<HttpContext>
{
    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    public void DisposeContext(HttpContext context, Exception? exception)
    {
        // Nothing is held per request besides what Kestrel itself owns.
    }

    public async Task ProcessRequestAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "/";
        var route = RegistryRoute.Parse(path);
        metrics.Begun();
        try
        {
            SetHeaders(context, route);
            await DispatchAsync(context, route).ConfigureAwait(false);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone; whatever followed from that concerns nobody.
        }
        catch (Exception exception)
        {
            await FailAsync(context, route, exception).ConfigureAwait(false);
        }
        finally
        {
            metrics.Ended(context.Request.Method, route.Kind.ToString(), context.Response.StatusCode);
            log.Request(context.Request.Method, path, context.Response.StatusCode);
        }
    }

    private async Task DispatchAsync(HttpContext context, RegistryRoute route)
    {
        var method = context.Request.Method;
        if (context.Request.Headers.Origin.Count > 0 && !HttpMethods.IsGet(method) && !HttpMethods.IsHead(method))
        {
            // A page in any browser may send requests here, also to a loopback address.
            throw new RegistryException(403, ErrorCode.Denied, "requests from web pages are refused");
        }

        if (route.Name.Length > 0 && route.Kind != RouteKind.Page && !RepositoryName.IsValid(route.Name))
        {
            throw new RegistryException(400, ErrorCode.NameInvalid, "invalid repository name", route.Name);
        }

        var others = endpoints.Methods(route.Kind);
        if (others.Count == 0)
        {
            throw new RegistryException(404, ErrorCode.Unsupported, "there is nothing at this path", context.Request.Path.Value);
        }

        var endpoint = endpoints.Find(route.Kind, method);
        if (endpoint is null)
        {
            context.Response.Headers.Allow = string.Join(", ", others);
            throw new RegistryException(405, ErrorCode.Unsupported, $"{method} is not supported here", context.Request.Path.Value);
        }

        var identity = await gatekeeper.IdentifyAsync(context).ConfigureAwait(false);
        if (endpoint.Action is { } action)
        {
            Gatekeeper.Require(identity, route.Name, action);
        }
        else if (endpoint.NeedsAdministrator)
        {
            Gatekeeper.RequireAdministrator(identity);
        }
        else if (endpoint.NeedsSomebody)
        {
            gatekeeper.RequireSomebody(identity);
        }

        if (endpoint.Unavailable is { } reason)
        {
            throw RegistryException.ReadOnly(reason);
        }

        await endpoint.Handler(new RegistryRequest(context, route, identity)).ConfigureAwait(false);
    }

    private async Task FailAsync(HttpContext context, RegistryRoute route, Exception exception)
    {
        var failure = Failure.Of(exception);
        if (failure.IsDefect)
        {
            log.Defect(context.Request.Method, context.Request.Path.Value ?? "", exception);
        }

        if (context.Response.HasStarted)
        {
            // The status has gone out: a body that breaks off is the only way left to say that it is not whole.
            log.Broken(context.Request.Method, context.Request.Path.Value ?? "", failure.Message);
            context.Abort();
            return;
        }

        // What a handler has said about its object before it failed: where an upload is, how far a blob reaches.
        var headers = context.Response.Headers;
        var (location, range, contentRange, allow) = (headers.Location, headers.Range, headers.ContentRange, headers.Allow);
        context.Response.Clear();
        SetHeaders(context, route);
        if (failure.Status is 416 or 405)
        {
            (headers.Location, headers.Range, headers.ContentRange, headers.Allow) = (location, range, contentRange, allow);
        }

        if (failure.Status == StatusCodes.Status401Unauthorized)
        {
            headers.WWWAuthenticate = gatekeeper.Challenge(context, ScopeOf(context, route), forBrowser: route.Kind is RouteKind.Page or RouteKind.Token);
        }

        if (failure.Status == StatusCodes.Status429TooManyRequests)
        {
            headers.RetryAfter = "5";
        }

        try
        {
            if (route.Kind == RouteKind.Page)
            {
                await PageAnswer.FailAsync(context, failure.Status, failure.Message).ConfigureAwait(false);
            }
            else
            {
                var body = new ErrorBody { Errors = [new ErrorEntry { Code = failure.Code, Message = failure.Message, Detail = failure.Detail }] };
                await new RegistryRequest(context, route, Identity.Everybody).AnswerAsync(body, RegistryJson.Canonical.ErrorBody, failure.Status).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The client has gone meanwhile.
        }
    }

    /// <summary>The rights a request needs, for the challenge that makes the client ask for them.</summary>
    private string? ScopeOf(HttpContext context, RegistryRoute route) =>
        endpoints.Find(route.Kind, context.Request.Method) is { } endpoint
            ? endpoint.Action switch
            {
                RepositoryAction.Pull => $"repository:{route.Name}:pull",
                RepositoryAction.Push => $"repository:{route.Name}:pull,push",
                RepositoryAction.Delete => $"repository:{route.Name}:delete",
                _ => endpoint.NeedsAdministrator ? $"repository:{AccessRules.Everything}:pull,push,delete" : null,
            }
            : null;

    private static void SetHeaders(HttpContext context, RegistryRoute route)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        if (route.Kind != RouteKind.Page)
        {
            headers["Docker-Distribution-API-Version"] = "registry/2.0";
        }
    }
}
