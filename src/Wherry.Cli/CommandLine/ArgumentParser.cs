namespace Wherry.Cli.CommandLine;

/// <summary>
/// Reads command lines as Docker's users type them, with Docker's words for what is wrong. A parser of our own: the
/// grammar is small, unlike what command line libraries offer (options end at the image's name, so that
/// <c>run busybox ls -l</c> gives <c>-l</c> to <c>ls</c>; a value may start with a dash; early Docker documentation
/// writes long options with one dash), and a library would cost a quarter of the time <c>wherry ps</c> takes.
/// A single dash introduces a long option only where the word is that option's whole name and can't be read as a
/// cluster of flags (<c>-it</c>, <c>-aq</c>, <c>-all</c> stay clusters).
/// </summary>
internal sealed class ArgumentParser(CliCommand command)
{
    private readonly ParsedArguments _parsed = new();

    /// <exception cref="UsageException">An option is unknown, lacks its value, or has one that it can't take.</exception>
    internal ParsedArguments Parse(ReadOnlySpan<string> words)
    {
        var index = 0;
        if (command.TakesWordsAsTheyAre)
        {
            _parsed.Arguments.AddRange(words);
            return _parsed;
        }

        while (index < words.Length)
        {
            var word = words[index++];
            if (word == "--")
            {
                _parsed.Arguments.AddRange(words[index..]);
                break;
            }

            if (word.Length < 2 || word[0] != '-')
            {
                _parsed.Arguments.Add(word);
                if (command.OptionsEndAtFirstArgument)
                {
                    _parsed.Arguments.AddRange(words[index..]);
                    break;
                }

                continue;
            }

            if (word is "--help" || (word is "-h" && command.FindOption('h') is null))
            {
                _parsed.HelpRequested = true;
                break;
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

        return _parsed;
    }

    private int TakeLong(string word, ReadOnlySpan<string> words, int index)
    {
        var equals = word.IndexOf('=');
        var name = equals < 0 ? word : word[..equals];
        var option = command.FindOption(name) ?? throw new UsageException("unknown flag: " + name);
        if (option is FlagOption)
        {
            _parsed.Add(option, Truth(option, equals < 0 ? "true" : word[(equals + 1)..]));
            return index;
        }

        if (equals >= 0)
        {
            _parsed.Add(option, word[(equals + 1)..]);
            return index;
        }

        if (index == words.Length)
        {
            throw new UsageException("flag needs an argument: " + name);
        }

        _parsed.Add(option, words[index]);
        return index + 1;
    }

    private int TakeCluster(string word, ReadOnlySpan<string> words, int index)
    {
        for (var at = 1; at < word.Length; at++)
        {
            var option = command.FindOption(word[at]) ?? throw new UsageException($"unknown shorthand flag: '{word[at]}' in -{word[at..]}");
            var rest = word[(at + 1)..];
            if (option is FlagOption)
            {
                if (rest.StartsWith('='))
                {
                    _parsed.Add(option, Truth(option, rest[1..]));
                    return index;
                }

                _parsed.Add(option, "true");
                continue;
            }

            if (rest.Length > 0)
            {
                _parsed.Add(option, rest[0] == '=' ? rest[1..] : rest);
                return index;
            }

            if (index == words.Length)
            {
                throw new UsageException($"flag needs an argument: '{word[at]}' in -{word[at..]}");
            }

            _parsed.Add(option, words[index]);
            return index + 1;
        }

        return index;
    }

    private bool IsEarlySpelling(string word)
    {
        var equals = word.IndexOf('=');
        var name = equals < 0 ? word[1..] : word[1..equals];
        if (name.Length < 2 || command.FindOption("--" + name) is null)
        {
            return false;
        }

        foreach (var letter in name)
        {
            if (command.FindOption(letter) is not FlagOption)
            {
                return true;
            }
        }

        return false;
    }

    private static string Truth(Option option, string text) => text switch
    {
        "1" or "t" or "T" or "TRUE" or "true" or "True" => "true",
        "0" or "f" or "F" or "FALSE" or "false" or "False" => "false",
        _ => throw UsageException.InvalidValue(option.Display, text, $"strconv.ParseBool: parsing \"{text}\": invalid syntax"),
    };
}
