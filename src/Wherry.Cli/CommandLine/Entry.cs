using Wherry.Cli.Engine;
using Wherry.Cli.Terminals;

namespace Wherry.Cli.CommandLine;

/// <summary>From the process's arguments to its exit code.</summary>
internal sealed class Entry(StandardStreams streams, Func<string, string?> environment)
{
    private string? _host;

    internal static int Run(string[] words) => new Entry(new StandardStreams(), Environment.GetEnvironmentVariable).Execute(words);

    internal int Execute(string[] words)
    {
        var path = "wherry";
        try
        {
            var code = Dispatch(words, ref path);
            streams.Text.Flush();
            return code;
        }
        catch (BrokenPipeException)
        {
            return 141;
        }
        catch (CliException e)
        {
            streams.Text.Flush();
            if (!e.Silent)
            {
                ErrorText.Write(streams.ErrorText, e, path);
            }

            return e.ExitCode;
        }
        catch (EngineException e)
        {
            streams.Text.Flush();
            ErrorText.Write(streams.ErrorText, e);
            return 1;
        }
        catch (IOException e)
        {
            streams.Text.Flush();
            streams.ErrorText.WriteLine("wherry: " + e.Message);
            return 1;
        }
        catch (UnauthorizedAccessException e)
        {
            streams.Text.Flush();
            streams.ErrorText.WriteLine("wherry: " + e.Message);
            return 1;
        }
    }

    private int Dispatch(ReadOnlySpan<string> words, ref string path)
    {
        var index = TakeGlobalOptions(words, out var done);
        if (done is { } code)
        {
            return code;
        }

        if (index == words.Length)
        {
            HelpText.WriteOverview(streams.Text);
            return 0;
        }

        var name = words[index++];
        CommandEntry? entry;
        if (CommandCatalog.IsGroup(name))
        {
            if (index == words.Length || words[index] is "--help" or "-h")
            {
                HelpText.WriteGroup(streams.Text, name);
                return 0;
            }

            path = $"wherry {name}";
            entry = CommandCatalog.Find(name, words[index]) ?? throw UnknownCommand($"{name} {words[index]}", path);
            index++;
            path = $"wherry {name} {words[index - 1]}";
        }
        else
        {
            entry = CommandCatalog.Find(name) ?? throw UnknownCommand(name, "wherry");
            path = $"wherry {name}";
        }

        return Invoke(entry, words[index..], path);
    }

    private int Invoke(CommandEntry entry, ReadOnlySpan<string> words, string path)
    {
        var command = entry.Create();
        var parsed = new ArgumentParser(command).Parse(words);
        if (parsed.HelpRequested)
        {
            HelpText.WriteCommand(streams.Text, entry, command, path, TerminalSize.Of(1)?.Width ?? 80);
            return 0;
        }

        using var context = new CliContext(streams, new Lazy<EngineClient>(Connect), environment);
        var invocation = new Invocation(parsed, context);
        CheckArgumentCount(command, invocation.Arguments.Length, path);
        return command.Run(invocation);
    }

    private int TakeGlobalOptions(ReadOnlySpan<string> words, out int? done)
    {
        done = null;
        var index = 0;
        while (index < words.Length && words[index].StartsWith('-'))
        {
            var word = words[index++];
            if (word is "--help" or "-h")
            {
                HelpText.WriteOverview(streams.Text);
                done = 0;
                return index;
            }

            if (word is "--version" or "-v")
            {
                streams.Text.WriteLine($"Wherry version {About.VersionCommand.ClientVersion}");
                done = 0;
                return index;
            }

            if (word is "-H" or "--host")
            {
                _host = index < words.Length
                    ? words[index++]
                    : throw new UsageException(word == "-H" ? "flag needs an argument: 'H' in -H" : "flag needs an argument: --host");
            }
            else if (word.StartsWith("--host=", StringComparison.Ordinal))
            {
                _host = word["--host=".Length..];
            }
            else if (word.StartsWith("-H", StringComparison.Ordinal))
            {
                _host = word[2] == '=' ? word[3..] : word[2..];
            }
            else
            {
                throw word.StartsWith("--", StringComparison.Ordinal)
                    ? new UsageException("unknown flag: " + word)
                    : new UsageException($"unknown shorthand flag: '{word[1..2]}' in {word}");
            }
        }

        return index;
    }

    private EngineClient Connect()
    {
        var launcher = new EngineLauncher(streams.ErrorText);
        return new EngineClient(EngineAddress.Choose(_host, environment), launcher.Start);
    }

    private static void CheckArgumentCount(CliCommand command, int count, string path)
    {
        if (count >= command.MinimumArguments && count <= command.MaximumArguments)
        {
            return;
        }

        static string Plural(int number) => number == 1 ? "1 argument" : $"{number} arguments";

        var wanted = command switch
        {
            { MaximumArguments: 0 } => "accepts no arguments",
            _ when command.MinimumArguments == command.MaximumArguments => $"requires {Plural(command.MinimumArguments)}",
            _ when count < command.MinimumArguments => $"requires at least {Plural(command.MinimumArguments)}",
            _ => $"requires at most {Plural(command.MaximumArguments)}",
        };
        throw new UsageException($"'{path}' {wanted}", exitCode: 1);
    }

    private static UsageException UnknownCommand(string name, string path)
    {
        var known = CommandCatalog.Entries
            .SelectMany(static e => e.Short is { } s ? new[] { e.Path, s } : [e.Path])
            .Concat(CommandCatalog.Groups.Select(static g => g.Name));
        return new UsageException($"unknown command: wherry {name}", exitCode: 1)
        {
            Hint = Spelling.Closest(name, known) is { } closest ? $"Did you mean 'wherry {closest}'?" : $"Run '{path} --help' to see what there is.",
        };
    }
}
