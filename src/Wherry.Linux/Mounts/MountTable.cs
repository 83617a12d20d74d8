using System.Globalization;
using System.Text;
using Wherry.Linux.Files;

namespace Wherry.Linux.Mounts;

/// <summary>A line of a mount table (proc(5), "mountinfo").</summary>
/// <param name="Id">Of the mount, as statx(2) tells it too.</param>
/// <param name="Parent">The mount it lies on.</param>
/// <param name="Major">With <paramref name="Minor"/>, the file system's device.</param>
/// <param name="Minor">See there.</param>
/// <param name="Root">What of the file system it shows, as a path in that; other text where the file system names things its own way.</param>
/// <param name="Point">Where it is mounted, as seen from the process's root.</param>
/// <param name="Type">The file system's type.</param>
public sealed record MountEntry(ulong Id, ulong Parent, uint Major, uint Minor, string Root, string Point, string Type);

/// <summary>What is mounted in a process's mount namespace.</summary>
public static class MountTable
{
    private const int LargestTable = 16 * 1024 * 1024;
    private const int FieldsBeforeOptions = 6;

    /// <summary>The mounts a process sees; none if it has ended.</summary>
    public static IReadOnlyList<MountEntry> Of(int pid) =>
        Parse(FileSyscalls.TryReadText($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/mountinfo", LargestTable) ?? "");

    /// <summary>Reads a table; lines that are none are passed over.</summary>
    public static IReadOnlyList<MountEntry> Parse(string text)
    {
        var entries = new List<MountEntry>();
        foreach (var line in text.Split('\n'))
        {
            // id parent major:minor root point options [fields] - type source super-options
            var separator = line.IndexOf(" - ", StringComparison.Ordinal);
            var left = separator < 0 ? [] : line[..separator].Split(' ');
            if (left.Length < FieldsBeforeOptions || left[2].Split(':') is not [var major, var minor])
            {
                continue;
            }

            entries.Add(new MountEntry(
                ulong.Parse(left[0], CultureInfo.InvariantCulture),
                ulong.Parse(left[1], CultureInfo.InvariantCulture),
                uint.Parse(major, CultureInfo.InvariantCulture),
                uint.Parse(minor, CultureInfo.InvariantCulture),
                Unescape(left[3]),
                Unescape(left[4]),
                line[(separator + 3)..].Split(' ')[0]));
        }

        return entries;
    }

    // The kernel writes space, tab, newline and backslash as three octal digits behind a backslash.
    private static string Unescape(string field)
    {
        if (!field.Contains('\\'))
        {
            return field;
        }

        var text = new StringBuilder(field.Length);
        for (var i = 0; i < field.Length; i++)
        {
            if (field[i] == '\\' && i + 3 < field.Length)
            {
                text.Append((char)Convert.ToInt32(field.Substring(i + 1, 3), 8));
                i += 3;
            }
            else
            {
                text.Append(field[i]);
            }
        }

        return text.ToString();
    }
}
