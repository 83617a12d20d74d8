using System.Globalization;
using System.Text;
using System.Text.Json;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Shim.Supervision;

namespace Wherry.Shim.Oci.CommandLine;

/// <summary>
/// What a caller reads when a command fails: the last line of the log file it named, in the form it named, as
/// runc writes it.
/// </summary>
public sealed class OciLog : IDisposable
{
    private const int ReadableByAll = 0x1a4; // 0644

    private readonly FileDescriptor? _file;
    private readonly bool _json;
    private readonly bool _debug;

    private OciLog(FileDescriptor? file, bool json, bool debug)
    {
        _file = file;
        _json = json;
        _debug = debug;
    }

    /// <summary>To standard error, as text.</summary>
    public static OciLog Default { get; } = new(null, json: false, debug: false);

    /// <exception cref="WherryException">The format is unknown or the file can't be written.</exception>
    public static OciLog Open(ParsedOptions parsed)
    {
        var json = parsed.Text("log-format") switch
        {
            null or "" or "text" => false,
            "json" => true,
            var other => throw WherryException.Invalid($"invalid log-format: {other}"),
        };
        var path = parsed.Text("log");
        var file = path is null or ""
            ? null
            : FileSyscalls.Open(path, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Append, ReadableByAll);
        return new OciLog(file, json, parsed.IsOn("debug"));
    }

    /// <summary>The caller has named a file.</summary>
    public bool HasFile => _file is not null;

    public void Debug(string message)
    {
        if (_debug)
        {
            Write("debug", message);
        }
    }

    public void Warning(string message) => Write("warning", message);

    /// <summary>Also to standard error, where callers that don't read the log look.</summary>
    public void Error(string message)
    {
        Write("error", message);
        if (_file is not null)
        {
            ConsoleText.WriteLine(2, message);
        }
    }

    public void Dispose() => _file?.Dispose();

    private void Write(string level, string message)
    {
        var time = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var line = _json
            ? $"{{\"level\":\"{level}\",\"msg\":{Quoted(message)},\"time\":\"{time}\"}}"
            : $"time=\"{time}\" level={level} msg={Quoted(message)}";
        if (_file is null)
        {
            ConsoleText.WriteLine(2, line);
        }
        else
        {
            // One write, so that lines of commands running at the same time don't mix.
            FileSyscalls.Write(_file.Number, Encoding.UTF8.GetBytes(line + "\n"));
        }
    }

    private static string Quoted(string text) => $"\"{JsonEncodedText.Encode(text, JsonText.Encoder)}\"";
}
