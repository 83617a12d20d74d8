using Microsoft.Extensions.Logging;

namespace Wherry.Daemon.Logging;

/// <summary>Brings what the HTTP server itself has to say into the engine's log; only from warnings up, it is talkative.</summary>
internal sealed class KestrelLog(LineLog log) : ILoggerFactory, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("there is one log");

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(Microsoft.Extensions.Logging.LogLevel logLevel) =>
        logLevel is >= Microsoft.Extensions.Logging.LogLevel.Warning and not Microsoft.Extensions.Logging.LogLevel.None;

    public void Log<TState>(
        Microsoft.Extensions.Logging.LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            var level = logLevel >= Microsoft.Extensions.Logging.LogLevel.Error ? LogLevel.Error : LogLevel.Warn;
            log.Write(level, exception is null ? formatter(state, exception) : $"{formatter(state, exception)}: {exception}");
        }
    }

    public void Dispose()
    {
        // The log outlives the server.
    }
}
