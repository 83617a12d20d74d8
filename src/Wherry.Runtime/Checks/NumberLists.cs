using System.Globalization;
using Wherry.Errors;

namespace Wherry.Runtime.Checks;

/// <summary>Lists such as <c>0-3,7</c>, as the kernel writes processors and memory nodes (cpuset(7), "List format").</summary>
public static class NumberLists
{
    /// <summary>No machine has more processors or nodes (CONFIG_NR_CPUS).</summary>
    public const int Most = 8192;

    /// <summary>The list as a bit mask of 64-bit words.</summary>
    /// <exception cref="WherryException">Not such a list, or a number beyond all machines.</exception>
    public static ulong[] Parse(string text, string property)
    {
        var mask = new ulong[1];
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var dash = part.IndexOf('-');
            var first = Number(dash < 0 ? part : part[..dash], text, property);
            var last = dash < 0 ? first : Number(part[(dash + 1)..], text, property);
            if (last < first)
            {
                throw WherryException.Invalid($"{property}: \"{text}\" has a range that ends before it begins");
            }

            if (last / 64 >= mask.Length)
            {
                Array.Resize(ref mask, (last / 64) + 1);
            }

            for (var number = first; number <= last; number++)
            {
                mask[number / 64] |= 1UL << (number % 64);
            }
        }

        return mask;
    }

    private static int Number(string text, string whole, string property) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < Most
            ? number
            : throw WherryException.Invalid($"{property}: \"{whole}\" is not a list of numbers such as 0-3,7");
}
