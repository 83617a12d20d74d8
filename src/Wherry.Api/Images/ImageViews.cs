using System.Globalization;
using Wherry.Api.Contracts.Containers;
using Wherry.Api.Contracts.Images;
using Wherry.Api.Http;
using Wherry.Engine.Filters;
using Wherry.Images;
using Stored = Wherry.Oci.Images;

namespace Wherry.Api.Images;

/// <summary>Images as the API shows them.</summary>
internal static class ImageViews
{
    /// <summary>Since this version the size is told once.</summary>
    private static readonly ApiVersion VirtualSizeRemoved = new(1, 44);

    public static ImageSummary Summary(Image image, ApiVersion version, long containers) => new()
    {
        Id = image.Id,
        ParentId = image.ParentId ?? "",
        RepoTags = image.RepoTags,
        RepoDigests = image.RepoDigests,
        Created = image.Created.ToUnixTimeSeconds(),
        Size = image.Size,
        SharedSize = -1,
        VirtualSize = version < VirtualSizeRemoved ? image.Size : null,
        Labels = Copy(image.Config.Config?.Labels),
        Containers = containers,
    };

    /// <summary>What filters look at.</summary>
    public static ImageFilterSubject FilterSubject(Image image) => new()
    {
        Id = image.Id,
        Created = image.Created,
        RepoTags = image.RepoTags,
        RepoDigests = image.RepoDigests,
        Labels = image.Config.Config?.Labels ?? new Dictionary<string, string>(),
    };

    public static ImageInspect Inspect(Image image, ApiVersion version, string storageDriver) => new()
    {
        Id = image.Id,
        RepoTags = image.RepoTags,
        RepoDigests = image.RepoDigests,
        Parent = image.ParentId ?? "",
        Comment = image.Config.Comment ?? "",
        Created = Time(image.Created),
        DockerVersion = image.Config.DockerVersion ?? "",
        Author = image.Config.Author ?? "",
        Config = Config(image.Config.Config ?? new Stored.ExecutionParameters()),
        Architecture = image.Config.Architecture,
        Variant = image.Config.Variant,
        Os = image.Config.Os,
        OsVersion = image.Config.OsVersion,
        Size = image.Size,
        VirtualSize = version < VirtualSizeRemoved ? image.Size : null,
        GraphDriver = new DriverData { Name = storageDriver },
        RootFS = new RootFS { Type = "layers", Layers = image.Config.RootFs.DiffIds },
        Metadata = new ImageMetadata { LastTagTime = Time(image.LastTagged ?? DateTimeOffset.MinValue) },
    };

    /// <summary>An image is for one platform here, so it has one manifest.</summary>
    public static IReadOnlyList<ImageManifestSummary> Manifests(Image image, ImageContent? content, IReadOnlyList<ImageUser> users) =>
        content is null ? [] : [Manifest(image, content, users)];

    private static ImageManifestSummary Manifest(Image image, ImageContent content, IReadOnlyList<ImageUser> users) => new()
    {
        Id = image.ManifestDigest,
        Descriptor = new OciDescriptor { MediaType = content.MediaType, Digest = image.ManifestDigest, Size = content.ManifestSize },
        Available = true,
        Size = new ManifestSize { Content = content.Size, Total = content.Size + image.Size },
        Kind = "image",
        ImageData = new ManifestImageData
        {
            Platform = new RemotePlatform { Architecture = image.Config.Architecture, Os = image.Config.Os, OsVersion = image.Config.OsVersion, Variant = image.Config.Variant },
            Containers = [.. users.Select(user => user.ContainerId)],
            Size = new ManifestImageSize { Unpacked = image.Size },
        },
    };

    public static HistoryResponseItem History(HistoryEntry entry) => new()
    {
        Id = entry.Id,
        Created = entry.Created.ToUnixTimeSeconds(),
        CreatedBy = entry.CreatedBy,
        Tags = entry.Tags.Count == 0 ? null : entry.Tags,
        Size = entry.Size,
        Comment = entry.Comment,
    };

    public static ImageDeleteResponseItem Deletion(ImageDeletion deletion) =>
        new() { Untagged = deletion.Untagged, Deleted = deletion.Deleted };

    private static ImageConfig Config(Stored.ExecutionParameters config) => new()
    {
        User = config.User ?? "",
        ExposedPorts = Set(config.ExposedPorts),
        Env = config.Env,
        Cmd = config.Cmd,
        Healthcheck = config.Healthcheck is { } check ? Health(check) : null,
        ArgsEscaped = config.ArgsEscaped ?? false,
        Volumes = Set(config.Volumes),
        WorkingDir = config.WorkingDir ?? "",
        Entrypoint = config.Entrypoint,
        OnBuild = config.OnBuild,
        Labels = Copy(config.Labels),
        StopSignal = config.StopSignal,
        Shell = config.Shell,
    };

    private static HealthConfig Health(Stored.Healthcheck check) => new()
    {
        Test = check.Test,
        Interval = check.Interval ?? 0,
        Timeout = check.Timeout ?? 0,
        StartPeriod = check.StartPeriod ?? 0,
        StartInterval = check.StartInterval ?? 0,
        Retries = check.Retries ?? 0,
    };

    private static Dictionary<string, Contracts.Json.EmptyObject>? Set(IReadOnlyDictionary<string, Stored.EmptyObject>? set) =>
        set?.ToDictionary(entry => entry.Key, _ => Contracts.Json.EmptyObject.Instance, StringComparer.Ordinal);

    private static Dictionary<string, string>? Copy(IReadOnlyDictionary<string, string>? map) =>
        map is null ? null : new Dictionary<string, string>(map, StringComparer.Ordinal);

    /// <summary>RFC 3339, with what fraction .NET knows.</summary>
    private static string Time(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);
}
