namespace Wherry.Api.Images;

/// <summary>Image references as Docker's queries split them.</summary>
internal static class ImageReference
{
    /// <summary><c>repo</c> and <c>tag</c> (a tag or a digest) as one reference; null when no repository is given.</summary>
    public static string? Join(string? repository, string? tag) => (repository, tag) switch
    {
        (null, _) => null,
        (_, null) => repository,
        _ when tag.Contains(':') => $"{repository}@{tag}",
        _ => $"{repository}:{tag}",
    };
}
