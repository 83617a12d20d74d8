using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Wherry.Api.Contracts;
using Wherry.Api.Contracts.Containers;
using Wherry.Api.Http;
using Wherry.Engine;
using Wherry.Errors;

namespace Wherry.Api.Containers;

/// <summary>Containers' files: what changed, all of them, and some of them in and out.</summary>
internal sealed class ContainerFileRoutes(WherryEngine engine)
{
    private const string StatHeader = "X-Docker-Container-Path-Stat";
    private const string ArchiveType = "application/x-tar";

    public void AddTo(RouteTable routes)
    {
        routes.Get("/containers/{id}/changes", ChangesAsync);
        routes.Get("/containers/{id}/export", ExportAsync);
        routes.Add("HEAD", "/containers/{id}/archive", StatAsync);
        routes.Get("/containers/{id}/archive", ReadAsync);
        routes.Add("PUT", "/containers/{id}/archive", WriteAsync);
    }

    private Task ChangesAsync(ApiRequest request) =>
        request.AnswerAsync(engine.Containers.Changes(request.Parameter), ApiJson.Default.IReadOnlyListFilesystemChange);

    private Task ExportAsync(ApiRequest request) => engine.Containers.ExportAsync(
        request.Parameter,
        () =>
        {
            request.Http.Response.ContentType = "application/octet-stream";
            return request.Http.Response.Body;
        },
        request.Aborted);

    private async Task StatAsync(ApiRequest request)
    {
        var status = await engine.Containers.StatPathAsync(request.Parameter, PathOf(request), request.Aborted).ConfigureAwait(false);
        SetStat(request.Http.Response, status);
        await request.AnswerAsync(200).ConfigureAwait(false);
    }

    private Task ReadAsync(ApiRequest request) => engine.Containers.ReadPathAsync(
        request.Parameter,
        PathOf(request),
        status =>
        {
            SetStat(request.Http.Response, status);
            request.Http.Response.ContentType = ArchiveType;
            return request.Http.Response.Body;
        },
        request.Aborted);

    private async Task WriteAsync(ApiRequest request)
    {
        await engine.Containers.WritePathAsync(
            request.Parameter,
            PathOf(request),
            request.Http.Request.Body,
            request.Flag("noOverwriteDirNonDir"),
            request.Flag("copyUIDGID"),
            request.Aborted).ConfigureAwait(false);
        await request.AnswerAsync(200).ConfigureAwait(false);
    }

    private static string PathOf(ApiRequest request) =>
        request.Query("path") ?? throw WherryException.Invalid("the query parameter path is missing: it names a file in the container");

    private static void SetStat(HttpResponse response, ContainerPathStat status) =>
        response.Headers[StatHeader] = Convert.ToBase64String(JsonSerializer.SerializeToUtf8Bytes(status, ApiJson.Default.ContainerPathStat));
}
