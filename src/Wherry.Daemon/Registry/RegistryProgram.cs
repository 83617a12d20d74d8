using Wherry.Daemon.Logging;
using Wherry.Errors;

namespace Wherry.Daemon.Registry;

/// <summary><c>wherryd registry serve</c>: the same binary as a registry, which needs no root.</summary>
internal static class RegistryProgram
{
    /// <param name="arguments">What follows <c>registry</c>.</param>
    public static async Task<int> RunAsync(string[] arguments)
    {
        RegistryCommandLine commandLine;
        try
        {
            if (arguments is [] or ["--help" or "-h", ..])
            {
                Console.Out.Write(RegistryCommandLine.Usage());
                return 0;
            }

            commandLine = arguments[0] == "serve"
                ? RegistryCommandLine.Parse(arguments[1..])
                : throw WherryException.Invalid($"unknown command: registry {arguments[0]}");
            if (commandLine.ShowHelp)
            {
                Console.Out.Write(RegistryCommandLine.Usage());
                return 0;
            }
        }
        catch (WherryException wrong)
        {
            Console.Error.Write($"wherry registry: {wrong.Message}\nSee 'wherry registry serve --help'.\n");
            return 1;
        }

        var log = new LineLog(Console.OpenStandardError(), commandLine.Options.LogLevel);
        try
        {
            await new RegistryDaemon(commandLine.Options, log).RunAsync().ConfigureAwait(false);
            return 0;
        }
        catch (OperationCanceledException)
        {
            return 0; // asked to stop before it had begun
        }
        catch (WherryException foreseen)
        {
            log.Write(LogLevel.Fatal, foreseen.Message);
            return 1;
        }
        catch (Exception defect)
        {
            log.Write(LogLevel.Fatal, $"the registry failed unexpectedly: {defect}");
            return 1;
        }
    }
}
