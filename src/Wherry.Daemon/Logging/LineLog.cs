using System.Globalization;
using System.Text;
using Wherry.Api.Http;

namespace Wherry.Daemon.Logging;

/// <summary>One line per event, <c>time=… level=… msg="…"</c>, in one write each so that lines never mix.</summary>
internal sealed class LineLog(Stream output, LogLevel threshold) : IRequestLog
{
    private readonly Lock _gate = new();

    public bool IsEnabled(LogLevel level) => level >= threshold;

    public void Write(LogLevel level, string message)
    {
        if (!IsEnabled(level))
        {
            return;
        }

        var line = new StringBuilder(message.Length + 64);
        line.Append(CultureInfo.InvariantCulture, $"time=\"{DateTime.UtcNow:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}\" level={level.Name()} msg=\"");
        AppendEscaped(line, message);
        line.Append("\"\n");
        var bytes = Encoding.UTF8.GetBytes(line.ToString());
        lock (_gate)
        {
            try
            {
                output.Write(bytes);
            }
            catch (IOException)
            {
                // Whoever read the log has gone; the engine goes on.
            }
        }
    }

    public void Info(string message) => Write(LogLevel.Info, message);

    public void Request(string method, string path, int status)
    {
        if (IsEnabled(LogLevel.Debug))
        {
            Write(LogLevel.Debug, string.Create(CultureInfo.InvariantCulture, $"{method} {path} {status}"));
        }
    }

    public void Broken(string method, string path, string message) => Write(LogLevel.Error, $"{method} {path} broke off: {message}");

    public void Defect(string method, string path, Exception exception) => Write(LogLevel.Error, $"{method} {path} failed unexpectedly: {exception}");

    /// <summary>What clients send ends up here: nothing of it may begin a new line or steer a terminal.</summary>
    private static void AppendEscaped(StringBuilder line, string message)
    {
        foreach (var c in message)
        {
            switch (c)
            {
                case '"' or '\\':
                    line.Append('\\').Append(c);
                    break;
                case '\n':
                    line.Append("\\n");
                    break;
                case '\t':
                    line.Append("\\t");
                    break;
                default:
                    if (char.IsControl(c))
                    {
                        line.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
                    }
                    else
                    {
                        line.Append(c);
                    }

                    break;
            }
        }
    }
}
