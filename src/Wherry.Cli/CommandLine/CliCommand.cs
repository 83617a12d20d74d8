
namespace Wherry.Cli.CommandLine;

/// <summary>
/// One command: its options and what it does. An instance is made only for the command that was invoked (or whose
/// help or completion is asked for), so that a command line of fifty commands costs no more than one of them.
/// </summary>
internal abstract class CliCommand
{
    private readonly List<Option> _options = [];

    protected CliCommand(string usage, int minimum, int maximum = int.MaxValue)
    {
        Usage = usage;
        MinimumArguments = minimum;
        MaximumArguments = maximum;
    }

    /// <summary>What follows the command's name: <c>[OPTIONS] CONTAINER [CONTAINER...]</c>.</summary>
    internal string Usage { get; }

    internal int MinimumArguments { get; }

    internal int MaximumArguments { get; }

    /// <summary>True where everything after the first argument belongs to the program to be run.</summary>
    internal virtual bool OptionsEndAtFirstArgument => false;

    /// <summary>True where all words, options included, belong to another program.</summary>
    internal virtual bool TakesWordsAsTheyAre => false;

    /// <summary>What an argument names, for shell completion.</summary>
    internal virtual Completion.CompletionSource Completes => Completion.CompletionSource.None;

    internal IReadOnlyList<Option> Options => _options;

    /// <summary>Does the work and returns the exit code.</summary>
    internal abstract int Run(Invocation invocation);

    /// <summary>The option with this long spelling (with its dashes).</summary>
    internal Option? FindOption(string name)
        => _options.Find(o => string.Equals(o.Name, name, StringComparison.Ordinal) || string.Equals(o.AlsoSpelled, name, StringComparison.Ordinal));

    internal Option? FindOption(char letter) => _options.Find(o => o.Letter == letter);

    /// <summary>An option without a value (<c>--flag</c>, also <c>--flag=false</c>).</summary>
    protected FlagOption Flag(string name, char? letter, string description)
    {
        var option = new FlagOption(name, letter, description);
        _options.Add(option);
        return option;
    }

    /// <summary>An option with a value; given twice, the last one counts.</summary>
    protected ValueOption Value(string name, char? letter, string kind, string description)
    {
        var option = new ValueOption(name, letter, kind, description);
        _options.Add(option);
        return option;
    }

    /// <summary>An option that may be given several times.</summary>
    protected ValueOption List(string name, char? letter, string description, string kind = "list") => Value(name, letter, kind, description);

    protected static T Hidden<T>(T option)
        where T : Option
    {
        option.Hidden = true;
        return option;
    }
}
