using Wherry.Cli.CommandLine;

namespace Wherry.Cli.Parsing;

/// <summary>
/// The value of <c>-v</c>: <c>/container</c> (an anonymous volume) or <c>source:/container[:options]</c>. The engine
/// judges its parts; the command line only makes a relative source absolute, for it alone knows its directory.
/// </summary>
internal static class BindSpec
{
    /// <summary>Null for an anonymous volume, else what to put in <c>HostConfig.Binds</c>.</summary>
    internal static string? Parse(string text)
    {
        if (text.Length == 0)
        {
            throw new UsageException("invalid empty volume spec");
        }

        var colon = text.IndexOf(':');
        if (colon < 0 || text.Length <= 2)
        {
            return null;
        }

        if (text.Split(':').Any(static section => section.Length == 0))
        {
            throw new UsageException($"invalid spec: {text}: empty section between colons");
        }

        var source = text[..colon];
        return source.StartsWith('.') ? Path.GetFullPath(source) + text[colon..] : text;
    }
}
