using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;

namespace Wherry.Cli.Containers;

/// <summary>
/// The exit code of a program that could not be started: 127 where it does not exist, 126 where it can't be executed,
/// 125 for any other error of the engine.
/// </summary>
internal static class StartFailure
{
    internal static CliException Describe(EngineException e) => new(e.Message, ExitCode(e.Message)) { Hint = ErrorText.HintFor(e) };

    internal static int ExitCode(string message)
    {
        bool Says(string text) => message.Contains(text, StringComparison.Ordinal);

        if (Says("executable file not found") || Says("no such file or directory") || Says("system cannot find the file specified"))
        {
            return 127;
        }

        return Says("permission denied") || Says("is a directory") || Says("not a directory") || Says("exec format error") ? 126 : 125;
    }
}
