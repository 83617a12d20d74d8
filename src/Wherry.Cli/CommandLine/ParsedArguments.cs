namespace Wherry.Cli.CommandLine;

/// <summary>A command line taken apart: the values of each option in the order given, and what is not an option.</summary>
internal sealed class ParsedArguments
{
    private readonly Dictionary<Option, List<string>> _values = [];

    internal List<string> Arguments { get; } = [];

    /// <summary>True where help was asked for; then nothing after that was looked at.</summary>
    internal bool HelpRequested { get; set; }

    internal void Add(Option option, string value)
    {
        if (!_values.TryGetValue(option, out var values))
        {
            _values[option] = values = [];
        }

        values.Add(value);
    }

    internal IReadOnlyList<string> Values(Option option) => _values.TryGetValue(option, out var values) ? values : [];
}
