namespace Wherry.Shim.Oci.CommandLine;

/// <summary>
/// The options one command takes, and how its words are read: like runc's, one or two dashes alike, a value
/// after a space or an equals sign, options before the operands or, but for commands that end in a program's
/// own words, after them.
/// </summary>
/// <param name="usage">The command and its operands, for help.</param>
/// <param name="options">
/// Names separated by commas, the long one first; then nothing for a switch, <c>=</c> for one value, <c>=*</c>
/// for a value that may be given again; then, after a space, what it does.
/// </param>
public sealed class OptionTable(string usage, params string[] options)
{
    /// <summary>The first operand ends the options: what follows is a program's.</summary>
    public bool OperandsEndOptions { get; init; }

    /// <exception cref="UsageException">An option is unknown or lacks its value.</exception>
    public ParsedOptions Parse(ReadOnlySpan<string> words)
    {
        var parsed = new ParsedOptions();
        for (var i = 0; i < words.Length; i++)
        {
            var word = words[i];
            if (word == "--")
            {
                parsed.AddOperands(words[(i + 1)..]);
                break;
            }

            if (word.Length < 2 || word[0] != '-')
            {
                parsed.AddOperands(OperandsEndOptions ? words[i..] : words.Slice(i, 1));
                if (OperandsEndOptions)
                {
                    break;
                }

                continue;
            }

            var text = word.AsSpan(word[1] == '-' ? 2 : 1);
            var equals = text.IndexOf('=');
            var given = (equals < 0 ? text : text[..equals]).ToString();
            var (name, takesValue, repeats) = Find(given);
            var value = equals >= 0
                ? text[(equals + 1)..].ToString()
                : !takesValue ? "true" : ++i < words.Length ? words[i] : throw new UsageException($"flag needs an argument: -{given}");
            parsed.Set(name, value, repeats);
        }

        return parsed;
    }

    public string Help => $"Usage: {OciCommandLine.ProgramName} {usage}\n\nOptions:\n{string.Join('\n', options.Select(Line))}";

    private (string Name, bool TakesValue, bool Repeats) Find(string given)
    {
        if (given is "help" or "h")
        {
            return ("help", false, false);
        }

        foreach (var option in options)
        {
            var head = Head(option);
            var equals = head.IndexOf('=');
            var names = equals < 0 ? head : head[..equals];
            var comma = names.IndexOf(',');
            var name = comma < 0 ? names : names[..comma];
            if (name.Equals(given, StringComparison.Ordinal) || (comma >= 0 && names[(comma + 1)..].Equals(given, StringComparison.Ordinal)))
            {
                return (name.ToString(), equals >= 0, head.EndsWith("=*", StringComparison.Ordinal));
            }
        }

        throw new UsageException($"flag provided but not defined: -{given}");
    }

    private static ReadOnlySpan<char> Head(string option)
    {
        var space = option.IndexOf(' ');
        return space < 0 ? option : option.AsSpan(0, space);
    }

    private static string Line(string option)
    {
        var head = Head(option).ToString();
        var names = head.TrimEnd('*').TrimEnd('=').Split(',').Select(name => name.Length == 1 ? "-" + name : "--" + name);
        return $"  {string.Join(", ", names) + (head.Contains('=') ? " VALUE" : ""),-32}{option[head.Length..].Trim()}";
    }
}
