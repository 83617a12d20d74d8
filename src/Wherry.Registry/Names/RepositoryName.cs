namespace Wherry.Registry.Names;

/// <summary>
/// The grammar of repository names (distribution-spec, "Pulling manifests"):
/// <c>[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*</c>. What passes is also safe as a
/// relative path: no component is empty or begins with a dot or an underscore.
/// </summary>
public static class RepositoryName
{
    /// <summary>Characters. The specification lets registries bound names to what clients bound them to.</summary>
    public const int LongestName = 255;

    public static bool IsValid(ReadOnlySpan<char> name)
    {
        if (name.Length is 0 or > LongestName)
        {
            return false;
        }

        foreach (var range in name.Split('/'))
        {
            if (!IsComponent(name[range]))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsComponent(ReadOnlySpan<char> component)
    {
        var index = 0;
        while (true)
        {
            var word = component[index..].IndexOfAnyExcept(Alphanumeric);
            if (word == 0 || index == component.Length)
            {
                return false;
            }

            if (word < 0)
            {
                return true;
            }

            index += word;
            var separator = SeparatorLength(component[index..]);
            if (separator == 0)
            {
                return false;
            }

            index += separator;
        }
    }

    private static int SeparatorLength(ReadOnlySpan<char> text) => text[0] switch
    {
        '.' => 1,
        '_' => text.Length > 1 && text[1] == '_' ? 2 : 1,
        '-' => text.IndexOfAnyExcept('-') is var end and >= 0 ? end : text.Length,
        _ => 0,
    };

    private static readonly System.Buffers.SearchValues<char> Alphanumeric = System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789");
}
