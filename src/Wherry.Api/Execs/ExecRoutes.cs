using Wherry.Api.Contracts;
using Wherry.Api.Contracts.Streams;
using Wherry.Api.Hijacking;
using Wherry.Api.Http;
using Wherry.Engine;

namespace Wherry.Api.Execs;

/// <summary>Programs run in containers besides their own.</summary>
internal sealed class ExecRoutes(WherryEngine engine)
{
    public void AddTo(RouteTable routes)
    {
        routes.Post("/containers/{id}/exec", CreateAsync);
        routes.Post("/exec/{id}/start", StartAsync);
        routes.Post("/exec/{id}/resize", ResizeAsync);
        routes.Get("/exec/{id}/json", InspectAsync);
    }

    private async Task CreateAsync(ApiRequest request)
    {
        var body = await request.BodyAsync(ApiJson.Default.ExecCreateRequest).ConfigureAwait(false);
        var id = await engine.Execs.CreateAsync(request.Parameter, body, request.Aborted).ConfigureAwait(false);
        await request.AnswerAsync(new IdResponse { Id = id }, ApiJson.Default.IdResponse, 201).ConfigureAwait(false);
    }

    private async Task StartAsync(ApiRequest request)
    {
        var body = await request.BodyAsync(ApiJson.Default.ExecStartRequest).ConfigureAwait(false);
        if (await engine.Execs.StartAsync(request.Parameter, body, request.Aborted).ConfigureAwait(false) is not { } session)
        {
            await request.AnswerAsync(200).ConfigureAwait(false);
            return;
        }

        await using (session.ConfigureAwait(false))
        {
            await Hijack.RunAsync(request, session.Tty, session.RunAsync).ConfigureAwait(false);
        }
    }

    private async Task ResizeAsync(ApiRequest request)
    {
        await engine.Execs.ResizeAsync(request.Parameter, request.RequiredNumber("h"), request.RequiredNumber("w"), request.Aborted).ConfigureAwait(false);
        await request.AnswerAsync(200).ConfigureAwait(false);
    }

    private Task InspectAsync(ApiRequest request) =>
        request.AnswerAsync(engine.Execs.Inspect(request.Parameter), ApiJson.Default.ExecInspectResponse);
}
