using Wherry.Daemon.Logging;
using Wherry.Errors;

namespace Wherry.Daemon.Options;

/// <summary>Puts command line and configuration file together; neither overrides the other.</summary>
internal static class OptionSources
{
    public static DaemonOptions Combine(CommandLine commandLine)
    {
        var path = commandLine.ConfigFile ?? (File.Exists(ConfigFile.DefaultPath) ? ConfigFile.DefaultPath : null);
        return path is null
            ? Apply(new DaemonOptions(), commandLine.Given)
            : Combine(commandLine.Given, path, ConfigFile.Read(path));
    }

    internal static DaemonOptions Combine(
        IReadOnlyDictionary<OptionDefinition, List<string>> flags,
        string path,
        IReadOnlyDictionary<OptionDefinition, List<string>> file)
    {
        string[] conflicts =
        [
            .. from definition in OptionDefinition.All
               where flags.ContainsKey(definition) && file.ContainsKey(definition)
               select $"{definition.Name}: (from flag: {string.Join(", ", flags[definition])}, from file: {string.Join(", ", file[definition])})",
        ];
        if (conflicts.Length > 0)
        {
            throw WherryException.Invalid(
                $"configuration file {path}: the following directives are specified both as a flag and in the configuration file: {string.Join("; ", conflicts)}");
        }

        return Apply(Apply(new DaemonOptions(), file), flags);
    }

    private static DaemonOptions Apply(DaemonOptions options, IReadOnlyDictionary<OptionDefinition, List<string>> values)
    {
        foreach (var (definition, list) in values)
        {
            options = list.Aggregate(options, definition.Apply);
        }

        return options.Debug ? options with { LogLevel = LogLevel.Debug } : options;
    }
}
