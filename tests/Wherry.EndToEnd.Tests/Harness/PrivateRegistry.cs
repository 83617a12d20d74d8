using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace Wherry.EndToEnd.Tests.Harness;

/// <summary>A registry of the test's own: a real process that can be killed and started again over the same root.</summary>
public sealed class PrivateRegistry : IAsyncDisposable
{
    private Process? _process;
    private string _error = "";

    private PrivateRegistry(string directory, string root, string[] options)
    {
        Directory = directory;
        Root = root;
        Options = options;
    }

    /// <summary>For the test's own files; removed at the end, with the root where it lies within.</summary>
    public string Directory { get; }

    public string Root { get; }

    public IReadOnlyList<string> Options { get; set; }

    public int Port { get; private set; }

    public string Host => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    public int ProcessId => _process?.Id ?? throw new InvalidOperationException("the registry is not running");

    public string Log => _error;

    public static Task<PrivateRegistry> StartNewAsync(params string[] options) => StartInAsync(null, options);

    /// <param name="root">Where content is kept; null for a directory of its own.</param>
    /// <param name="options">For <c>registry serve</c>.</param>
    public static async Task<PrivateRegistry> StartInAsync(string? root, params string[] options)
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("wherry-registry-e2e-").FullName;
        var registry = new PrivateRegistry(directory, root ?? Path.Combine(directory, "root"), options);
        await registry.StartAsync();
        return registry;
    }

    public async Task StartAsync()
    {
        // Through the command line, which becomes the registry; the kernel chooses a free port.
        var listening = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        _process = Command.Start(Binaries.Wherry, ["registry", "serve", "--listen", "127.0.0.1:0", "--root", Root, .. Options], null);
        _process.ErrorDataReceived += (_, line) =>
        {
            _error += line.Data + "\n";
            const string mark = "://127.0.0.1:";
            if (line.Data?.IndexOf(mark, StringComparison.Ordinal) is { } at and >= 0 && line.Data.Contains("listening on", StringComparison.Ordinal))
            {
                listening.TrySetResult(int.Parse(line.Data.AsSpan(at + mark.Length).TrimEnd('"'), NumberStyles.None, CultureInfo.InvariantCulture));
            }
            else if (line.Data is null)
            {
                listening.TrySetException(new InvalidOperationException("the registry ended: " + _error));
            }
        };
        _process.OutputDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        Port = await listening.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    /// <summary>As a crash does it.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
    }

    /// <summary>As the service manager does it; returns the exit code.</summary>
    public async Task<int> StopAsync()
    {
        await Command.RunAsync("kill", "-TERM", ProcessId.ToString(CultureInfo.InvariantCulture));
        await _process!.WaitForExitAsync(TestContext.Current.CancellationToken);
        return _process.ExitCode;
    }

    public HttpClient Http() => new() { BaseAddress = new Uri($"http://{Host}"), Timeout = TimeSpan.FromMinutes(2) };

    public Task<Socket> ConnectAsync() => ConnectAsync(Port);

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            await KillAsync();
        }

        _process?.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    private static async Task<Socket> ConnectAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync("127.0.0.1", port, TestContext.Current.CancellationToken);
        return socket;
    }
}
