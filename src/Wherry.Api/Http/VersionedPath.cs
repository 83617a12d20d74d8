using Wherry.Errors;

namespace Wherry.Api.Http;

/// <summary>A request's path without its version, and the version the client speaks.</summary>
public readonly record struct VersionedPath(ApiVersion Version, string Path)
{
    /// <summary>Takes <c>/v1.41</c> off the front of a path; a path without it speaks the current version.</summary>
    /// <exception cref="WherryException">The version is newer or older than what is served (400, in Docker's words).</exception>
    public static VersionedPath Parse(string path)
    {
        var end = path.Length > 2 ? path.IndexOf('/', 1) : -1;
        if (end < 0)
        {
            end = path.Length;
        }

        if (end < 3 || path[1] != 'v' || path.AsSpan(2, end - 2).ContainsAnyExcept("0123456789."))
        {
            return new VersionedPath(ApiVersion.Current, path);
        }

        var text = path.AsSpan(2, end - 2);
        if (!ApiVersion.TryParse(text, out var version))
        {
            return new VersionedPath(ApiVersion.Current, path);
        }

        if (version > ApiVersion.Current)
        {
            throw WherryException.Invalid($"client version {text} is too new. Maximum supported API version is {ApiVersion.Current}");
        }

        if (version < ApiVersion.Minimum)
        {
            throw WherryException.Invalid(
                $"client version {text} is too old. Minimum supported API version is {ApiVersion.Minimum}, please upgrade your client to a newer version");
        }

        return new VersionedPath(version, path[end..]);
    }
}
