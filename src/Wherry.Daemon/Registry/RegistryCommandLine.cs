using System.Text;
using Wherry.Errors;

namespace Wherry.Daemon.Registry;

/// <summary>What the command line of <c>registry serve</c> says. Given options come after the file's and replace them.</summary>
internal sealed record RegistryCommandLine(RegistryDaemonOptions Options, bool ShowHelp)
{
    private const int HelpColumn = 32;

    public static RegistryCommandLine Parse(IReadOnlyList<string> arguments)
    {
        var given = new List<(RegistryOption Option, string Value)>();
        string? configFile = null;
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            if (argument is "--help" or "-h")
            {
                return new RegistryCommandLine(new RegistryDaemonOptions(), ShowHelp: true);
            }

            if (!argument.StartsWith("--", StringComparison.Ordinal))
            {
                throw WherryException.Invalid(argument.StartsWith('-') ? $"unknown flag: {argument}" : $"unexpected argument: {argument}");
            }

            var equals = argument.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? argument[2..] : argument[2..equals];
            var attached = equals < 0 ? null : argument[(equals + 1)..];
            if (name == "config")
            {
                configFile = attached ?? Next(arguments, ref i);
                continue;
            }

            var option = RegistryOption.All.FirstOrDefault(option => option.Name == name) ?? throw WherryException.Invalid($"unknown flag: --{name}");
            given.Add((option, attached ?? (option.IsSwitch ? "true" : Next(arguments, ref i))));
        }

        configFile ??= File.Exists(RegistryConfigFile.DefaultPath) ? RegistryConfigFile.DefaultPath : null;
        var options = configFile is null ? new RegistryDaemonOptions() : RegistryConfigFile.Read(configFile);
        if (given.Exists(pair => pair.Option.Name == "listen"))
        {
            options = options with { Listen = [] };
        }

        return new RegistryCommandLine(given.Aggregate(options, (sum, pair) => pair.Option.Apply(sum, pair.Value)), ShowHelp: false);
    }

    public static string Usage()
    {
        var text = new StringBuilder("Usage: wherry registry serve [OPTIONS]\n\nServe images to docker, podman, skopeo and wherry over the OCI distribution API.\n\nOptions:\n");
        foreach (var option in RegistryOption.All)
        {
            Append(text, option.Name, option.Value, option.Help);
        }

        Append(text, "config", "FILE", $"Options as JSON; also access rules and quotas by repository\n(default {RegistryConfigFile.DefaultPath}, where it exists)");
        Append(text, "help", null, "Print this text and quit");
        return text.ToString();
    }

    private static void Append(StringBuilder text, string name, string? value, string help)
    {
        var left = $"  --{name}{(value is null ? "" : " " + value)}";
        var lines = help.Split('\n');
        text.Append(left.PadRight(HelpColumn - 1)).Append(' ').Append(lines[0]).Append('\n');
        foreach (var line in lines.Skip(1))
        {
            text.Append(' ', HelpColumn).Append(line).Append('\n');
        }
    }

    private static string Next(IReadOnlyList<string> arguments, ref int i) => ++i < arguments.Count
        ? arguments[i]
        : throw WherryException.Invalid($"flag needs an argument: {arguments[i - 1]}");
}
