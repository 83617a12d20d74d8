using System.Text;

namespace Wherry.Daemon.Options;

/// <summary>The text of <c>--help</c>.</summary>
internal static class Usage
{
    private const int HelpColumn = 32;

    public static string Text()
    {
        var text = new StringBuilder("Usage: wherryd [OPTIONS]\n\nThe engine that runs containers and serves the Docker Engine API.\n\nOptions:\n");
        foreach (var option in OptionDefinition.All)
        {
            Append(text, option.Short, option.Name, option.Value, option.Help);
        }

        Append(text, null, "config-file", "FILE", $"Options as JSON (default {ConfigFile.DefaultPath}, where it exists)");
        Append(text, 'v', "version", null, "Print the version and quit");
        Append(text, 'h', "help", null, "Print this text and quit");
        text.Append("\nAs 'wherryd registry serve [OPTIONS]' the program is a registry: see its own --help.\n");
        return text.ToString();
    }

    private static void Append(StringBuilder text, char? letter, string name, string? value, string help)
    {
        var left = (letter is null ? "      --" : $"  -{letter}, --") + name + (value is null ? "" : " " + value);
        var lines = help.Split('\n');
        text.Append(left.PadRight(HelpColumn - 1)).Append(' ').Append(lines[0]).Append('\n');
        foreach (var line in lines.Skip(1))
        {
            text.Append(' ', HelpColumn).Append(line).Append('\n');
        }
    }
}
