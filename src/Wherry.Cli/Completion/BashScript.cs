using System.Text;
using Wherry.Cli.CommandLine;

namespace Wherry.Cli.Completion;

/// <summary>The completion script for bash. It needs nothing but bash itself.</summary>
internal static class BashScript
{
    internal static string Compose(IReadOnlyList<CommandShape> tree)
    {
        var script = new StringBuilder();
        script.Append("""
            # bash completion for wherry. Load it with: source <(wherry completion bash)

            _wherry_words() {
                local IFS=$' \t\n'
                COMPREPLY=($(compgen -W "$1" -- "$cur"))
            }

            # Offers names the engine knows. A colon splits words in bash, so what stands before it is taken off again.
            _wherry_list() {
                local IFS=$'\n'
                local full="$cur" prefix=""
                if [[ $COMP_WORDBREAKS == *:* ]]; then
                    local line="${COMP_LINE:0:COMP_POINT}"
                    full="${line##*[[:space:]]}"
                    prefix="${full%"$cur"}"
                fi
                COMPREPLY=($(compgen -W "$("${host[@]}" "$@" 2>/dev/null)" -- "$full"))
                COMPREPLY=("${COMPREPLY[@]#"$prefix"}")
            }

            _wherry() {
                local cur="${COMP_WORDS[COMP_CWORD]}"
                local host=(wherry) path="" group="" i=1 word skip=0 value=0 arguments=0
                COMPREPLY=()
                while ((i < COMP_CWORD)); do
                    word="${COMP_WORDS[i]}"
                    if ((skip)); then
                        skip=0
                    elif [[ -z $path && ( $word == -H || $word == --host ) ]]; then
                        host+=("$word" "${COMP_WORDS[i + 1]}")
                        skip=1
                    elif [[ -z $path && $word != -* ]]; then
                        case "$group$word" in

            """);
        script.Append("                @GROUPS@) group=\"$word \" ;;\n".Replace("@GROUPS@", string.Join('|', CommandCatalog.Groups.Select(static g => g.Name)), StringComparison.Ordinal));
        script.Append("""
                            *) path="$group$word" ;;
                        esac
                    elif [[ -n $path ]]; then
                        if [[ $word == -* ]]; then
                            _wherry_takes_value "$path" "$word" && skip=1
                        elif [[ $word != : && ${COMP_WORDS[i - 1]} != : ]]; then
                            arguments=$((arguments + 1))
                        fi
                    fi
                    i=$((i + 1))
                done
                if ((skip)); then
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return
                fi
                if [[ -z $path ]]; then
                    case "$group" in

            """);
        foreach (var (group, _) in CommandCatalog.Groups)
        {
            script.Append($"            '{group} ') _wherry_words '{Join(tree.Where(c => string.Equals(c.Group, group, StringComparison.Ordinal)).Select(static c => c.Name))}' ;;\n");
        }

        script.Append($"            *) _wherry_words '{Join(CommandTree.TopLevel(tree).Select(static c => c.Name))} --host --version --help' ;;\n");
        script.Append("""
                    esac
                    return
                fi
                case "$path" in

            """);
        foreach (var command in tree)
        {
            script.Append($"        '{command.Path}')\n");
            script.Append($"            if [[ $cur == -* ]]; then _wherry_words '{Join(command.Options.Select(static o => o.Name))}'");
            script.Append($"{Arguments(command, tree)}\n            fi ;;\n");
        }

        script.Append("""
                esac
            }

            _wherry_takes_value() {
                case "$1" in

            """);
        foreach (var command in tree)
        {
            var spellings = command.Options.Where(static o => o.TakesValue).SelectMany(static o => o.Letter is { } letter ? new[] { o.Name, $"-{letter}" } : [o.Name]).ToArray();
            if (spellings.Length > 0)
            {
                script.Append($"        '{command.Path}') case \"$2\" in {string.Join('|', spellings)}) return 0 ;; esac ;;\n");
            }
        }

        script.Append("""
                esac
                return 1
            }

            complete -F _wherry wherry

            """);
        return script.ToString();
    }

    private static string Arguments(CommandShape command, IReadOnlyList<CommandShape> tree)
    {
        var offer = CommandTree.Listing(command.Arguments) is { } listing
            ? $"_wherry_list {listing}"
            : CommandTree.Words(command.Arguments, tree) is { Length: > 0 } words ? $"_wherry_words '{words}'" : null;

        // After the image or container that is to run something, files are as good a guess as any.
        var single = command.Name is "run" or "create" or "exec" or "top";
        return (offer, single) switch
        {
            (null, _) => "\n            else COMPREPLY=($(compgen -f -- \"$cur\"))",
            (_, true) => $"\n            elif ((arguments == 0)); then {offer}\n            else COMPREPLY=($(compgen -f -- \"$cur\"))",
            _ => $"\n            else {offer}",
        };
    }

    private static string Join(IEnumerable<string> words) => string.Join(' ', words);
}
