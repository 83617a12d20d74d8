using System.Diagnostics;
using System.Globalization;

namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>Another's daemon, started by hand with directories of its own and ended by its process id.</summary>
public sealed class PrivateDaemon : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _log;

    private PrivateDaemon(Process process, string log)
    {
        _process = process;
        _log = log;
    }

    public string Log => File.Exists(_log) ? File.ReadAllText(_log) : "";

    /// <summary>Starts it, with its output in a file, and waits until it answers.</summary>
    public static async Task<PrivateDaemon> StartAsync(string log, Func<Task<bool>> answers, params string[] command)
    {
        var process = Command.Start("/bin/sh", ["-c", "log=$1; shift; exec \"$@\" >\"$log\" 2>&1", "sh", log, .. command], null);
        var daemon = new PrivateDaemon(process, log);
        try
        {
            await Eventually.TrueAsync(
                async () => process.HasExited ? throw new InvalidOperationException($"{command[0]} has ended:\n{daemon.Log}") : await answers(),
                $"{command[0]} answers",
                seconds: 60);
            return daemon;
        }
        catch
        {
            await daemon.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await Command.RunAsync("kill", "-TERM", _process.Id.ToString(CultureInfo.InvariantCulture));
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            try
            {
                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
            }
        }

        _process.Dispose();
    }
}
