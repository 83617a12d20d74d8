using System.Text;
using Wherry.Api.Contracts;
using Wherry.Api.Contracts.Containers;
using Wherry.Api.Contracts.Streams;
using Wherry.Api.Http;
using Wherry.Api.Streams;
using Wherry.Engine;
using Wherry.Errors;
using Wherry.Images;
using Wherry.Oci.Images;

namespace Wherry.Api.Images;

/// <summary>Images in and out: import, load, save, and base images made on the spot.</summary>
internal sealed class ImageTransferRoutes(WherryEngine engine)
{
    public void AddTo(RouteTable routes)
    {
        routes.Post("/images/create", CreateAsync);
        routes.Post("/images/load", LoadAsync);
        routes.Get("/images/get", SaveManyAsync);
        routes.Get("/images/{name*}/get", SaveOneAsync);
        routes.Post("/wherry/images/bootstrap", BootstrapAsync);
        routes.Post("/wherry/images/flatten", FlattenAsync);
        routes.Get("/wherry/images/diff", DiffAsync);
    }

    private Task CreateAsync(ApiRequest request)
    {
        if (request.Query("fromImage") is not null)
        {
            return RegistryRoutes.PullAsync(engine, request);
        }

        return request.Query("fromSrc") switch
        {
            "-" => ImportAsync(request),
            null => throw WherryException.Invalid("one of the query parameters fromImage and fromSrc must be given"),
            var url => throw WherryException.Unsupported($"importing from {url} isn't supported: download the archive and import the file"),
        };
    }

    private Task ImportAsync(ApiRequest request)
    {
        var platform = request.Query("platform") is { } text
            ? Platform.TryParse(text) ?? throw WherryException.Invalid($"\"{text}\" is an invalid platform: it must be os/architecture[/variant]")
            : null;
        var import = new ImportRequest
        {
            Reference = ImageReference.Join(request.Query("repo"), request.Query("tag")),
            Changes = request.QueryList("changes"),
            Message = request.Query("message"),
            Platform = platform,
        };
        return ProgressStream.RunAsync(request, async progress =>
        {
            var made = await engine.Images.ImportAsync(request.Http.Request.Body, import, progress, request.Aborted).ConfigureAwait(false);
            progress.Status(made.Id);
        });
    }

    private Task LoadAsync(ApiRequest request)
    {
        var quiet = request.Flag("quiet");
        return ProgressStream.RunAsync(request, async progress =>
        {
            var loaded = await engine.Images.LoadAsync(request.Http.Request.Body, quiet ? null : progress, request.Aborted).ConfigureAwait(false);
            foreach (var image in loaded)
            {
                progress.Stream(image.Reference is null ? $"Loaded image ID: {image.Id}\n" : $"Loaded image: {image.Reference}\n");
            }
        });
    }

    private Task BootstrapAsync(ApiRequest request)
    {
        var name = request.Query("name") ?? throw WherryException.Invalid("the query parameter name is missing: use busybox, debian:SUITE or ubuntu:SUITE");
        return ProgressStream.RunAsync(request, async progress =>
        {
            var image = await engine.Images.BootstrapAsync(new BootstrapRequest(name), progress, request.Aborted).ConfigureAwait(false);
            progress.Status(image.Id);
        });
    }

    private async Task FlattenAsync(ApiRequest request)
    {
        var image = request.Query("image") ?? throw WherryException.Invalid("the query parameter image is missing: it names the image to flatten");
        var made = await engine.Images.FlattenAsync(image, request.Query("name"), request.Aborted).ConfigureAwait(false);
        await request.AnswerAsync(new IdResponse { Id = made.Id }, ApiJson.Default.IdResponse, 201).ConfigureAwait(false);
    }

    private Task DiffAsync(ApiRequest request)
    {
        var before = request.Query("from") ?? throw WherryException.Invalid("the query parameter from is missing: it names the first image");
        var after = request.Query("to") ?? throw WherryException.Invalid("the query parameter to is missing: it names the second image");
        FilesystemChange[] changes =
        [
            .. from change in engine.Images.Compare(before, after)
               select new FilesystemChange { Path = "/" + Encoding.UTF8.GetString(change.Path), Kind = (int)change.Kind },
        ];
        return request.AnswerAsync(changes, ApiJson.Default.IReadOnlyListFilesystemChange);
    }

    private Task SaveOneAsync(ApiRequest request) => SaveAsync(request, [request.Parameter]);

    private Task SaveManyAsync(ApiRequest request)
    {
        var names = request.QueryList("names").SelectMany(list => list.Split(',', StringSplitOptions.RemoveEmptyEntries)).ToArray();
        return names.Length == 0
            ? throw WherryException.Invalid("the query parameter names is missing: it names the images to save")
            : SaveAsync(request, names);
    }

    private Task SaveAsync(ApiRequest request, IReadOnlyList<string> names)
    {
        foreach (var name in names)
        {
            _ = engine.Images.Resolve(name);
        }

        var excluded = request.QueryList("exclude");
        foreach (var name in excluded)
        {
            _ = engine.Images.Resolve(name);
        }

        request.Http.Response.ContentType = "application/x-tar";
        return engine.Images.SaveAsync(names, FormatOf(request), excluded, request.Http.Response.Body, request.Aborted);
    }

    /// <summary>Wherry's own additions to the query: <c>format=docker|oci</c>, <c>compression=none|gzip|zstd</c>.</summary>
    private static SaveFormat FormatOf(ApiRequest request) => new(
        request.Query("format") switch
        {
            null or "docker" => SaveLayout.Docker,
            "oci" => SaveLayout.Oci,
            var other => throw WherryException.Invalid($"unknown format \"{other}\": use docker or oci"),
        },
        request.Query("compression") switch
        {
            null or "none" => ArchiveCompression.None,
            "gzip" => ArchiveCompression.Gzip,
            "zstd" => ArchiveCompression.Zstd,
            var other => throw WherryException.Invalid($"unknown compression \"{other}\": use none, gzip or zstd"),
        });
}
