using System.CommandLine;

namespace Wherry.Cli.CommandLine;

/// <summary>
/// One command: its options and what it does. An instance is made only for the command that was invoked (or whose
/// help or completion is asked for), so that a command line of fifty commands costs no more than one of them.
/// </summary>
internal abstract class CliCommand
{
    private readonly Argument<string[]> _arguments = new("arguments") { Arity = ArgumentArity.ZeroOrMore };

    protected CliCommand(string usage, int minimum, int maximum = int.MaxValue)
    {
        Usage = usage;
        MinimumArguments = minimum;
        MaximumArguments = maximum;
        Definition.Add(_arguments);
    }

    /// <summary>What follows the command's name: <c>[OPTIONS] CONTAINER [CONTAINER...]</c>.</summary>
    internal string Usage { get; }

    internal int MinimumArguments { get; }

    internal int MaximumArguments { get; }

    /// <summary>True where everything after the first argument belongs to the program to be run.</summary>
    internal virtual bool OptionsEndAtFirstArgument => false;

    /// <summary>What an argument names, for shell completion.</summary>
    internal virtual Completion.CompletionSource Completes => Completion.CompletionSource.None;

    internal Command Definition { get; } = new("command");

    /// <summary>Does the work and returns the exit code.</summary>
    internal abstract int Run(Invocation invocation);

    internal Invocation Bind(ParseResult result, CliContext context) => new(result, result.GetValue(_arguments) ?? [], context);

    /// <summary>An option without a value (<c>--flag</c>, also <c>--flag=false</c>).</summary>
    protected Option<bool> Flag(string name, char? letter, string description)
    {
        var option = letter is { } l ? new Option<bool>("--" + name, "-" + l) : new Option<bool>("--" + name);
        option.Description = description;
        Definition.Add(option);
        return option;
    }

    /// <summary>An option with a value; given twice, the last one counts.</summary>
    protected Option<string[]> Value(string name, char? letter, string kind, string description)
    {
        var option = letter is { } l ? new Option<string[]>("--" + name, "-" + l) : new Option<string[]>("--" + name);
        option.Description = description;
        option.HelpName = kind;
        Definition.Add(option);
        return option;
    }

    /// <summary>An option that may be given several times.</summary>
    protected Option<string[]> List(string name, char? letter, string description, string kind = "list") => Value(name, letter, kind, description);

    /// <summary>A spelling of an option that works but is not advertised.</summary>
    protected static void AlsoSpelled(Option option, string name) => option.Aliases.Add("--" + name);

    protected static Option<T> Hidden<T>(Option<T> option)
    {
        option.Hidden = true;
        return option;
    }
}
