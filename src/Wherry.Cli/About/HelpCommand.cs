using Wherry.Cli.CommandLine;
using Wherry.Cli.Terminals;

namespace Wherry.Cli.About;

/// <summary><c>wherry help [COMMAND]</c>.</summary>
internal sealed class HelpCommand() : CliCommand("[COMMAND]", 0)
{
    internal override Completion.CompletionSource Completes => Completion.CompletionSource.Commands;

    internal override int Run(Invocation invocation)
    {
        switch (invocation.Arguments)
        {
            case []:
                HelpText.WriteOverview(invocation.Out);
                return 0;
            case [var group] when CommandCatalog.IsGroup(group):
                HelpText.WriteGroup(invocation.Out, group);
                return 0;
            default:
                var name = invocation.Arguments[0];
                var entry = (invocation.Arguments.Length > 1 ? CommandCatalog.Find(name, invocation.Arguments[1]) : null)
                    ?? CommandCatalog.Find(name)
                    ?? throw new UsageException($"unknown command: wherry {string.Join(' ', invocation.Arguments)}", 1) { Hint = "Run 'wherry --help' to see what there is." };
                HelpText.WriteCommand(
                    invocation.Out,
                    entry,
                    entry.Create(),
                    "wherry " + (entry.Short ?? entry.Path),
                    TerminalSize.Of(1)?.Width ?? 80);
                return 0;
        }
    }
}
