using System.CommandLine;

namespace Wherry.Cli.CommandLine;

/// <summary>
/// Translates the grammar Docker's users type into the one System.CommandLine reads. The two differ where it hurts:
/// <list type="bullet">
/// <item>options end at the image or container name, so that <c>run busybox ls -l</c> gives <c>-l</c> to <c>ls</c>;</item>
/// <item>a value may start with a dash (<c>--oom-score-adj -500</c>) and is never taken for an option;</item>
/// <item>flags take Go's spellings of true and false, and the last of several values counts;</item>
/// <item>early Docker documentation writes long options with one dash (<c>-name web</c>, <c>-privileged</c>).</item>
/// </list>
/// Everything is rewritten to <c>--name=value</c>, then <c>--</c>, then arguments, which leaves nothing to guess.
/// A single dash introduces a long option only where the word is that option's whole name and can't be read as a
/// cluster of flags (<c>-it</c>, <c>-aq</c>, <c>-all</c> stay clusters).
/// </summary>
internal sealed class ArgumentDialect(CliCommand command)
{
    private readonly List<string> _options = [];
    private readonly List<string> _arguments = [];
    private readonly Dictionary<Option, string> _flags = [];

    /// <summary>True where help was asked for.</summary>
    internal bool HelpRequested { get; private set; }

    internal string[] Translate(ReadOnlySpan<string> words)
    {
        var index = 0;
        while (index < words.Length)
        {
            var word = words[index++];
            if (word == "--")
            {
                _arguments.AddRange(words[index..]);
                break;
            }

            if (word.Length < 2 || word[0] != '-')
            {
                _arguments.Add(word);
                if (command.OptionsEndAtFirstArgument)
                {
                    _arguments.AddRange(words[index..]);
                    break;
                }

                continue;
            }

            if (word is "--help" || (word is "-h" && Find("-h") is null))
            {
                HelpRequested = true;
                return [];
            }

            if (word[1] == '-')
            {
                index = TakeLong(word, words, index);
            }
            else if (IsEarlySpelling(word))
            {
                index = TakeLong("-" + word, words, index);
            }
            else
            {
                index = TakeCluster(word, words, index);
            }
        }

        foreach (var (option, value) in _flags)
        {
            _options.Add($"{option.Name}={value}");
        }

        return [.. _options, "--", .. _arguments];
    }

    private int TakeLong(string word, ReadOnlySpan<string> words, int index)
    {
        var equals = word.IndexOf('=');
        var name = equals < 0 ? word : word[..equals];
        var option = Find(name) ?? throw new UsageException("unknown flag: " + name);
        if (OptionNames.IsFlag(option))
        {
            _flags[option] = Truth(option, equals < 0 ? "true" : word[(equals + 1)..]);
            return index;
        }

        if (equals >= 0)
        {
            Add(option, word[(equals + 1)..]);
            return index;
        }

        if (index == words.Length)
        {
            throw new UsageException("flag needs an argument: " + name);
        }

        Add(option, words[index]);
        return index + 1;
    }

    private int TakeCluster(string word, ReadOnlySpan<string> words, int index)
    {
        for (var at = 1; at < word.Length; at++)
        {
            var option = Find($"-{word[at]}") ?? throw new UsageException($"unknown shorthand flag: '{word[at]}' in -{word[at..]}");
            var rest = word[(at + 1)..];
            if (OptionNames.IsFlag(option))
            {
                if (rest.StartsWith('='))
                {
                    _flags[option] = Truth(option, rest[1..]);
                    return index;
                }

                _flags[option] = "true";
                continue;
            }

            if (rest.Length > 0)
            {
                Add(option, rest[0] == '=' ? rest[1..] : rest);
                return index;
            }

            if (index == words.Length)
            {
                throw new UsageException($"flag needs an argument: '{word[at]}' in -{word[at..]}");
            }

            Add(option, words[index]);
            return index + 1;
        }

        return index;
    }

    private bool IsEarlySpelling(string word)
    {
        var equals = word.IndexOf('=');
        var name = equals < 0 ? word.AsSpan(1) : word.AsSpan(1, equals - 1);
        if (name.Length < 2 || Find("--" + name.ToString()) is null)
        {
            return false;
        }

        foreach (var letter in name)
        {
            if (Find($"-{letter}") is not { } option || !OptionNames.IsFlag(option))
            {
                return true;
            }
        }

        return false;
    }

    private void Add(Option option, string value)
    {
        _options.Add(option.Name);
        // System.CommandLine drops an empty value after '=', and takes a value that looks like an option for one when
        // it stands alone: each is written the way it survives.
        if (value.Length == 0)
        {
            _options.Add(value);
        }
        else
        {
            _options[^1] += "=" + value;
        }
    }

    private static string Truth(Option option, string text) => text switch
    {
        "1" or "t" or "T" or "TRUE" or "true" or "True" => "true",
        "0" or "f" or "F" or "FALSE" or "false" or "False" => "false",
        _ => throw UsageException.InvalidValue(OptionNames.Display(option), text, $"strconv.ParseBool: parsing \"{text}\": invalid syntax"),
    };

    private Option? Find(ReadOnlySpan<char> spelling) => OptionNames.Find(command.Definition, spelling);
}
