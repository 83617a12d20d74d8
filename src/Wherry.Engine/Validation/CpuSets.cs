using System.Globalization;

namespace Wherry.Engine.Validation;

/// <summary>The kernel's list format for CPUs and memory nodes: <c>0-3,8</c> (cpuset(7)).</summary>
internal static class CpuSets
{
    /// <summary>More than any kernel has; keeps <c>0-4000000000</c> from being taken seriously.</summary>
    private const int Highest = 8191;

    public static bool TryParse(string text, out HashSet<int> numbers)
    {
        numbers = [];
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var ends = part.Split('-');
            if (ends.Length > 2
                || !int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
                || !int.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var last)
                || first > last || last > Highest)
            {
                return false;
            }

            for (var number = first; number <= last; number++)
            {
                numbers.Add(number);
            }
        }

        return true;
    }

    public static int Count(string text) => TryParse(text, out var numbers) ? numbers.Count : 0;
}
