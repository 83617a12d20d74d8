using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Wherry.Api.Contracts;
using Wherry.Api.Contracts.Streams;

namespace Wherry.Api.Http;

/// <summary>
/// The whole of request processing: version, route, handler, failure. It sits directly on Kestrel; there is no
/// middleware, no container of services and no host around it, which is what keeps the engine small.
/// </summary>
/// <param name="routes">What is served.</param>
/// <param name="log">Receives the requests (debug) and the defects (error).</param>
public sealed class RestApplication(RouteTable routes, IRequestLog log) : IHttpApplication<HttpContext>
{
    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    public void DisposeContext(HttpContext context, Exception? exception)
    {
        // Nothing is held per request besides what Kestrel itself owns.
    }

    public async Task ProcessRequestAsync(HttpContext context)
    {
        try
        {
            StandardHeaders.Set(context.Response.Headers);
            await DispatchAsync(context).ConfigureAwait(false);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone; whatever followed from that concerns nobody.
        }
        catch (Exception exception)
        {
            await FailAsync(context, exception).ConfigureAwait(false);
        }
        finally
        {
            log.Request(context.Request.Method, context.Request.Path.Value ?? "", context.Response.StatusCode);
        }
    }

    private async Task DispatchAsync(HttpContext context)
    {
        BrowserGuard.Check(context);
        var (version, path) = VersionedPath.Parse(context.Request.Path.Value ?? "/");
        var match = routes.Find(context.Request.Method, path);
        if (match.Handler is { } handler)
        {
            await handler(new ApiRequest(context, version, match.Parameter)).ConfigureAwait(false);
        }
        else if (match.IsKnownPath)
        {
            context.Response.Headers.Allow = string.Join(", ", match.OtherMethods);
            await AnswerAsync(context, StatusCodes.Status405MethodNotAllowed, "method not allowed").ConfigureAwait(false);
        }
        else
        {
            await AnswerAsync(context, StatusCodes.Status404NotFound, "page not found").ConfigureAwait(false);
        }
    }

    private async Task FailAsync(HttpContext context, Exception exception)
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

        context.Response.Clear();
        StandardHeaders.Set(context.Response.Headers);
        if (failure.Status == StatusCodes.Status304NotModified)
        {
            context.Response.StatusCode = failure.Status;
            return;
        }

        await AnswerAsync(context, failure.Status, failure.Message).ConfigureAwait(false);
    }

    private static async Task AnswerAsync(HttpContext context, int status, string message)
    {
        try
        {
            await JsonAnswer.WriteAsync(
                context.Response, new ErrorResponse { Message = message }, ApiJson.Default.ErrorResponse, status, context.RequestAborted).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The client has gone meanwhile.
        }
    }
}
