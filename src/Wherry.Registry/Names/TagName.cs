namespace Wherry.Registry.Names;

/// <summary>The grammar of tags: <c>[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}</c>. What passes is safe as a file's name.</summary>
public static class TagName
{
    private const int LongestTag = 128;

    public static bool IsValid(ReadOnlySpan<char> tag)
    {
        if (tag.Length is 0 or > LongestTag || tag[0] is '.' or '-')
        {
            return false;
        }

        foreach (var c in tag)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '.' or '-'))
            {
                return false;
            }
        }

        return true;
    }
}
