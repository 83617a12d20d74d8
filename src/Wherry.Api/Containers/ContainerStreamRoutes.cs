using Wherry.Api.Contracts;
using Wherry.Api.Contracts.Containers;
using Wherry.Api.Hijacking;
using Wherry.Api.Http;
using Wherry.Engine;
using Wherry.Engine.Containers;
using Wherry.Engine.Logs;
using Wherry.Errors;

namespace Wherry.Api.Containers;

/// <summary>What keeps a connection for as long as a container lives: attach, logs, wait.</summary>
internal sealed class ContainerStreamRoutes(WherryEngine engine)
{
    public void AddTo(RouteTable routes)
    {
        routes.Post("/containers/{id}/attach", AttachAsync);
        routes.Get("/containers/{id}/logs", LogsAsync);
        routes.Post("/containers/{id}/wait", WaitAsync);
    }

    private async Task AttachAsync(ApiRequest request)
    {
        var query = new AttachQuery(
            request.Flag("logs"),
            request.Flag("stream"),
            request.Flag("stdin"),
            request.Flag("stdout"),
            request.Flag("stderr"),
            request.Query("detachKeys"));
        var session = await engine.Containers.AttachAsync(request.Parameter, query, request.Aborted).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            await Hijack.RunAsync(request, session.Tty, session.RunAsync).ConfigureAwait(false);
        }
    }

    private Task LogsAsync(ApiRequest request)
    {
        var now = DateTimeOffset.UtcNow;
        var query = new LogQuery
        {
            Follow = request.Flag("follow"),
            Stdout = request.Flag("stdout"),
            Stderr = request.Flag("stderr"),
            Since = TimeArgument.Parse(request.Query("since"), now),
            Until = TimeArgument.Parse(request.Query("until"), now),
            Timestamps = request.Flag("timestamps"),
            Tail = LogQuery.ParseTail(request.Query("tail")),
        };
        return engine.Containers.WriteLogsAsync(
            request.Parameter,
            query,
            tty =>
            {
                request.Http.Response.ContentType = Hijack.ContentType(tty, request.Version);
                return request.Http.Response.BodyWriter;
            },
            request.Aborted);
    }

    private async Task WaitAsync(ApiRequest request)
    {
        var condition = request.Query("condition") switch
        {
            null or "not-running" => WaitCondition.NotRunning,
            "next-exit" => WaitCondition.NextExit,
            "removed" => WaitCondition.Removed,
            var unknown => throw WherryException.Invalid($"invalid condition: \"{unknown}\": use not-running, next-exit or removed"),
        };

        // Clients start the container once they see the status line: by then the wait must have been registered.
        var ended = engine.Containers.WaitAsync(request.Parameter, condition, request.Aborted);
        if (!ended.IsCompleted)
        {
            request.Http.Response.ContentType = "application/json";
            await request.Http.Response.StartAsync(request.Aborted).ConfigureAwait(false);
            await request.Http.Response.BodyWriter.FlushAsync(request.Aborted).ConfigureAwait(false);
        }

        ContainerWaitResponse answer;
        try
        {
            answer = await ended.ConfigureAwait(false);
        }
        catch (WherryException failure) when (request.Http.Response.HasStarted)
        {
            answer = new ContainerWaitResponse { StatusCode = -1, Error = new ContainerWaitExitError { Message = failure.Message } };
        }

        if (!request.Http.Response.HasStarted)
        {
            await request.AnswerAsync(answer, ApiJson.Default.ContainerWaitResponse).ConfigureAwait(false);
            return;
        }

        JsonAnswer.WriteLine(request.Http.Response.BodyWriter, answer, ApiJson.Default.ContainerWaitResponse);
        await request.Http.Response.BodyWriter.FlushAsync(request.Aborted).ConfigureAwait(false);
    }
}
