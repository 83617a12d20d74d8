using System.Text;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Contracts.Protocol;
using Wherry.Shim.Logs;

namespace Wherry.Shim.Supervision;

/// <summary>Writes <c>exit.json</c>, whole or not at all. By hand: a serializer would outweigh the rest of the supervisor.</summary>
public static class ExitRecordFile
{
    private const int OwnerOnly = 0x180;

    public static void Write(string directory, ExitRecord record)
    {
        var path = Path.Combine(directory, StateFiles.Exit);
        var unfinished = path + ".tmp";
        using (var file = FileSyscalls.Open(unfinished, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Truncate, OwnerOnly))
        {
            var bytes = Encoding.UTF8.GetBytes(Format(record));
            Syscall.Check(FileSyscalls.Write(file.Number, bytes), $"write {unfinished}");
        }

        File.Move(unfinished, path, overwrite: true);
    }

    /// <summary>The record as JSON, with the names <see cref="SandboxJson"/> reads.</summary>
    public static string Format(ExitRecord record)
    {
        var json = new StringBuilder();
        json.Append("{\"exitCode\":").Append(record.ExitCode)
            .Append(",\"oomKilled\":").Append(record.OomKilled ? "true" : "false")
            .Append(",\"finishedAt\":\"").Append(Time(record.FinishedAt)).Append('"');
        if (record.StartedAt is { } started)
        {
            json.Append(",\"startedAt\":\"").Append(Time(started)).Append('"');
        }

        json.Append(",\"error\":\"");
        foreach (var c in record.Error)
        {
            _ = c is '"' or '\\' ? json.Append('\\').Append(c) : c < ' ' ? json.Append($"\\u{(int)c:x4}") : json.Append(c);
        }

        return json.Append("\"}").ToString();
    }

    private static string Time(DateTimeOffset time)
    {
        Span<byte> text = stackalloc byte[40];
        return Encoding.ASCII.GetString(text[..LogTime.Format(time.UtcDateTime, text)]);
    }
}
