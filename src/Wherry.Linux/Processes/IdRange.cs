using System.Globalization;

namespace Wherry.Linux.Processes;

/// <summary>A range of ids (user_namespaces(7)).</summary>
/// <param name="Inside">The first id inside.</param>
/// <param name="Outside">The id outside that stands for it.</param>
/// <param name="Count">How many.</param>
public readonly record struct IdRange(uint Inside, uint Outside, uint Count)
{
    /// <summary>The id outside that stands for one inside; null when none does.</summary>
    public static uint? ToOutside(IReadOnlyList<IdRange> ranges, uint inside)
    {
        foreach (var (first, outside, count) in ranges)
        {
            if (inside >= first && inside - first < count)
            {
                return outside + (inside - first);
            }
        }

        return null;
    }

    /// <summary>The id inside that one outside stands for; null when there is none.</summary>
    public static uint? ToInside(IReadOnlyList<IdRange> ranges, uint outside)
    {
        foreach (var (inside, first, count) in ranges)
        {
            if (outside >= first && outside - first < count)
            {
                return inside + (outside - first);
            }
        }

        return null;
    }

    /// <summary>Reads a <c>uid_map</c> or <c>gid_map</c>; a process that has gone has none.</summary>
    public static IReadOnlyList<IdRange> Read(string path)
    {
        var ranges = new List<IdRange>();
        foreach (var line in (Files.FileSyscalls.TryReadText(path) ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var inside, var outside, var count])
            {
                ranges.Add(new IdRange(Number(inside), Number(outside), Number(count)));
            }
        }

        return ranges;
    }

    private static uint Number(string text) => uint.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
}
