using System.Text;
using Wherry.Errors;

namespace Wherry.Runtime.Checkpoints;

/// <summary>What CRIU has logged, and why it failed.</summary>
public static class CriuLog
{
    private const int MostRead = 64 * 1024;
    private const int MostLines = 3;
    private const string Mark = "Error (";

    /// <summary>Adds to a failure of CRIU's where its log is, and what that says where the failure does not.</summary>
    public static WherryException Explain(CriuException failure, string path)
    {
        if (!File.Exists(path))
        {
            return failure;
        }

        var errors = failure.Message.Contains(Mark, StringComparison.Ordinal) ? "" : Errors(Tail(path));
        return WherryException.System($"{failure.Message}{(errors.Length > 0 ? ": " + errors : "")}; its log is {path}", failure);
    }

    /// <summary>The last lines that are errors, but for the one that says that there were some; empty if none are.</summary>
    internal static string Errors(string text)
    {
        var errors = text.Split('\n')
            .Where(line => line.Contains(Mark, StringComparison.Ordinal) && !line.Contains("FAILED", StringComparison.Ordinal))
            .Select(line => line[line.IndexOf(Mark, StringComparison.Ordinal)..].Trim())
            .ToArray();
        return errors.Length == 0 ? "" : string.Join("; ", errors.TakeLast(MostLines));
    }

    private static string Tail(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read);
        file.Seek(-Math.Min(file.Length, MostRead), SeekOrigin.End);
        var bytes = new byte[MostRead];
        return Encoding.UTF8.GetString(bytes, 0, file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false));
    }
}
