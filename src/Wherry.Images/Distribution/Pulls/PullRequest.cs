using Wherry.Oci.Images;

namespace Wherry.Images.Distribution.Pulls;

/// <summary>What to pull.</summary>
public sealed record PullRequest
{
    /// <summary>A name, with a tag or a digest; <c>latest</c> without.</summary>
    public required string Reference { get; init; }

    /// <summary>Every tag of the repository; the reference has none then.</summary>
    public bool AllTags { get; init; }

    /// <summary>Null is the host's, or what there is.</summary>
    public Platform? Platform { get; init; }

    public RegistryCredentials? Credentials { get; init; }
}
