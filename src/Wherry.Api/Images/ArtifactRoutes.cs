using Wherry.Api.Contracts;
using Wherry.Api.Contracts.Images;
using Wherry.Api.Http;
using Wherry.Engine;
using Wherry.Errors;
using Wherry.Images.Distribution.Artifacts;
using Wherry.Images.Distribution.Indexes;
using Wherry.Storage.Pipelines;

namespace Wherry.Api.Images;

/// <summary>Wherry's own: artifacts, and indexes made at their registry.</summary>
internal sealed class ArtifactRoutes(WherryEngine engine)
{
    private const int Created = 201;

    public void AddTo(RouteTable routes)
    {
        routes.Post("/wherry/registry/artifact", PushAsync);
        routes.Get("/wherry/registry/artifact", PullAsync);
        routes.Post("/wherry/registry/index", MakeIndexAsync);
    }

    private async Task PushAsync(ApiRequest request)
    {
        var push = new ArtifactPushRequest
        {
            Reference = Name(request),
            ArtifactType = request.Query("artifactType") ?? ArtifactPushRequest.DefaultType,
            Subject = request.Query("subject"),
            FileTypes = Pairs(request, "fileType"),
            Annotations = Pairs(request, "annotation"),
            Credentials = RegistryAuth.Of(request),
        };
        var pushed = await engine.Registries.PushArtifactAsync(push, request.Http.Request.Body, request.Aborted).ConfigureAwait(false);
        var answer = new PushedToRegistry { Name = pushed.Name, Digest = pushed.Digest, Size = pushed.Size };
        await request.AnswerAsync(answer, ApiJson.Default.PushedToRegistry, Created).ConfigureAwait(false);
    }

    private async Task PullAsync(ApiRequest request)
    {
        using var files = await engine.Registries.PullArtifactAsync(Name(request), RegistryAuth.Of(request), request.Aborted).ConfigureAwait(false);
        request.Http.Response.ContentType = "application/x-tar";
        await ThreadBridge.WriteAsync(files.WriteTo, request.Http.Response.Body, request.Aborted).ConfigureAwait(false);
    }

    private async Task MakeIndexAsync(ApiRequest request)
    {
        var name = Name(request);
        var index = new IndexRequest
        {
            Reference = name,
            Sources = request.QueryList("source"),
            Annotations = Pairs(request, "annotation"),
            Credentials = RegistryAuth.Of(request),
        };
        var pushed = await engine.Registries.PushIndexAsync(index, request.Aborted).ConfigureAwait(false);
        var answer = new PushedToRegistry { Name = name, Digest = pushed.Digest, Size = pushed.Size };
        await request.AnswerAsync(answer, ApiJson.Default.PushedToRegistry, Created).ConfigureAwait(false);
    }

    private static string Name(ApiRequest request) =>
        request.Query("name") ?? throw WherryException.Invalid("the query parameter name is missing: it says what it is called at its registry");

    /// <summary>Parameters of the form <c>KEY=VALUE</c>.</summary>
    private static Dictionary<string, string> Pairs(ApiRequest request, string parameter)
    {
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var text in request.QueryList(parameter))
        {
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1)
            {
                throw WherryException.Invalid($"\"{text}\" is not a {parameter}: it must be KEY=VALUE");
            }

            if (!pairs.TryAdd(text[..equals], text[(equals + 1)..]))
            {
                throw WherryException.Invalid($"{parameter} {text[..equals]} is given twice");
            }
        }

        return pairs;
    }
}
