using Wherry.Cli.Engine;

namespace Wherry.Cli.CommandLine;

/// <summary>How errors look: <c>wherry: message</c>, then a line that says what to do next where we know.</summary>
internal static class ErrorText
{
    internal static void Write(TextWriter error, CliException e, string path)
    {
        error.WriteLine("wherry: " + e.Message);
        if (e.Hint is { } hint)
        {
            error.WriteLine(hint);
        }
        else if (e is UsageException)
        {
            error.WriteLine($"Run '{path} --help' for more information.");
        }
    }

    internal static void Write(TextWriter error, EngineException e)
    {
        error.WriteLine("wherry: " + e.Message);
        if (HintFor(e) is { } hint)
        {
            error.WriteLine(hint);
        }
    }

    /// <summary>What to do next after an error of the engine; null where nothing useful can be said.</summary>
    internal static string? HintFor(EngineException e)
    {
        var message = e.Message;
        if (message.Contains('\n', StringComparison.Ordinal))
        {
            return null; // The engine has said what to do next itself.
        }

        bool Says(string text) => message.Contains(text, StringComparison.OrdinalIgnoreCase);

        return e.Status switch
        {
            404 when Says("no such image") || Says("image not known")
                => "Make it with 'wherry image bootstrap' (busybox, debian:SUITE, ubuntu:SUITE), or use 'wherry load' or 'wherry import'; 'wherry images' lists what is here.",
            404 when Says("no such container") => "'wherry ps -a' lists all containers.",
            404 when Says("no such volume") || Says("get ") && Says("volume") => "'wherry volume ls' lists all volumes.",
            404 when Says("no such exec") => "The program it ran has ended.",
            409 when Says("is already in use by container") => "Remove or rename that container, or choose another --name.",
            409 when Says("is not running") => "Start it with 'wherry start'.",
            409 when Says("is paused") => "Resume it with 'wherry unpause'.",
            409 when Says("container is running") || Says("remove a running container")
                => "Stop it first, or remove it by force with 'wherry rm -f'.",
            409 when Says("is using its referenced image") || Says("is being used by")
                => "Remove the container first, or use -f to untag the image only.",
            _ when Says("port is already allocated") || Says("address already in use")
                => "Publish another host port, or stop what holds this one.",
            _ => null,
        };
    }
}
