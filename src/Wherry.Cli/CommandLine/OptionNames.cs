using System.CommandLine;

namespace Wherry.Cli.CommandLine;

/// <summary>The spellings of an option.</summary>
internal static class OptionNames
{
    /// <summary>The one-letter spelling (without its dash), if any.</summary>
    internal static char? Letter(Option option)
    {
        foreach (var alias in option.Aliases)
        {
            if (alias.Length == 2 && alias[0] == '-')
            {
                return alias[1];
            }
        }

        return null;
    }

    /// <summary>As Docker names an option in a message: <c>-m, --memory</c>.</summary>
    internal static string Display(Option option) => Letter(option) is { } letter ? $"-{letter}, {option.Name}" : option.Name;

    /// <summary>True where the option takes no value.</summary>
    internal static bool IsFlag(Option option) => option.ValueType == typeof(bool);

    internal static Option? Find(Command definition, ReadOnlySpan<char> spelling)
    {
        foreach (var option in definition.Options)
        {
            if (spelling.SequenceEqual(option.Name))
            {
                return option;
            }

            foreach (var alias in option.Aliases)
            {
                if (spelling.SequenceEqual(alias))
                {
                    return option;
                }
            }
        }

        return null;
    }
}
