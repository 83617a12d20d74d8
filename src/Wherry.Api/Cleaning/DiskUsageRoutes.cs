using Wherry.Api.Contracts;
using Wherry.Api.Contracts.Cleaning;
using Wherry.Api.Contracts.Images;
using Wherry.Api.Http;
using Wherry.Api.Images;
using Wherry.Engine;
using Wherry.Engine.Cleaning;
using Wherry.Errors;

namespace Wherry.Api.Cleaning;

/// <summary><c>GET /system/df</c>.</summary>
internal sealed class DiskUsageRoutes(WherryEngine engine)
{
    private static readonly ApiVersion UsagesBegin = new(1, 52);
    private static readonly string[] Kinds = ["container", "image", "volume", "build-cache"];

    public void AddTo(RouteTable routes) => routes.Get("/system/df", UsageAsync);

    private Task UsageAsync(ApiRequest request)
    {
        var asked = request.QueryList("type");
        if (asked.FirstOrDefault(kind => !Kinds.Contains(kind)) is { } unknown)
        {
            throw WherryException.Invalid($"unknown object type: {unknown}");
        }

        bool Wants(string kind) => asked.Count == 0 || asked.Contains(kind);
        var answer = request.Version < UsagesBegin ? Lists(request, Wants) : Usages(request, Wants, request.Flag("verbose"));
        return request.AnswerAsync(answer, ApiJson.Default.DiskUsageAnswer);
    }

    private DiskUsageAnswer Lists(ApiRequest request, Func<string, bool> wants) => new()
    {
        LayersSize = wants("image") ? engine.DiskUsage.LayersSize() : 0,
        Images = wants("image") ? Images(request) : null,
        Containers = wants("container") ? engine.DiskUsage.Containers() : null,
        Volumes = wants("volume") ? engine.DiskUsage.Volumes() : null,
        BuildCache = wants("build-cache") ? [] : null,
    };

    private DiskUsageAnswer Usages(ApiRequest request, Func<string, bool> wants, bool verbose)
    {
        var answer = new DiskUsageAnswer();
        if (wants("image"))
        {
            var images = Images(request);
            var total = engine.DiskUsage.LayersSize();
            var usage = DiskUsage.Summarize(images, image => image.Containers > 0, total, engine.DiskUsage.ReclaimableOfImages());
            answer = answer with { ImageUsage = verbose ? usage with { Items = images } : usage };
        }

        if (wants("container"))
        {
            var containers = engine.DiskUsage.Containers();
            var total = containers.Sum(container => container.SizeRw ?? 0);
            var idle = containers.Where(container => !IsActive(container.State)).Sum(container => container.SizeRw ?? 0);
            var usage = DiskUsage.Summarize(containers, container => IsActive(container.State), total, idle);
            answer = answer with { ContainerUsage = verbose ? usage with { Items = containers } : usage };
        }

        if (wants("volume"))
        {
            var volumes = engine.DiskUsage.Volumes();
            var total = volumes.Sum(volume => volume.UsageData!.Size);
            var idle = volumes.Where(volume => volume.UsageData!.RefCount == 0).Sum(volume => volume.UsageData!.Size);
            var usage = DiskUsage.Summarize(volumes, volume => volume.UsageData!.RefCount > 0, total, idle);
            answer = answer with { VolumeUsage = verbose ? usage with { Items = volumes } : usage };
        }

        return wants("build-cache") ? answer with { BuildCacheUsage = new() { Items = verbose ? [] : null } } : answer;
    }

    private IReadOnlyList<ImageSummary> Images(ApiRequest request) =>
    [
        .. from entry in engine.DiskUsage.Images()
           select ImageViews.Summary(entry.Image, request.Version, entry.Containers) with { SharedSize = entry.Sizes.Shared },
    ];

    private static bool IsActive(string state) => state is "running" or "paused" or "restarting";
}
