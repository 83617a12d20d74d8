using System.Text.Json;
using Wherry.Api.Contracts;
using Wherry.Api.Contracts.Images;
using Wherry.Api.Http;
using Wherry.Api.Streams;
using Wherry.Engine;
using Wherry.Errors;
using Wherry.Images.Distribution;
using Wherry.Images.Distribution.Pulls;
using Wherry.Images.Distribution.Pushes;
using Wherry.Oci.Images;

namespace Wherry.Api.Images;

/// <summary>What is done with registries: pull, push, login, search, and looking without pulling.</summary>
internal sealed class RegistryRoutes(WherryEngine engine)
{
    private const int DefaultResults = 25;
    private const int MostResults = 100;

    public void AddTo(RouteTable routes)
    {
        routes.Post("/auth", LoginAsync);
        routes.Get("/images/search", SearchAsync);
        routes.Post("/images/{name*}/push", PushAsync);
        routes.Get("/distribution/{name*}/json", DistributionAsync);
        routes.Get("/wherry/registry/image", DescribeAsync);
        routes.Get("/wherry/registry/tags", TagsAsync);
        routes.Get("/wherry/registry/referrers", ReferrersAsync);
    }

    /// <summary><c>POST /images/create</c> with <c>fromImage</c>; a name without tag or digest means all tags.</summary>
    public static Task PullAsync(WherryEngine engine, ApiRequest request)
    {
        var reference = ImageReference.Join(request.Query("fromImage"), request.Query("tag"))!;
        var parsed = Wherry.Images.References.ImageReference.Parse(reference);
        var pull = new PullRequest
        {
            Reference = reference,
            AllTags = parsed.Tag is null && parsed.Digest is null,
            Platform = PlatformOf(request),
            Credentials = RegistryAuth.Of(request),
        };
        return ProgressStream.RunAsync(request, progress => engine.Registries.PullAsync(pull, progress, request.Aborted));
    }

    private Task PushAsync(ApiRequest request)
    {
        var push = new PushRequest
        {
            Reference = ImageReference.Join(request.Parameter, request.Query("tag"))!,
            Platform = PushPlatform(request),
            Credentials = RegistryAuth.Of(request),
            Compression = request.Query("compression") switch
            {
                null => null,
                "gzip" => LayerCompression.Gzip,
                "zstd" => LayerCompression.Zstd,
                var other => throw WherryException.Invalid($"unknown compression \"{other}\": use gzip or zstd"),
            },
        };
        return ProgressStream.RunAsync(request, progress => engine.Registries.PushAsync(
            push,
            progress,
            image =>
            {
                progress.Status($"{image.Tag}: digest: {image.Digest} size: {image.Size}");
                progress.Aux(JsonSerializer.SerializeToElement(new PushResult { Tag = image.Tag, Digest = image.Digest, Size = image.Size }, ApiJson.Default.PushResult));
            },
            request.Aborted));
    }

    private async Task LoginAsync(ApiRequest request)
    {
        var config = await request.BodyAsync(ApiJson.Default.AuthConfig).ConfigureAwait(false);
        RegistryCredentials credentials;
        try
        {
            credentials = RegistryAuth.Credentials(config);
        }
        catch (FormatException malformed)
        {
            throw WherryException.Invalid("the credentials' member auth is malformed: it must be user:password in base64", malformed);
        }

        var token = await engine.Registries.LoginAsync(credentials, request.Aborted).ConfigureAwait(false);
        await request.AnswerAsync(new AuthResponse { Status = "Login Succeeded", IdentityToken = token }, ApiJson.Default.AuthResponse).ConfigureAwait(false);
    }

    private async Task SearchAsync(ApiRequest request)
    {
        var term = request.Query("term") ?? throw WherryException.Invalid("the query parameter term is missing: it is what to search for");
        var limit = request.Number("limit") ?? DefaultResults;
        if (limit is < 1 or > MostResults)
        {
            throw WherryException.Invalid($"limit {limit} is outside the range of [1, {MostResults}]");
        }

        var filter = SearchFilter.Parse(request.Filters());
        var results = await engine.Registries.SearchAsync(term, limit, RegistryAuth.Of(request), request.Aborted).ConfigureAwait(false);
        ImageSearchItem[] items = [.. results.Select(SearchFilter.Item).Where(filter.Matches).Take(limit)];
        await request.AnswerAsync(items, ApiJson.Default.IReadOnlyListImageSearchItem).ConfigureAwait(false);
    }

    private async Task DistributionAsync(ApiRequest request)
    {
        var image = await engine.Registries.DescribeAsync(request.Parameter, RegistryAuth.Of(request), request.Aborted).ConfigureAwait(false);
        var answer = new DistributionInspect { Descriptor = RemoteViews.Descriptor(image.Top), Platforms = [.. image.Platforms.Select(RemoteViews.Platform)] };
        await request.AnswerAsync(answer, ApiJson.Default.DistributionInspect).ConfigureAwait(false);
    }

    private async Task DescribeAsync(ApiRequest request)
    {
        var name = Name(request);
        var image = await engine.Registries.DescribeAsync(name, RegistryAuth.Of(request), request.Aborted).ConfigureAwait(false);
        await request.AnswerAsync(RemoteViews.Image(name, image), ApiJson.Default.RemoteImageInspect).ConfigureAwait(false);
    }

    private async Task TagsAsync(ApiRequest request)
    {
        var tags = await engine.Registries.ListTagsAsync(Name(request), RegistryAuth.Of(request), request.Aborted).ConfigureAwait(false);
        await request.AnswerAsync(tags, ApiJson.Default.IReadOnlyListString).ConfigureAwait(false);
    }

    private async Task ReferrersAsync(ApiRequest request)
    {
        var found = await engine.Registries.ListReferrersAsync(Name(request), request.Query("artifactType"), RegistryAuth.Of(request), request.Aborted).ConfigureAwait(false);
        RemoteDescriptor[] answer = [.. found.Select(RemoteViews.Descriptor)];
        await request.AnswerAsync(answer, ApiJson.Default.IReadOnlyListRemoteDescriptor).ConfigureAwait(false);
    }

    private static string Name(ApiRequest request) =>
        request.Query("name") ?? throw WherryException.Invalid("the query parameter name is missing: it names an image at its registry");

    private static Platform? PlatformOf(ApiRequest request) => request.Query("platform") is { } text
        ? Platform.TryParse(text) ?? throw WherryException.Invalid($"\"{text}\" is an invalid platform: it must be os/architecture[/variant]")
        : null;

    /// <summary>A push names its platform as a JSON object (API 1.46).</summary>
    private static Platform? PushPlatform(ApiRequest request)
    {
        if (request.Query("platform") is not ['{', ..] text)
        {
            return PlatformOf(request);
        }

        try
        {
            var platform = JsonSerializer.Deserialize(text, ApiJson.Default.RemotePlatform)!;
            return new Platform { Os = platform.Os, Architecture = platform.Architecture, Variant = platform.Variant is "" ? null : platform.Variant };
        }
        catch (JsonException malformed)
        {
            throw WherryException.Invalid($"\"{text}\" is an invalid platform: {malformed.Message}", malformed);
        }
    }
}
