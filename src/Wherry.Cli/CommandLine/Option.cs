namespace Wherry.Cli.CommandLine;

/// <summary>An option of a command: its spellings and what help says about it.</summary>
internal abstract class Option(string name, char? letter, string description)
{
    /// <summary>The long spelling with its dashes.</summary>
    internal string Name { get; } = "--" + name;

    /// <summary>The letter of the short spelling, if any.</summary>
    internal char? Letter { get; } = letter;

    internal string Description { get; } = description;

    /// <summary>Another long spelling that works but is not advertised.</summary>
    internal string? AlsoSpelled { get; set; }

    /// <summary>Works, but is not shown in help and completion.</summary>
    internal bool Hidden { get; set; }

    /// <summary>As Docker names an option in a message: <c>-m, --memory</c>.</summary>
    internal string Display => Letter is { } letter ? $"-{letter}, {Name}" : Name;
}

/// <summary>An option without a value (<c>--flag</c>, also <c>--flag=false</c>).</summary>
internal sealed class FlagOption(string name, char? letter, string description) : Option(name, letter, description);

/// <summary>An option with a value; <paramref name="kind"/> is what help calls it.</summary>
internal sealed class ValueOption(string name, char? letter, string kind, string description) : Option(name, letter, description)
{
    internal string Kind { get; } = kind;
}
