using System.Text;

namespace Wherry.Cli.Completion;

/// <summary>The completion script for fish.</summary>
internal static class FishScript
{
    internal static string Compose(IReadOnlyList<CommandShape> tree)
    {
        var script = new StringBuilder();
        script.Append("""
            # fish completion for wherry. Load it with: wherry completion fish | source

            # Succeeds where the command (or group and command) given is the one being typed.
            function __wherry_using
                set -l words (commandline -opc)
                set -e words[1]
                set -l path
                set -l skip 0
                for word in $words
                    if test $skip -eq 1
                        set skip 0
                    else if contains -- $word -H --host
                        set skip 1
                    else if not string match -q -- '-*' $word
                        set -a path $word
                    end
                end
                if test (count $argv) -eq 0
                    test (count $path) -eq 0
                else
                    test (count $path) -ge (count $argv); and test "$path[1..$(count $argv)]" = "$argv"
                end
            end

            # Succeeds where the group given has been typed and no command after it.
            function __wherry_in_group
                set -l words (commandline -opc)
                test (count $words) -eq 2; and test "$words[2]" = "$argv[1]"
            end

            complete -c wherry -f
            complete -c wherry -n __wherry_using -s H -l host -x -d 'The address of the engine'
            complete -c wherry -n __wherry_using -s v -l version -d 'Print version'

            """);
        foreach (var (name, summary) in CommandTree.TopLevel(tree))
        {
            script.Append($"complete -c wherry -n __wherry_using -a {name} -d {Quote(summary)}\n");
        }

        foreach (var command in tree)
        {
            var condition = Quote($"__wherry_using {command.Path}");
            if (command.Group.Length > 0)
            {
                script.Append($"complete -c wherry -n {Quote($"__wherry_in_group {command.Group}")} -a {command.Name} -d {Quote(command.Summary)}\n");
            }

            foreach (var option in command.Options)
            {
                script.Append($"complete -c wherry -n {condition}");
                if (option.Letter is { } letter)
                {
                    script.Append($" -s {letter}");
                }

                script.Append($" -l {option.Name[2..]}{(option.TakesValue ? " -r" : "")} -d {Quote(option.Description)}\n");
            }

            if (CommandTree.Listing(command.Arguments) is { } listing)
            {
                script.Append($"complete -c wherry -n {condition} -a {Quote($"(wherry {listing.Replace("'", "\"", StringComparison.Ordinal)} 2>/dev/null)")}\n");
            }
            else if (CommandTree.Words(command.Arguments, tree) is { Length: > 0 } words)
            {
                script.Append($"complete -c wherry -n {condition} -a {Quote(words)}\n");
            }
            else if (command.Name is "import")
            {
                script.Append($"complete -c wherry -n {condition} -F\n");
            }
        }

        return script.ToString();
    }

    private static string Quote(string text) => $"'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";
}
