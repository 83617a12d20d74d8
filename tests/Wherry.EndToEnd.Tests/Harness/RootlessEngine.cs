using System.Diagnostics;
using System.Globalization;

namespace Wherry.EndToEnd.Tests.Harness;

/// <summary>An engine that an ordinary user runs. Disposing ends it with all that is his.</summary>
public sealed class RootlessEngine : IAsyncDisposable
{
    private Process? _process;

    private RootlessEngine(OrdinaryHost host) => Host = host;

    public OrdinaryHost Host { get; }

    /// <summary>The directory of the cgroup the engine is started in; null for the caller's own.</summary>
    public string? Cgroup { get; set; }

    public string DataRoot => Path.Combine(Host.Home, ".local/share/wherry");

    public string ExecRoot => Path.Combine(Host.RuntimeDirectory, "wherry");

    public string Address => $"unix://{ExecRoot}/wherry.sock";

    public string LogPath => Path.Combine(Host.Directory, "wherryd.log");

    public int ProcessId => _process!.Id;

    /// <summary>Options it is started with.</summary>
    public IReadOnlyList<string> Options { get; set; } = [];

    /// <summary>What the engine has said so far.</summary>
    public string Log() => File.Exists(LogPath) ? File.ReadAllText(LogPath) : "";

    /// <param name="host">Taken over.</param>
    /// <param name="cgroup">See <see cref="Cgroup"/>.</param>
    /// <param name="options">See <see cref="Options"/>.</param>
    public static async Task<RootlessEngine> StartOnAsync(OrdinaryHost host, string? cgroup = null, IReadOnlyList<string>? options = null)
    {
        var engine = new RootlessEngine(host) { Cgroup = cgroup, Options = options ?? [] };
        try
        {
            await engine.StartAsync();
            return engine;
        }
        catch
        {
            await engine.DisposeAsync();
            throw;
        }
    }

    public Client Client(string kind) => Host.Client(kind, Address);

    public async Task LoadBusyboxAsync()
    {
        // Root's own command reads the archive, which may lie where the user may not look.
        var archive = await BaseImages.ArchiveAsync(BaseImages.Busybox);
        await new Client(Clients.Wherry, Binaries.Wherry, Address).TextAsync("load", "-q", "-i", archive);
    }

    public async Task StartAsync()
    {
        var process = Host.Start(LogPath, Cgroup, [Host.Program("wherryd"), .. Options]);
        _process = process;
        await Eventually.TrueAsync(
            async () =>
            {
                Assert.False(process.HasExited, $"the engine ended; its log:\n{Log()}");
                return File.Exists($"{ExecRoot}/wherry.sock") && (await new Client(Clients.Wherry, Binaries.Wherry, Address).RunAsync("version")).ExitCode == 0;
            },
            "the user's engine answers",
            seconds: 120);
    }

    /// <summary>kill -9: no chance to tidy anything.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
        _process = null;
    }

    /// <summary>SIGTERM, as the service manager does.</summary>
    public async Task StopAsync()
    {
        await Command.RunAsync("/bin/kill", "-TERM", _process!.Id.ToString(CultureInfo.InvariantCulture));
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(0, _process.ExitCode);
        _process.Dispose();
        _process = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await KillAsync();
        }

        await Host.DisposeAsync();
    }
}
