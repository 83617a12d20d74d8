using System.Globalization;
using Wherry.Linux.Files;

namespace Wherry.Shim.Oci.Stats;

/// <summary>Reads the forms cgroup files come in. A file that is missing, as a kernel may lack it, counts as empty.</summary>
internal static class CgroupText
{
    public static string Read(string? directory, string file) => directory is null ? "" : FileSyscalls.TryReadText($"{directory}/{file}") ?? "";

    /// <summary>One number; <c>max</c> is all ones, nothing is 0.</summary>
    public static ulong Number(string? directory, string file) => Number(Read(directory, file).AsSpan().Trim());

    public static ulong Number(ReadOnlySpan<char> text) =>
        text is "max" or "-1" ? ulong.MaxValue : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    /// <summary>Lines of a name and a number.</summary>
    public static IReadOnlyList<(string Name, ulong Value)> Pairs(string? directory, string file)
    {
        var pairs = new List<(string, ulong)>();
        foreach (var line in Read(directory, file).Split('\n'))
        {
            var space = line.IndexOf(' ');
            if (space > 0)
            {
                pairs.Add((line[..space], Number(line.AsSpan(space + 1).Trim())));
            }
        }

        return pairs;
    }

    public static ulong Find(IReadOnlyList<(string Name, ulong Value)> pairs, string name)
    {
        foreach (var pair in pairs)
        {
            if (pair.Name == name)
            {
                return pair.Value;
            }
        }

        return 0;
    }

    /// <summary>Numbers between spaces.</summary>
    public static IReadOnlyList<ulong> Numbers(string text) =>
        [.. text.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Select(word => Number(word))];

    /// <summary>A list such as <c>0-3,7</c>.</summary>
    public static IReadOnlyList<ulong> Ranges(string text)
    {
        var numbers = new List<ulong>();
        foreach (var part in text.Trim().Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var dash = part.IndexOf('-');
            var first = Number(dash < 0 ? part : part.AsSpan(0, dash));
            var last = dash < 0 ? first : Number(part.AsSpan(dash + 1));
            for (var number = first; number <= last && numbers.Count < 65536; number++)
            {
                numbers.Add(number);
            }
        }

        return numbers;
    }
}
