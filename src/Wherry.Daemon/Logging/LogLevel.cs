namespace Wherry.Daemon.Logging;

/// <summary>From what is told to everybody to what stops the engine.</summary>
internal enum LogLevel
{
    Debug,
    Info,
    Warn,
    Error,
    Fatal,
}

/// <summary>The levels' names, as dockerd spells them.</summary>
internal static class LogLevels
{
    public static LogLevel? TryParse(string text) => text.ToLowerInvariant() switch
    {
        "debug" => LogLevel.Debug,
        "info" => LogLevel.Info,
        "warn" or "warning" => LogLevel.Warn,
        "error" => LogLevel.Error,
        "fatal" => LogLevel.Fatal,
        _ => null,
    };

    public static string Name(this LogLevel level) => level switch
    {
        LogLevel.Debug => "debug",
        LogLevel.Info => "info",
        LogLevel.Warn => "warning",
        LogLevel.Error => "error",
        _ => "fatal",
    };
}
