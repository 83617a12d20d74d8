using Wherry.Api.Contracts;
using Wherry.Api.Contracts.Images;
using Wherry.Api.Http;
using Wherry.Engine;
using Wherry.Engine.Filters;
using Wherry.Errors;

namespace Wherry.Api.Images;

/// <summary>Images as a catalogue: listing, inspecting, naming, removing.</summary>
internal sealed class ImageRoutes(WherryEngine engine)
{
    private static readonly ApiVersion ListedManifestsBegin = new(1, 47);
    private static readonly ApiVersion InspectedManifestsBegin = new(1, 48);

    public void AddTo(RouteTable routes)
    {
        routes.Get("/images/json", ListAsync);
        routes.Get("/images/{name*}/json", InspectAsync);
        routes.Get("/images/{name*}/history", HistoryAsync);
        routes.Post("/images/{name*}/tag", TagAsync);
        routes.Delete("/images/{name*}", RemoveAsync);
    }

    private Task ListAsync(ApiRequest request)
    {
        var filters = request.Filters();
        if (request.Query("filter") is { } reference)
        {
            // How clients before API 1.28 spelt it.
            filters = new FilterArguments(new Dictionary<string, IReadOnlyList<string>>(filters.Values, StringComparer.Ordinal) { ["reference"] = [reference] });
        }

        var filter = new ImageFilter(filters, name => engine.Images.Resolve(name).Created);
        var all = engine.Images.List();
        var parents = all.Select(image => image.ParentId).ToHashSet(StringComparer.Ordinal);
        var sizes = request.Flag("shared-size") ? engine.Images.Sizes() : null;
        var withManifests = request.Flag("manifests") && request.Version >= ListedManifestsBegin;
        var showIntermediate = request.Flag("all") || filters.Contains("dangling");
        ImageSummary[] rows =
        [
            .. from image in all
               let subject = ImageViews.FilterSubject(image)
               where filter.Matches(subject) && (showIntermediate || !image.IsDangling || !parents.Contains(image.Id))
               orderby image.Created descending
               let users = engine.Containers.UsersOf(image)
               select ImageViews.Summary(image, request.Version, users.Count) with
               {
                   RepoTags = filter.VisibleTags(subject),
                   SharedSize = sizes is null ? -1 : sizes.GetValueOrDefault(image.Id).Shared,
                   Manifests = withManifests ? ImageViews.Manifests(image, engine.Images.ContentOf(image), users) : null,
               },
        ];
        return request.AnswerAsync(rows, ApiJson.Default.IReadOnlyListImageSummary);
    }

    private Task InspectAsync(ApiRequest request)
    {
        var image = engine.Images.Resolve(request.Parameter);
        var answer = ImageViews.Inspect(image, request.Version, engine.StorageDriver);
        if (request.Flag("manifests") && request.Version >= InspectedManifestsBegin)
        {
            answer = answer with { Manifests = ImageViews.Manifests(image, engine.Images.ContentOf(image), engine.Containers.UsersOf(image)) };
        }

        return request.AnswerAsync(answer, ApiJson.Default.ImageInspect);
    }

    private Task HistoryAsync(ApiRequest request)
    {
        HistoryResponseItem[] steps = [.. engine.Images.History(request.Parameter).Select(ImageViews.History)];
        return request.AnswerAsync(steps, ApiJson.Default.IReadOnlyListHistoryResponseItem);
    }

    private Task TagAsync(ApiRequest request)
    {
        var target = ImageReference.Join(request.Query("repo"), request.Query("tag"))
            ?? throw WherryException.Invalid("the query parameter repo is missing: it is the new name");
        engine.Images.Tag(request.Parameter, target);
        return request.AnswerAsync(201);
    }

    private Task RemoveAsync(ApiRequest request)
    {
        var deletions = engine.Images.Remove(request.Parameter, request.Flag("force"), request.Flag("noprune"), engine.Containers.UsersOf);
        ImageDeleteResponseItem[] items = [.. deletions.Select(ImageViews.Deletion)];
        return request.AnswerAsync(items, ApiJson.Default.IReadOnlyListImageDeleteResponseItem);
    }
}
