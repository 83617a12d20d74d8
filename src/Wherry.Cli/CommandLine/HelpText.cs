using Wherry.Cli.Engine;

namespace Wherry.Cli.CommandLine;

/// <summary>Help in the layout Docker's users know.</summary>
internal static class HelpText
{
    private static readonly string[] Common = ["run", "exec", "ps", "images", "logs", "stop", "rm", "inspect", "version", "info"];

    internal static void WriteOverview(TextWriter output)
    {
        output.WriteLine("Usage:  wherry [OPTIONS] COMMAND");
        output.WriteLine();
        output.WriteLine("A container engine in C#");
        output.WriteLine();
        output.WriteLine("Common Commands:");
        WriteList(output, CommandCatalog.Entries.Where(static e => Common.Contains(e.Short ?? e.Path)).Select(static e => (e.Short ?? e.Path, e.Summary)));
        output.WriteLine();
        output.WriteLine("Management Commands:");
        WriteList(output, CommandCatalog.Groups);
        output.WriteLine();
        output.WriteLine("Commands:");
        WriteList(output, CommandCatalog.Entries
            .Where(static e => (e.Short ?? (e.Group.Length == 0 ? e.Path : null)) is { } name && !Common.Contains(name))
            .Select(static e => (e.Short ?? e.Path, e.Summary))
            .OrderBy(static e => e.Item1, StringComparer.Ordinal));
        output.WriteLine();
        output.WriteLine("Global Options:");
        output.WriteLine("  -H, --host string   The engine's address: unix:///path or tcp://host:port");
        output.WriteLine($"                      (also WHERRY_HOST, then DOCKER_HOST; default unix://{EngineAddress.DefaultSocket})");
        output.WriteLine("  -v, --version       Print version information and quit");
        output.WriteLine();
        output.WriteLine("Run 'wherry COMMAND --help' for more information on a command.");
    }

    internal static void WriteGroup(TextWriter output, string group)
    {
        output.WriteLine($"Usage:  wherry {group} COMMAND");
        output.WriteLine();
        output.WriteLine(CommandCatalog.Groups.First(g => string.Equals(g.Name, group, StringComparison.Ordinal)).Summary);
        output.WriteLine();
        output.WriteLine("Commands:");
        WriteList(output, CommandCatalog.Entries
            .Where(e => string.Equals(e.Group, group, StringComparison.Ordinal))
            .Select(static e => (e.Name, e.Summary))
            .OrderBy(static e => e.Name, StringComparer.Ordinal));
        output.WriteLine();
        output.WriteLine($"Run 'wherry {group} COMMAND --help' for more information on a command.");
    }

    /// <summary>Help on one command; descriptions are wrapped to the width (in cells).</summary>
    internal static void WriteCommand(TextWriter output, CommandEntry entry, CliCommand command, string path, int width)
    {
        output.WriteLine($"Usage:  {path} {command.Usage}".TrimEnd());
        output.WriteLine();
        output.WriteLine(entry.Summary);

        var names = Names(entry).ToArray();
        if (names.Length > 1)
        {
            output.WriteLine();
            output.WriteLine("Aliases:");
            output.WriteLine("  " + string.Join(", ", names));
        }

        var options = command.Options
            .Where(static o => !o.Hidden)
            .OrderBy(static o => o.Name, StringComparer.Ordinal)
            .Select(static o => (Left(o), o.Description))
            .ToArray();
        if (options.Length == 0)
        {
            return;
        }

        output.WriteLine();
        output.WriteLine("Options:");
        var column = options.Max(static o => o.Item1.Length) + 3;
        foreach (var (left, description) in options)
        {
            var first = true;
            foreach (var line in Wrap(description, Math.Max(24, width - column - 1)))
            {
                output.WriteLine((first ? left : "").PadRight(column) + line);
                first = false;
            }
        }
    }

    /// <summary>All the ways to call a command.</summary>
    private static IEnumerable<string> Names(CommandEntry entry)
    {
        yield return "wherry " + entry.Path;
        foreach (var alias in entry.Aliases)
        {
            yield return $"wherry {entry.Group} {alias}";
        }

        if (entry.Short is { } name)
        {
            yield return "wherry " + name;
        }
    }

    private static string Left(Option option)
    {
        var letter = option.Letter is { } l ? $"-{l}, " : "    ";
        var kind = option is ValueOption value ? " " + value.Kind : "";
        return $"  {letter}{option.Name}{kind}";
    }

    private static IEnumerable<string> Wrap(string text, int width)
    {
        var line = "";
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line;
                line = word;
            }
            else
            {
                line = line.Length == 0 ? word : $"{line} {word}";
            }
        }

        yield return line;
    }

    private static void WriteList(TextWriter output, IEnumerable<(string Name, string Summary)> entries)
    {
        foreach (var (name, summary) in entries)
        {
            output.WriteLine($"  {name,-11} {summary}");
        }
    }
}
