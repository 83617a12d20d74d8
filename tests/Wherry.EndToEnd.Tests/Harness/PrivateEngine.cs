using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace Wherry.EndToEnd.Tests.Harness;

/// <summary>
/// An engine of the test's own, with its own directories, socket, bridge, rules and cgroup. It can be killed
/// and started again; disposing ends it and removes all it ever made on the host.
/// </summary>
public sealed class PrivateEngine : IAsyncDisposable
{
    private readonly EngineSlot _slot;
    private readonly bool _ownsSlot;
    private Process? _process;

    private PrivateEngine(EngineSlot slot, bool ownsSlot, string dataRoot)
    {
        _slot = slot;
        _ownsSlot = ownsSlot;
        DataRoot = dataRoot;
    }

    public string DataRoot { get; }

    public string ExecRoot => _slot.ExecRoot;

    public string Bridge => _slot.Bridge;

    public string Table => _slot.Table;

    public string Gateway => _slot.Gateway;

    public string CgroupParent => _slot.CgroupParent;

    public string SocketPath => $"{ExecRoot}/wherry.sock";

    public string Host => $"unix://{SocketPath}";

    public string LogPath => $"{DataRoot}.log";

    public int ProcessId => _process?.Id ?? throw new InvalidOperationException("the engine is not running");

    /// <summary>More options for wherryd, taken at the next start.</summary>
    public IReadOnlyList<string> ExtraOptions { get; set; } = [];

    /// <summary>Variables set, or with null removed, at the next start.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; set; } = new Dictionary<string, string?>();

    /// <summary>A command that takes wherryd's command line as its last arguments and becomes it, to take something away from it first.</summary>
    public IReadOnlyList<string> Wrapper { get; init; } = [];

    /// <summary>An engine that the command makes of itself.</summary>
    public static async Task<PrivateEngine> StartWrappedAsync(params string[] wrapper)
    {
        var slot = EngineSlot.Take();
        var engine = new PrivateEngine(slot, ownsSlot: true, slot.DataRoot) { Wrapper = wrapper };
        await engine.PurgeAsync();
        await engine.StartAsync();
        return engine;
    }

    public static async Task<PrivateEngine> StartNewAsync(params string[] extraOptions)
    {
        var slot = EngineSlot.Take();
        var engine = new PrivateEngine(slot, ownsSlot: true, slot.DataRoot) { ExtraOptions = extraOptions };
        await engine.PurgeAsync(); // what a killed test run may have left under this number
        await engine.StartAsync();
        return engine;
    }

    /// <summary>An engine whose data lie in a directory the caller made (and removes).</summary>
    public static async Task<PrivateEngine> StartInAsync(string dataRoot, params string[] extraOptions)
    {
        var engine = new PrivateEngine(EngineSlot.Take(), ownsSlot: true, dataRoot) { ExtraOptions = extraOptions };
        await engine.StartAsync();
        return engine;
    }

    public Client Client(string kind) => new(kind, this);

    public RestClient Rest() => new(SocketPath);

    public async Task StartAsync()
    {
        Directory.CreateDirectory(DataRoot);
        Directory.CreateDirectory(ExecRoot);
        string[] options =
        [
            "--data-root", DataRoot, "--exec-root", ExecRoot, "-H", Host, "--pidfile", $"{ExecRoot}/wherryd.pid",
            "--bridge", Bridge, "--bip", _slot.BridgeAddress, "--cgroup-parent", CgroupParent, .. ExtraOptions,
        ];

        // Through a shell, so that the log is a file of the engine's own: a pipe to us would end with us.
        var quoted = string.Join(' ', Wrapper.Append(Binaries.Wherryd).Concat(options).Select(option => $"'{option}'"));
        var start = new ProcessStartInfo("/bin/sh") { ArgumentList = { "-c", $"exec {quoted} </dev/null >>'{LogPath}' 2>&1" }, WorkingDirectory = "/" };
        foreach (var (name, value) in Environment)
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start) ?? throw new InvalidOperationException("wherryd did not start");
        for (var watch = Stopwatch.StartNew(); !await AnswersAsync(); await Task.Delay(20, CancellationToken.None))
        {
            if (_process.HasExited || watch.Elapsed > TimeSpan.FromMinutes(3))
            {
                Assert.Fail($"the engine {(_process.HasExited ? "ended" : "does not answer")}; its log:\n{Log()}");
            }
        }
    }

    /// <summary>kill -9: no chance to tidy anything.</summary>
    public async Task KillAsync()
    {
        var process = _process ?? throw new InvalidOperationException("the engine is not running");
        process.Kill();
        await process.WaitForExitAsync(CancellationToken.None);
        process.Dispose();
        _process = null;
    }

    /// <summary>SIGTERM, as the service manager does; fails if the engine does not end in time.</summary>
    public async Task<int> StopAsync()
    {
        var process = _process ?? throw new InvalidOperationException("the engine is not running");
        await Command.RunAsync("/bin/kill", "-TERM", process.Id.ToString(CultureInfo.InvariantCulture));
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            await KillAsync();
            Assert.Fail("the engine did not end within 20 s of SIGTERM\n" + Log());
        }

        var code = process.ExitCode;
        process.Dispose();
        _process = null;
        return code;
    }

    public async Task RestartAsync()
    {
        await KillAsync();
        await StartAsync();
    }

    /// <summary>The engine's last words, for a failure's report.</summary>
    public string Log(int lines = 60) =>
        File.Exists(LogPath) ? string.Join('\n', File.ReadLines(LogPath).TakeLast(lines)) : "(no log)";

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await KillAsync();
        }

        await PurgeAsync();
        if (_ownsSlot)
        {
            _slot.Dispose();
        }
    }

    /// <summary>Removes everything of this engine by the very script <c>make uninstall PURGE=1</c> uses.</summary>
    private async Task PurgeAsync()
    {
        var environment = new Dictionary<string, string?>
        {
            ["DATA_ROOT"] = DataRoot,
            ["EXEC_ROOT"] = ExecRoot,
            ["BRIDGE"] = Bridge,
            ["CGROUP_PARENT"] = CgroupParent,
        };
        (await Command.RunAsync(Path.Combine(Binaries.Repository, "eng/purge.sh"), [], environment, null, Command.DefaultTimeout)).Succeeded();
        if (File.Exists(LogPath))
        {
            File.Delete(LogPath);
        }
    }

    private async Task<bool> AnswersAsync()
    {
        if (_process!.HasExited)
        {
            Assert.Fail($"the engine ended with exit code {_process.ExitCode}\n{Log()}");
        }

        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath));
        }
        catch (SocketException)
        {
            return false;
        }

        using var rest = Rest();
        try
        {
            return (await rest.SendAsync(HttpMethod.Get, "/_ping")).Status == 200;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
