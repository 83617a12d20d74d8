using System.Text.Json;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Terminals;

namespace Wherry.Cli.Formatting;

/// <summary>
/// Shows the messages of long work (bootstrap, import, load) as they stream in. On a terminal one line per item is
/// kept up to date, with a bar where the total is known; elsewhere every new status is one line and counts are left
/// out. Standard error is used, so that standard output holds results only.
/// </summary>
internal sealed class Progress(StandardStreams streams, bool quiet)
{
    private const int BarWidth = 30;

    private readonly bool _live = streams.ErrorIsTerminal && !quiet;
    private readonly List<string> _items = [];
    private readonly Dictionary<string, string> _last = new(StringComparer.Ordinal);

    /// <summary>Reads messages until the stream ends. Each line of the engine's plain output goes to <paramref name="onText"/>.</summary>
    /// <exception cref="CliException">The engine reported that the work failed.</exception>
    internal void Follow(Stream messages, Action<string> onText)
    {
        using var reader = new StreamReader(messages);
        while (reader.ReadLine() is { } line)
        {
            if (line.Length == 0)
            {
                continue;
            }

            using var document = Parse(line);
            var message = document.RootElement;
            if (message.Text("error") is { Length: > 0 } error)
            {
                throw new CliException(message.Text("errorDetail", "message") is { Length: > 0 } detail ? detail : error);
            }

            if (message.Text("stream") is { Length: > 0 } text)
            {
                onText(text);
            }
            else if (message.Text("status") is { Length: > 0 } status)
            {
                Show(message.Text("id"), status, message, onText);
            }
        }
    }

    private static JsonDocument Parse(string line)
    {
        try
        {
            return JsonDocument.Parse(line);
        }
        catch (JsonException)
        {
            throw new CliException("the engine's progress is not the JSON it should be");
        }
    }

    private void Show(string id, string status, JsonElement message, Action<string> onText)
    {
        if (id.Length == 0 && !message.TryGetProperty("progressDetail", out _))
        {
            onText(status + "\n"); // A result: the digest of what was made.
            return;
        }

        if (quiet)
        {
            return;
        }

        var current = message.Number("progressDetail", "current");
        var total = message.Number("progressDetail", "total");
        if (_live)
        {
            Redraw(id, status, current, total);
        }
        else if (!_last.TryGetValue(id, out var before) || !string.Equals(before, status, StringComparison.Ordinal))
        {
            _last[id] = status;
            streams.ErrorText.WriteLine(id.Length == 0 ? status : $"{id}: {status}");
        }
    }

    private void Redraw(string id, string status, long current, long total)
    {
        var text = id.Length == 0 ? status : $"{id}: {status}";
        if (total > 0)
        {
            var filled = (int)Math.Clamp(current * BarWidth / total, 0, BarWidth);
            text += $" [{new string('=', filled)}{(filled < BarWidth ? ">" : "")}{new string(' ', Math.Max(0, BarWidth - filled - 1))}] {Units.Size(current)}/{Units.Size(total)}";
        }
        else if (current > 0)
        {
            text += $" {Units.Size(current)}";
        }

        var width = (TerminalSize.Of(2)?.Width ?? 80) - 1;
        if (text.Length > width)
        {
            text = text[..width];
        }

        var line = _items.IndexOf(id);
        if (line < 0)
        {
            _items.Add(id);
            streams.ErrorText.WriteLine(text);
            return;
        }

        var up = _items.Count - line;
        streams.ErrorText.Write($"\e[{up}A\r{text}\e[K\e[{up}B\r");
    }
}
