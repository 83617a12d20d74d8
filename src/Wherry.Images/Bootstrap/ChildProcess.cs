using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Wherry.Errors;

namespace Wherry.Images.Bootstrap;

/// <summary>
/// A tool of the distribution run in a session and process group of its own, so that all it has started goes with
/// it when the work is cancelled.
/// </summary>
internal sealed partial class ChildProcess : IDisposable
{
    private const int SigTerm = 15;
    private const int SigKill = 9;
    private const int RememberedLines = 12;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly Process _process;
    private readonly Queue<string> _lastLines = new();
    private readonly Task _errors;
    private readonly string _name;

    private ChildProcess(Process process, string name, Action<string>? onLine)
    {
        _process = process;
        _name = name;
        _errors = ReadErrorsAsync(onLine);
    }

    /// <summary>The tool's standard output.</summary>
    internal Stream Output => _process.StandardOutput.BaseStream;

    /// <summary>The end of what it wrote to standard error.</summary>
    internal string LastLines
    {
        get
        {
            lock (_lastLines)
                return string.Join('\n', _lastLines);
        }
    }

    /// <param name="name">A program found in the usual system directories.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="environment">Variables beside a clean environment.</param>
    /// <param name="directory">Where it runs.</param>
    /// <param name="onLine">Told of each line it writes to standard error.</param>
    /// <param name="title">What errors call it; the program's name if null.</param>
    internal static ChildProcess Start(
        string name, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment, string directory, Action<string>? onLine, string? title = null)
    {
        var program = Find(name) ?? throw WherryException.Unsupported($"{name} is not installed on this host");
        // setsid(1) makes the session and then becomes the program, under the same process id.
        var setsid = Find("setsid") ?? throw WherryException.Unsupported("setsid is not installed on this host: apt-get install util-linux");
        var start = new ProcessStartInfo(setsid, [program, .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = directory,
        };
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        start.Environment["LC_ALL"] = "C.UTF-8";
        foreach (var (key, value) in environment)
            start.Environment[key] = value;
        var process = Process.Start(start) ?? throw WherryException.System($"start {name}: no process");
        process.StandardInput.Close();
        return new ChildProcess(process, title ?? name, onLine);
    }

    internal static string? Find(string name)
    {
        foreach (var directory in (ReadOnlySpan<string>)["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/bin"])
        {
            var path = Path.Combine(directory, name);
            if (File.Exists(path))
                return path;
        }
        return null;
    }

    /// <summary>Runs a tool to its end and gives what it wrote to standard output.</summary>
    internal static async Task<string> CaptureAsync(string name, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment, string directory, CancellationToken cancel)
    {
        using var child = Start(name, arguments, environment, directory, null);
        using var stopping = cancel.Register(child.Kill);
        using var reader = new StreamReader(child.Output, Encoding.UTF8);
        var output = await reader.ReadToEndAsync(cancel);
        await child.WaitAsync(cancel);
        return output;
    }

    /// <summary>Waits for the end; a failure is told with the tool's own last words.</summary>
    internal async Task WaitAsync(CancellationToken cancel)
    {
        await _process.WaitForExitAsync(cancel);
        await _errors;
        if (_process.ExitCode != 0)
            throw new ChildFailedException(_name, _process.ExitCode, LastLines);
    }

    /// <summary>Asks the whole group to end, which lets mmdebstrap undo its mounts, and kills what is left.</summary>
    internal void Kill()
    {
        // SAFETY: a negative id names the group that setsid made; the process is not reaped before disposal.
        if (_process.HasExited || Kill(-_process.Id, SigTerm) != 0)
            return;
        if (!_process.WaitForExit(Patience))
            _ = Kill(-_process.Id, SigKill);
    }

    public void Dispose()
    {
        Kill();
        _process.Dispose();
    }

    private async Task ReadErrorsAsync(Action<string>? onLine)
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            line = line.TrimEnd();
            if (line.Length == 0)
                continue;
            lock (_lastLines)
            {
                _lastLines.Enqueue(line.Length > 500 ? line[..500] : line);
                if (_lastLines.Count > RememberedLines)
                    _lastLines.Dequeue();
            }
            onLine?.Invoke(line);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}

/// <summary>A tool ended with a failure.</summary>
internal sealed class ChildFailedException(string name, int exitCode, string lastLines)
    : WherryException(ErrorKind.System, $"{name} failed with exit code {exitCode}:\n{lastLines}")
{
    internal string LastLines { get; } = lastLines;
}
