using System.Text.RegularExpressions;
using Wherry.Errors;

namespace Wherry.Images.References;

/// <summary>
/// A name of an image by Docker's grammar: <c>[domain/]path[:tag][@digest]</c>, kept in its full form.
/// </summary>
public sealed partial record ImageReference
{
    private const string DefaultDomain = "docker.io";
    private const string OfficialPath = "library/";
    private const int LongestName = 255;
    private const int LongestText = 4096;

    private ImageReference(string domain, string path, string? tag, string? digest)
    {
        Domain = domain;
        Path = path;
        Tag = tag;
        Digest = digest;
    }

    /// <summary>The registry: <c>docker.io</c> where none is named.</summary>
    public string Domain { get; }

    /// <summary>The repository within the registry: <c>library/debian</c>.</summary>
    public string Path { get; }

    public string? Tag { get; }

    /// <summary>Of a manifest.</summary>
    public string? Digest { get; }

    /// <summary>Domain and path: <c>docker.io/library/debian</c>.</summary>
    public string Repository => $"{Domain}/{Path}";

    /// <summary>The repository as people write it: <c>debian</c>.</summary>
    public string FamiliarRepository =>
        Domain != DefaultDomain ? Repository
        : Path.StartsWith(OfficialPath, StringComparison.Ordinal) && !Path.AsSpan(OfficialPath.Length).Contains('/') ? Path[OfficialPath.Length..]
        : Path;

    /// <summary>The whole as people write it.</summary>
    public string Familiar => FamiliarRepository + Suffix;

    private string Suffix => (Tag is null ? "" : ":" + Tag) + (Digest is null ? "" : "@" + Digest);

    /// <summary>The full form, by which the store knows it.</summary>
    public override string ToString() => Repository + Suffix;

    /// <summary>The reference with <c>:latest</c> where it has neither tag nor digest.</summary>
    public ImageReference WithDefaultTag() => Tag is null && Digest is null ? WithTag("latest") : this;

    public ImageReference WithTag(string tag) => new(Domain, Path, tag, null);

    /// <summary>The reference by digest alone: a digest says more than the tag beside it.</summary>
    public ImageReference WithDigest(string digest) => new(Domain, Path, null, digest);

    public static ImageReference Parse(string text)
    {
        if (text.Length is 0 or > LongestText)
            throw WherryException.Invalid("invalid reference format");
        if (Storage.Layers.Digests.IsHexDigest(text))
            throw WherryException.Invalid($"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings");
        var (domain, rest) = SplitDomain(text);
        var name = rest;
        if (name.IndexOf('@') is var at and >= 0)
            name = name[..at];
        if (name.IndexOf(':') is var colon and >= 0)
            name = name[..colon];
        if (name.Any(char.IsAsciiLetterUpper))
            throw WherryException.Invalid($"invalid reference format: repository name ({name}) must be lowercase");
        var match = Grammar().Match($"{domain}/{rest}");
        if (!match.Success)
            throw WherryException.Invalid("invalid reference format");
        if (match.Groups["name"].Length > LongestName)
            throw WherryException.Invalid($"repository name must not be more than {LongestName} characters");
        var digest = match.Groups["digest"] is { Success: true } found ? found.Value : null;
        if (digest is not null && !Storage.Layers.Digests.IsValid(digest))
            throw WherryException.Invalid(digest.StartsWith("sha256:", StringComparison.Ordinal) ? "invalid checksum digest length" : "unsupported digest algorithm");
        return new ImageReference(
            match.Groups["domain"].Value,
            match.Groups["path"].Value,
            match.Groups["tag"] is { Success: true } tag ? tag.Value : null,
            digest);
    }

    public static ImageReference? TryParse(string text)
    {
        try
        {
            return Parse(text);
        }
        catch (WherryException)
        {
            return null;
        }
    }

    /// <summary>The first component is a registry only when it looks like a host; else all of it is a path on Docker's.</summary>
    private static (string Domain, string Remainder) SplitDomain(string text)
    {
        var slash = text.IndexOf('/');
        var first = slash < 0 ? "" : text[..slash];
        var isHost = slash >= 0 && (first.AsSpan().ContainsAny('.', ':') || first == "localhost" || first.Any(char.IsAsciiLetterUpper));
        var (domain, rest) = isHost ? (first, text[(slash + 1)..]) : (DefaultDomain, text);
        if (domain == "index.docker.io")
            domain = DefaultDomain;
        if (domain == DefaultDomain && !rest.Contains('/'))
            rest = OfficialPath + rest;
        return (domain, rest);
    }

    // The grammar of distribution's reference package, anchored.
    [GeneratedRegex(
        """
        \A(?<name>
            (?<domain>(?:
                (?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*
                |\[[a-fA-F0-9:]+\])(?::[0-9]+)?)
            /(?<path>[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*))
        (?::(?<tag>[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}))?
        (?:@(?<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?\z
        """,
        RegexOptions.CultureInvariant | RegexOptions.IgnorePatternWhitespace | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Grammar();
}
