using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;

namespace Wherry.Cli.Files;

/// <summary><c>wherry export</c>.</summary>
internal sealed class ExportCommand : CliCommand
{
    private readonly ValueOption _output;

    internal ExportCommand()
        : base("[OPTIONS] CONTAINER", 1, 1)
        => _output = Value("output", 'o', "string", "Write to a file, instead of STDOUT");

    internal override Completion.CompletionSource Completes => Completion.CompletionSource.Containers;

    internal override int Run(Invocation invocation)
    {
        var streams = invocation.Context.Streams;
        var path = invocation.Last(_output);
        if (path is null && streams.OutputIsTerminal)
        {
            throw new CliException("cowardly refusing to save to a terminal. Use the -o flag or redirect");
        }

        using var response = invocation.Engine.Send("GET", $"/containers/{Query.Segment(invocation.Arguments[0])}/export");
        if (path is null)
        {
            response.CopyTo(streams.Output, 128 * 1024);
        }
        else
        {
            ArchiveFile.Write(response, path, "failed to export container");
        }

        return 0;
    }
}
