using System.Globalization;

namespace Wherry.Engine.Logs;

/// <summary>Which lines of a container's log a client wants.</summary>
public sealed record LogQuery
{
    /// <summary>Go on with new lines until the container has ended.</summary>
    public bool Follow { get; init; }

    public bool Stdout { get; init; }

    public bool Stderr { get; init; }

    /// <summary>Lines written at this moment or later.</summary>
    public TimeArgument? Since { get; init; }

    /// <summary>Lines written at this moment or earlier; a follower ends when it has passed.</summary>
    public TimeArgument? Until { get; init; }

    /// <summary>Begin each line with its time, nine digits of fraction.</summary>
    public bool Timestamps { get; init; }

    /// <summary>How many of the last lines; null is all.</summary>
    public int? Tail { get; init; }

    /// <summary>The API's <c>tail</c>: a number, or all for anything else.</summary>
    public static int? ParseTail(string? text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var lines) ? lines : null;
}
