using Wherry.Api.Http;
using Wherry.Daemon;
using Wherry.Daemon.Logging;
using Wherry.Daemon.Options;
using Wherry.Daemon.Registry;
using Wherry.Daemon.Rootless;
using Wherry.Engine.Hosts;
using Wherry.Errors;

if (args is ["registry", ..])
{
    return await RegistryProgram.RunAsync(args[1..]).ConfigureAwait(false);
}

DaemonOptions options;
try
{
    var commandLine = CommandLine.Parse(args);
    if (commandLine.ShowHelp || commandLine.ShowVersion)
    {
        Console.Out.Write(commandLine.ShowHelp ? Usage.Text() : $"wherryd version {SystemService.EngineVersion} (API {ApiVersion.Current})\n");
        return 0;
    }

    options = OptionSources.Combine(commandLine);
}
catch (WherryException wrong)
{
    Console.Error.Write($"wherryd: {wrong.Message}\nSee 'wherryd --help'.\n");
    return 1;
}

var log = new LineLog(Console.OpenStandardError(), options.LogLevel);
try
{
    var daemon = new EngineDaemon(options, log);
    if (!Environment.IsPrivilegedProcess)
    {
        RootlessEntry.Enter(options, args, log);
    }

    await daemon.RunAsync().ConfigureAwait(false);
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
    log.Write(LogLevel.Fatal, $"the engine failed unexpectedly: {defect}");
    return 1;
}
