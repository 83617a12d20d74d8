using System.Text.Json;
using Wherry.Api.Contracts.Images;
using Wherry.Errors;
using Wherry.Images.Distribution;
using Stored = Wherry.Oci.Images;

namespace Wherry.Api.Images;

/// <summary>Images at registries as the API shows them.</summary>
internal static class RemoteViews
{
    public static RemoteDescriptor Descriptor(Stored.Descriptor descriptor) => new()
    {
        MediaType = descriptor.MediaType ?? "",
        Digest = descriptor.Digest,
        Size = descriptor.Size,
        ArtifactType = descriptor.ArtifactType,
        Annotations = descriptor.Annotations,
        Platform = descriptor.Platform is { } platform ? Platform(platform) : null,
    };

    public static RemotePlatform Platform(Stored.Platform platform) => new()
    {
        Architecture = platform.Architecture,
        Os = platform.Os,
        OsVersion = platform.OsVersion,
        Variant = platform.Variant,
    };

    public static RemoteImageInspect Image(string name, RemoteImage image) => new()
    {
        Name = name,
        Descriptor = Descriptor(image.Top),
        Document = Document(image.Document),
        Platforms = [.. image.Platforms.Select(Platform)],
        Manifests =
        [
            .. image.Manifests.Select(view => new RemoteManifestInspect
            {
                Descriptor = Descriptor(view.Descriptor),
                Manifest = Document(view.Document),
                Config = view.Config is { } config ? Document(config) : null,
            }),
        ],
    };

    private static JsonElement Document(byte[] bytes)
    {
        using var document = JsonDocument.Parse(bytes);
        return document.RootElement.Clone();
    }
}

/// <summary>The filters of a search: <c>is-official</c>, <c>is-automated</c>, <c>stars</c>.</summary>
internal sealed record SearchFilter(bool? IsOfficial, bool? IsAutomated, long Stars)
{
    public static SearchFilter Parse(Engine.Filters.FilterArguments filters)
    {
        foreach (var name in filters.Values.Keys)
        {
            if (name is not ("is-official" or "is-automated" or "stars"))
            {
                throw WherryException.Invalid($"invalid filter '{name}'");
            }
        }

        return new SearchFilter(Truth("is-official"), Truth("is-automated"), Values("stars").Select(Number).DefaultIfEmpty(0).Max());

        IReadOnlyList<string> Values(string name) => filters.Values.TryGetValue(name, out var values) ? values : [];

        bool? Truth(string name) => Values(name) switch
        {
            [] => null,
            ["true" or "1"] => true,
            ["false" or "0"] => false,
            var other => throw WherryException.Invalid($"invalid filter '{name}={string.Join(',', other)}'"),
        };

        static long Number(string text) => long.TryParse(text, out var number) ? number : throw WherryException.Invalid($"invalid filter 'stars={text}'");
    }

    public static ImageSearchItem Item(JsonElement result) => new()
    {
        Name = Text(result, "name"),
        Description = Text(result, "description"),
        StarCount = result.TryGetProperty("star_count", out var stars) && stars.ValueKind == JsonValueKind.Number && stars.TryGetInt64(out var count) ? count : 0,
        IsOfficial = result.TryGetProperty("is_official", out var official) && official.ValueKind == JsonValueKind.True,
        IsAutomated = result.TryGetProperty("is_automated", out var automated) && automated.ValueKind == JsonValueKind.True,
    };

    public bool Matches(ImageSearchItem item) =>
        (IsOfficial is null || item.IsOfficial == IsOfficial) && (IsAutomated is null || item.IsAutomated == IsAutomated) && item.StarCount >= Stars;

    private static string Text(JsonElement result, string name) =>
        result.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
