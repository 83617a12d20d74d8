using Wherry.Api.Contracts.Containers;

namespace Wherry.Cli.Parsing;

/// <summary>The value of <c>--ulimit</c>: <c>nofile=1024[:2048]</c>.</summary>
internal static class UlimitSpec
{
    private static readonly string[] Names =
    [
        "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice",
        "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack",
    ];

    internal static Ulimit Parse(string text)
    {
        var equals = text.IndexOf('=');
        if (equals < 0 || equals == text.Length - 1)
        {
            throw new FormatException("invalid ulimit argument: " + text);
        }

        var name = text[..equals];
        if (!Names.Contains(name))
        {
            throw new FormatException("invalid ulimit type: " + name);
        }

        var limits = text[(equals + 1)..].Split(':');
        if (limits.Length > 2)
        {
            throw new FormatException($"too many limit value arguments - {text[(equals + 1)..]}, can only have up to two, `soft[:hard]`");
        }

        var soft = Numbers.ParseInteger(limits[0]);
        var hard = limits.Length == 2 ? Numbers.ParseInteger(limits[1]) : soft;
        if (hard != -1)
        {
            if (soft == -1)
            {
                throw new FormatException($"ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: {hard}");
            }

            if (soft > hard)
            {
                throw new FormatException($"ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}");
            }
        }

        return new Ulimit { Name = name, Soft = soft, Hard = hard };
    }
}
