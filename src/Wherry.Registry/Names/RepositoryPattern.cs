namespace Wherry.Registry.Names;

/// <summary>
/// Which repositories a rule is about: a name in which <c>*</c> stands for any text within one component and
/// <c>**</c> for any text at all.
/// </summary>
public sealed record RepositoryPattern(string Text)
{
    public static RepositoryPattern All { get; } = new("**");

    public bool Matches(string name) => Matches(Text, name);

    private static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
    {
        // Iterative with one point to return to, as every later star supersedes the earlier ones, except that a
        // single star can't cross a slash; patterns are the administrator's and short.
        var star = pattern.IndexOf('*');
        if (star < 0)
        {
            return pattern.SequenceEqual(name);
        }

        if (!name.StartsWith(pattern[..star]))
        {
            return false;
        }

        name = name[star..];
        var crosses = star + 1 < pattern.Length && pattern[star + 1] == '*';
        var rest = pattern[(star + (crosses ? 2 : 1))..];
        for (var taken = 0; taken <= name.Length; taken++)
        {
            if (Matches(rest, name[taken..]))
            {
                return true;
            }

            if (taken < name.Length && name[taken] == '/' && !crosses)
            {
                return false;
            }
        }

        return false;
    }
}
