using System.Globalization;
using Wherry.Errors;

namespace Wherry.Daemon.Instance;

/// <summary>A file with this process's id, for those who signal it.</summary>
internal sealed class PidFile : IDisposable
{
    private readonly string _path;
    private readonly string _text;

    private PidFile(string path, string text)
    {
        _path = path;
        _text = text;
    }

    /// <exception cref="WherryException">The file names a process that lives and is an engine.</exception>
    public static PidFile Create(string path)
    {
        if (ReadLiving(path) is { } pid)
        {
            throw WherryException.Conflict($"{path}: process {pid} is still running: stop it first, or choose another --pidfile");
        }

        var text = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text + "\n");
        return new PidFile(path, text);
    }

    public void Dispose()
    {
        try
        {
            if (File.ReadAllText(_path).Trim() == _text)
            {
                File.Delete(_path);
            }
        }
        catch (IOException)
        {
            // It is already gone.
        }
    }

    /// <summary>The process the file names, if it runs the same program as this one; ids are reused.</summary>
    private static int? ReadLiving(string path)
    {
        if (!File.Exists(path)
            || !int.TryParse(File.ReadAllText(path).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
            || pid == Environment.ProcessId)
        {
            return null;
        }

        return NameOfRunning(pid) is { } name && name == NameOfRunning(Environment.ProcessId) ? pid : null;
    }

    /// <summary>The program's name; null for a process that is gone, or dead and merely not yet reaped (proc(5), stat).</summary>
    private static string? NameOfRunning(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            var end = stat.LastIndexOf(')');
            return stat[end + 2] is 'Z' or 'X' ? null : stat[(stat.IndexOf('(') + 1)..end];
        }
        catch (IOException)
        {
            return null;
        }
    }
}
