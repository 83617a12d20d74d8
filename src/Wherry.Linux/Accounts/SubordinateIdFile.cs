using Wherry.Linux.Files;

namespace Wherry.Linux.Accounts;

/// <summary>A line of <c>/etc/subuid</c> or <c>/etc/subgid</c> (subuid(5)): who may use which ids in user namespaces.</summary>
/// <param name="Owner">A user's name, or his id.</param>
/// <param name="Range">As it is there; <c>FIRST:COUNT</c> where it makes sense.</param>
public readonly record struct SubordinateIdEntry(string Owner, string Range);

/// <summary>The two files that grant ids.</summary>
public static class SubordinateIdFile
{
    public const string Users = "/etc/subuid";
    public const string Groups = "/etc/subgid";

    /// <summary>A file's entries in order; none where there is no such file.</summary>
    public static IReadOnlyList<SubordinateIdEntry> Read(string path) => Parse(FileSyscalls.TryReadText(path) ?? "");

    public static IReadOnlyList<SubordinateIdEntry> Parse(string text)
    {
        var entries = new List<SubordinateIdEntry>();
        foreach (var line in text.Split('\n'))
        {
            if (line.Trim().Split(':', 2) is [var owner, var range])
            {
                entries.Add(new SubordinateIdEntry(owner, range.Trim()));
            }
        }

        return entries;
    }
}
