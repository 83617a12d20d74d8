using System.Text.Json;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;
using Wherry.Cli.Formatting;

namespace Wherry.Cli.Files;

/// <summary><c>wherry diff</c>.</summary>
internal sealed class DiffCommand() : CliCommand("CONTAINER", 1, 1)
{
    internal override Completion.CompletionSource Completes => Completion.CompletionSource.Containers;

    internal override int Run(Invocation invocation)
    {
        using var document = invocation.Engine.Get($"/containers/{Query.Segment(invocation.Arguments[0])}/changes");
        Print(invocation.Out, document.RootElement);
        return 0;
    }

    /// <summary>One line per change: <c>C</c>, <c>A</c> or <c>D</c> and the path.</summary>
    internal static void Print(TextWriter output, JsonElement changes)
    {
        foreach (var change in changes.Items())
        {
            var letter = change.Number("Kind") switch { 0 => 'C', 1 => 'A', _ => 'D' };
            output.WriteLine($"{letter} {change.Text("Path")}");
        }
    }
}
