using Wherry.Errors;

namespace Wherry.Daemon.Options;

/// <summary>What the command line says, before the configuration file has its word.</summary>
/// <param name="Given">Values by option, in the order given.</param>
/// <param name="ConfigFile">The configuration file asked for; null for the usual place.</param>
/// <param name="ShowHelp">Print the usage and end.</param>
/// <param name="ShowVersion">Print the version and end.</param>
internal sealed record CommandLine(IReadOnlyDictionary<OptionDefinition, List<string>> Given, string? ConfigFile, bool ShowHelp, bool ShowVersion)
{
    /// <summary>
    /// Reads <c>--name value</c>, <c>--name=value</c>, <c>-x value</c>, <c>-x=value</c>, <c>-xvalue</c>, and
    /// switches with or without <c>=true</c>.
    /// </summary>
    public static CommandLine Parse(IReadOnlyList<string> arguments)
    {
        var given = new Dictionary<OptionDefinition, List<string>>();
        string? configFile = null;
        bool help = false, version = false;
        for (var i = 0; i < arguments.Count; i++)
        {
            var (option, attached) = Split(arguments[i]);
            switch (option)
            {
                case "--help" or "-h":
                    help = true;
                    continue;
                case "--version" or "-v":
                    version = true;
                    continue;
                case "--config-file":
                    configFile = attached ?? Next(arguments, ref i);
                    continue;
            }

            var definition = Find(option)
                ?? throw WherryException.Invalid(option.StartsWith('-') ? $"unknown flag: {option}" : $"unexpected argument: {option}");
            var value = attached ?? (definition.IsSwitch ? "true" : Next(arguments, ref i));
            if (!given.TryGetValue(definition, out var values))
            {
                given[definition] = values = [];
            }

            values.Add(value);
        }

        return new CommandLine(given, configFile, help, version);
    }

    private static OptionDefinition? Find(string option) => option switch
    {
        ['-', '-', ..] => OptionDefinition.All.FirstOrDefault(definition => definition.Name == option[2..]),
        ['-', var letter] => OptionDefinition.All.FirstOrDefault(definition => definition.Short == letter),
        _ => null,
    };

    private static (string Option, string? Attached) Split(string argument)
    {
        var isLong = argument.StartsWith("--", StringComparison.Ordinal);
        if (!isLong && argument is ['-', _, _, ..])
        {
            return (argument[..2], argument[2] == '=' ? argument[3..] : argument[2..]);
        }

        var equals = argument.IndexOf('=');
        return isLong && equals > 0 ? (argument[..equals], argument[(equals + 1)..]) : (argument, null);
    }

    private static string Next(IReadOnlyList<string> arguments, ref int i) => ++i < arguments.Count
        ? arguments[i]
        : throw WherryException.Invalid($"flag needs an argument: {arguments[i - 1]}");
}
