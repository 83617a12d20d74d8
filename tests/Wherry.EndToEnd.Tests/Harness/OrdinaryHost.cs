using System.Diagnostics;
using System.Globalization;

namespace Wherry.EndToEnd.Tests.Harness;

/// <summary>
/// A host with an ordinary user, for engines and runtimes without root: mounts and a network of its own, so that neither
/// the real host's accounts nor its network are touched. It goes, with all that runs in it, when it is disposed.
/// </summary>
public sealed class OrdinaryHost : IAsyncDisposable
{
    private const int SubordinateIds = 65536;

    /// <summary>An address of this host that is not its loopback's; 198.18.0.0/15 is set aside for tests (RFC 2544).</summary>
    public const string Address = "198.19.254.1";

    private const string UserName = "wherry-e2e";

    // Its number makes the ids nobody else's, neither the real host's nor another test's.
    private readonly EngineSlot _slot = EngineSlot.Take();
    private Process? _process;

    private OrdinaryHost()
    {
    }

    public int Uid => 51_000 + _slot.Number;

    public int FirstSubordinateId => 1_700_000_000 + (SubordinateIds * _slot.Number);

    /// <summary>Root's; the user may look into it, and so into all above it, which other tests' directories don't promise.</summary>
    public string Directory => $"/var/tmp/wherry-e2e-users/{Text(_slot.Number)}";

    public string Home => Path.Combine(Directory, "home");

    public string RuntimeDirectory => Path.Combine(Directory, "run");

    /// <summary>The process to whose namespaces all others of this host belong.</summary>
    public int ProcessId => _process!.Id;

    /// <summary>Runs what it is given as the user.</summary>
    public string AsUser => Path.Combine(Directory, "bin/as-user");

    private string AsRoot => Path.Combine(Directory, "bin/as-root");

