using Wherry.Cli.CommandLine;

namespace Wherry.Cli.Files;

/// <summary>One end of a copy as it was named: <c>CONTAINER:PATH</c>, a local path, or <c>-</c>.</summary>
/// <param name="Container">Null for a local path.</param>
/// <param name="Path">As written.</param>
internal readonly record struct CopyEnd(string? Container, string Path)
{
    internal bool IsStream => Container is null && Path == "-";

    /// <summary>The name that the last component has in an archive; a dot where the path stands for what is inside.</summary>
    internal string Base => Path.EndsWith("/.", StringComparison.Ordinal) || Path == "." ? "."
        : Path.TrimEnd('/') is { Length: > 0 } trimmed ? trimmed[(trimmed.LastIndexOf('/') + 1)..] : "/";

    internal string Directory
    {
        get
        {
            var trimmed = Path.TrimEnd('/');
            return trimmed.LastIndexOf('/') switch { < 0 => Container is null ? "." : "/", 0 => "/", var slash => trimmed[..slash] };
        }
    }

    internal bool AssertsDirectory => Path.EndsWith('/') || Path.EndsWith("/.", StringComparison.Ordinal);

    /// <summary>A path that begins with a slash or a dot is local, whatever colons it has.</summary>
    internal static CopyEnd Parse(string text)
    {
        var colon = text.StartsWith('/') || text.StartsWith('.') ? -1 : text.IndexOf(':');
        if (colon < 0)
        {
            return new CopyEnd(null, text);
        }

        return colon == 0 || colon == text.Length - 1
            ? throw new CliException(colon == 0 ? $"{text}: a container is missing before the colon" : $"{text}: a path is missing after the colon")
            : new CopyEnd(text[..colon], text[(colon + 1)..]);
    }
}

/// <summary>What is at an end.</summary>
internal readonly record struct CopyPlace(bool Exists, bool IsDirectory);

/// <summary>Where a source goes: a directory that exists, and the name it gets there.</summary>
/// <param name="Directory">At the target's end.</param>
/// <param name="Name">Takes the place of the source's base name; null keeps it.</param>
internal readonly record struct CopyTarget(string Directory, string? Name)
{
    /// <summary>Docker's rules (<c>docker cp --help</c>), which are those of <c>cp -r</c>.</summary>
    internal static CopyTarget Choose(CopyEnd target, CopyPlace there, bool sourceIsDirectory)
    {
        if (there is { Exists: true, IsDirectory: true })
        {
            return new CopyTarget(target.Path, null);
        }

        if (there.Exists)
        {
            return sourceIsDirectory ? throw new CliException("cannot copy directory") : new CopyTarget(target.Directory, target.Base);
        }

        if (target.AssertsDirectory && !sourceIsDirectory)
        {
            throw new CliException($"no such directory: {target.Path}");
        }

        return new CopyTarget(target.Directory, target.Base);
    }
}
