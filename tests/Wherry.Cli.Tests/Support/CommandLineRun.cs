using System.Text;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Terminals;

namespace Wherry.Cli.Tests.Support;

/// <summary>A command line that was run inside the test's process, and what came of it.</summary>
internal sealed record CommandLineRun(int ExitCode, string Output, string Error)
{
    internal static CommandLineRun Of(string? address, string[] words, Dictionary<string, string>? environment = null, string input = "")
    {
        using var output = new MemoryStream();
        using var error = new MemoryStream();
        using var stdin = new MemoryStream(Encoding.UTF8.GetBytes(input));
        var streams = new StandardStreams(stdin, output, error);
        environment = new Dictionary<string, string>(environment ?? [], StringComparer.Ordinal);
        if (address is not null)
        {
            environment["WHERRY_HOST"] = address;
        }

        var code = new Entry(streams, environment.GetValueOrDefault).Execute(words);
        return new CommandLineRun(code, Encoding.UTF8.GetString(output.ToArray()), Encoding.UTF8.GetString(error.ToArray()));
    }
}