    /// <param name="subordinateIds">The user has been granted ids beside his own.</param>
    /// <param name="missing">Programs this host lacks.</param>
    public static async Task<OrdinaryHost> StartAsync(bool subordinateIds = true, params string[] missing)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "making a host with another user takes root");
        if (!missing.Contains("newuidmap"))
        {
            Binaries.Need("newuidmap");
        }

        var host = new OrdinaryHost();
        try
        {
            await host.MakeAsync(subordinateIds, missing);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>A program of ours where the user can execute it, wherever the repository lies.</summary>
    public string Program(string name) => Path.Combine(Directory, "bin", name);

    /// <summary>Runs a command as the user.</summary>
    public Task<CommandResult> RunAsync(params string[] command) => RunAsync(command, null);

    public Task<CommandResult> RunAsync(IReadOnlyList<string> command, string? input) =>
        Command.RunAsync(AsUser, command, new Dictionary<string, string?> { ["DOCKER_HOST"] = null, ["WHERRY_HOST"] = null }, input, Command.DefaultTimeout);

    /// <summary>Runs a line of shell as root, on this host's network.</summary>
    public Task<CommandResult> RootShellAsync(string script) => Command.RunAsync(AsRoot, "/bin/sh", "-c", script);

    /// <summary>Starts a command as the user; it becomes the process returned.</summary>
    /// <param name="log">Takes all it says.</param>
    /// <param name="command">A program and its arguments.</param>
    public Process Start(string log, params string[] command)
    {
        var quoted = string.Join(' ', command.Prepend(AsUser).Select(word => $"'{word}'"));
        return Process.Start(new ProcessStartInfo("/bin/sh") { ArgumentList = { "-c", $"exec {quoted} </dev/null >>'{log}' 2>&1" }, WorkingDirectory = "/" })
            ?? throw new InvalidOperationException($"{command[0]} did not start");
    }

    /// <summary>A command line that runs as the user and talks to the engine of that address.</summary>
    public Client Client(string kind, string engine)
    {
        var script = Path.Combine(Directory, "bin", $"{kind}-as-user");
        if (!File.Exists(script))
        {
            WriteScript(script, $"exec '{AsUser}' '{(kind == Clients.Docker ? Binaries.Docker : Program("wherry"))}' \"$@\"");
        }

        return new Client(kind, script, engine);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await KillAllAsync();
            _process.Dispose();
        }

        Clean();
        _slot.Dispose();
    }

    /// <summary>Processes on this host, told by the user they run as: his own ids or one granted to him.</summary>
    public IReadOnlyList<string> Processes()
    {
        var found = new List<string>();
        foreach (var process in System.IO.Directory.EnumerateDirectories("/proc").Where(path => char.IsAsciiDigit(Path.GetFileName(path)[0])))
        {
            try
            {
                var status = File.ReadAllLines(Path.Combine(process, "status"));
                var uid = long.Parse(status.First(line => line.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[1], CultureInfo.InvariantCulture);
                var isEnded = status.Any(line => line.StartsWith("State:\tZ", StringComparison.Ordinal));
                if (!isEnded && (uid == Uid || uid - FirstSubordinateId is >= 0 and < SubordinateIds))
                {
                    found.Add($"{Path.GetFileName(process)} {File.ReadAllText(Path.Combine(process, "cmdline")).Replace('\0', ' ')}");
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Ended meanwhile.
            }
        }

        return found;
    }

    private async Task MakeAsync(bool subordinateIds, string[] missing)
    {
        Clean(); // what a killed test run may have left under this number
        System.IO.Directory.CreateDirectory(Path.Combine(Directory, "bin"));
        foreach (var directory in new[] { Home, RuntimeDirectory })
        {
            System.IO.Directory.CreateDirectory(directory);
            await Command.RunAsync("/bin/chown", $"{Uid}:{Uid}", directory);
        }

        foreach (var program in new[] { Binaries.Wherry, Binaries.Wherryd, Binaries.Shim, Binaries.OciRuntime })
        {
            File.Copy(program, Program(Path.GetFileName(program)));
        }

        var script = Path.Combine(Binaries.Repository, "tests/Wherry.EndToEnd.Tests/Harness/ordinary-host.sh");
        var process = Process.Start(new ProcessStartInfo(
            script,
            [Directory, UserName, Text(Uid), subordinateIds ? Text(FirstSubordinateId) : "none", Address, .. missing])
        {
            WorkingDirectory = "/",
        }) ?? throw new InvalidOperationException($"{script} did not start");
        _process = process;
        await Eventually.TrueAsync(() => File.Exists(Path.Combine(Directory, "ready")) || process.HasExited, "the host of an ordinary user is made");
        Assert.False(process.HasExited, "the host of an ordinary user could not be made");
        var pid = Text(process.Id);
        var enter = $"exec nsenter --mount=/proc/{pid}/ns/mnt --net=/proc/{pid}/ns/net --";
        var user = Text(Uid);
        WriteScript(AsRoot, $"{enter} \"$@\"");
        WriteScript(AsUser, $"{enter} setpriv --reuid={user} --regid={user} --clear-groups -- env HOME='{Home}' XDG_RUNTIME_DIR='{RuntimeDirectory}' XDG_DATA_HOME= XDG_CONFIG_HOME= \"$@\"");
    }

    // None of these ids is anybody else's; asked until none is left, since processes make others.
    private async Task KillAllAsync()
    {
        await Eventually.TrueAsync(
            () =>
            {
                foreach (var process in Processes())
                {
                    try
                    {
                        using var found = Process.GetProcessById(int.Parse(process.Split(' ')[0], CultureInfo.InvariantCulture));
                        found.Kill();
                    }
                    catch (Exception e) when (e is ArgumentException or InvalidOperationException)
                    {
                        // Ended meanwhile.
                    }
                }

                return Processes().Count == 0;
            },
            "all processes of the ordinary user have ended");
        _process!.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
    }

    private void Clean()
    {
        if (System.IO.Directory.Exists(Directory))
        {
            System.IO.Directory.Delete(Directory, recursive: true);
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static void WriteScript(string path, string text)
    {
        File.WriteAllText(path, $"#!/bin/sh\n{text}\n");
        File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
    }
}
