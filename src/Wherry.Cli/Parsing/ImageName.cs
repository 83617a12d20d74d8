using Wherry.Cli.CommandLine;

namespace Wherry.Cli.Parsing;

/// <summary>Names of images. The engine judges them; the command line splits and abbreviates.</summary>
internal static class ImageName
{
    /// <summary>Splits <c>localhost:5000/repo:tag</c>; the tag is empty where there is none.</summary>
    internal static (string Repository, string Tag) Split(string name)
    {
        var colon = name.LastIndexOf(':');
        return colon > name.LastIndexOf('/') ? (name[..colon], name[(colon + 1)..]) : (name, "");
    }

    /// <summary>Splits a name that is about to be given to an image: the tag defaults to <c>latest</c>.</summary>
    internal static (string Repository, string Tag) ForTagging(string name)
    {
        if (name.Contains('@', StringComparison.Ordinal))
        {
            throw new CliException("cannot create a tag with a digest reference");
        }

        var (repository, tag) = Split(name);
        return (repository, tag.Length == 0 ? "latest" : tag);
    }

    /// <summary>The name with the tag that is meant where neither tag nor digest is given.</summary>
    internal static string InFull(string name) =>
        name.Contains('@', StringComparison.Ordinal) || Split(name).Tag.Length > 0 ? name : name + ":latest";

    /// <summary>Whether <c>wherry image bootstrap</c> may make an image of this name.</summary>
    internal static bool CanBeBootstrapped(string name) => Split(name) is ("busybox", "" or "latest") or ("debian" or "ubuntu", not "");

    /// <summary>The first twelve digits of an id.</summary>
    internal static string ShortId(string id)
    {
        var digits = id.IndexOf(':') is var colon and >= 0 ? id[(colon + 1)..] : id;
        return digits.Length > 12 ? digits[..12] : digits;
    }
}
