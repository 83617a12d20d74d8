using System.Text;
using Wherry.Cli.CommandLine;

namespace Wherry.Cli.Completion;

/// <summary>The completion script for zsh.</summary>
internal static class ZshScript
{
    internal static string Compose(IReadOnlyList<CommandShape> tree)
    {
        var script = new StringBuilder();
        script.Append("""
            #compdef wherry
            # zsh completion for wherry. Put it into a folder of $fpath as _wherry, or: source <(wherry completion zsh)

            _wherry_list() {
                local -a names
                names=(${(f)"$(wherry $wherry_host "$@" 2>/dev/null)"})
                compadd -a names
            }


            """);
        foreach (var source in Enum.GetValues<CompletionSource>())
        {
            var body = CommandTree.Listing(source) is { } listing
                ? $"_wherry_list {listing}"
                : CommandTree.Words(source, tree) is { Length: > 0 } words ? $"compadd {words}" : "_files";
            script.Append($"_wherry_arg_{source} () {{ {body} }}\n");
        }

        script.Append('\n');
        foreach (var command in tree)
        {
            script.Append($"_wherry_cmd_{Identifier(command.Path)}() {{\n    _arguments -s \\\n");
            foreach (var option in command.Options)
            {
                script.Append("        ").Append(Specification(option)).Append(" \\\n");
            }

            var single = command.Name is "run" or "create" or "exec" or "top";
            script.Append(single
                ? $"        '1: :_wherry_arg_{command.Arguments}' '*:: :_normal'\n}}\n\n"
                : $"        '*: :_wherry_arg_{command.Arguments}'\n}}\n\n");
        }

        foreach (var (group, _) in CommandCatalog.Groups)
        {
            Dispatcher(script, $"_wherry_group_{group}", tree.Where(c => string.Equals(c.Group, group, StringComparison.Ordinal)).Select(static c => (c.Name, c.Summary, $"_wherry_cmd_{Identifier(c.Path)}")), globals: false);
        }

        Dispatcher(
            script,
            "_wherry",
            CommandTree.TopLevel(tree).Select(c => (c.Name, c.Summary, CommandCatalog.IsGroup(c.Name) ? $"_wherry_group_{c.Name}" : $"_wherry_cmd_{Identifier(c.Name)}")),
            globals: true);
        script.Append("""
            if [ "$funcstack[1]" = "_wherry" ]; then
                _wherry "$@"
            else
                compdef _wherry wherry
            fi

            """);
        return script.ToString();
    }

    private static void Dispatcher(StringBuilder script, string name, IEnumerable<(string Name, string Summary, string Function)> commands, bool globals)
    {
        var list = commands.ToArray();
        script.Append($"{name}() {{\n    local line state\n");
        if (globals)
        {
            script.Append("    local -a wherry_host\n");
            script.Append("    _arguments -C '(-H --host)'{-H,--host}'[the address of the engine]:address:' '(-v --version)'{-v,--version}'[print version]' '--help[print usage]' '1: :->command' '*::arg:->args'\n");
            script.Append("    [[ -n ${opt_args[--host]:-${opt_args[-H]}} ]] && wherry_host=(-H ${opt_args[--host]:-${opt_args[-H]}})\n");
        }
        else
        {
            script.Append("    _arguments -C '1: :->command' '*::arg:->args'\n");
        }

        script.Append("    case $state in\n        command)\n            local -a commands\n            commands=(\n");
        foreach (var (command, summary, _) in list)
        {
            script.Append($"                {Quote($"{command}:{summary}")}\n");
        }

        script.Append("            )\n            _describe command commands ;;\n        args)\n            case $line[1] in\n");
        foreach (var (command, _, function) in list)
        {
            script.Append($"                {command}) {function} ;;\n");
        }

        script.Append("            esac ;;\n    esac\n}\n\n");
    }

    private static string Specification(OptionShape option)
    {
        var text = Escape(option.Description);
        var value = option.TakesValue ? ":value:_files" : "";
        return option.Letter is { } letter
            ? $"{{-{letter},{option.Name}}}{Quote($"[{text}]{value}")}"
            : Quote($"{option.Name}[{text}]{value}");
    }

    private static string Escape(string text) => text.Replace("[", "\\[", StringComparison.Ordinal).Replace("]", "\\]", StringComparison.Ordinal).Replace(":", "\\:", StringComparison.Ordinal);

    private static string Quote(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static string Identifier(string path) => path.Replace(' ', '_');
}
