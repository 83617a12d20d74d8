using Wherry.Errors;
using Wherry.Oci.Images;

namespace Wherry.Images.Distribution.Manifests;

/// <summary>Chooses an index's manifest for a platform.</summary>
internal static class PlatformChoice
{
    /// <summary>The manifest to run, and any that a platform's absence leaves as the only one.</summary>
    /// <exception cref="WherryException">None fits; the message lists what there is.</exception>
    internal static Descriptor Choose(ImageIndex index, Platform wanted, string what)
    {
        var images = index.Manifests.Where(IsImage).ToList();
        var fitting = images.Where(entry => entry.Platform is { } platform && wanted.Matches(Normalize(platform))).ToList();
        // The very variant, then one that says none, then whatever else fits.
        return fitting.Find(entry => entry.Platform!.Variant == wanted.Variant)
            ?? fitting.Find(entry => entry.Platform!.Variant is null)
            ?? fitting.FirstOrDefault()
            ?? (images is [{ Platform: null } only] ? only : null)
            ?? throw WherryException.NotFound($"no matching manifest for {wanted} in the manifest list entries of {what}: it has {Listed(images)}");
    }

    /// <summary>Attestations hang in indexes as manifests for no platform at all.</summary>
    internal static bool IsImage(Descriptor entry) =>
        entry.Platform is not { Os: "unknown" } && entry.Annotations?.ContainsKey("vnd.docker.reference.type") != true;

    /// <summary>64-bit ARM is v8 whether it says so or not.</summary>
    private static Platform Normalize(Platform platform) =>
        platform is { Architecture: "arm64", Variant: "v8" } ? platform with { Variant = null } : platform;

    private static string Listed(List<Descriptor> images) =>
        images.Count == 0 ? "none" : string.Join(", ", images.Take(16).Select(entry => entry.Platform?.ToString() ?? "an unnamed platform"));
}
