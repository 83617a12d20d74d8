using System.Diagnostics;
using System.Globalization;

namespace Wherry.EndToEnd.Tests.Harness;

/// <summary>Debian's docker-registry on a free port of the loopback, with storage of its own.</summary>
public sealed class DebianRegistry : IAsyncDisposable
{
    private readonly string _directory;
    private readonly Process _process;

    private DebianRegistry(string directory, int port, Process process)
    {
        _directory = directory;
        Host = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");
        _process = process;
    }

    public string Host { get; }

    /// <param name="users">Content of an htpasswd file; null lets everyone in.</param>
    public static async Task<DebianRegistry> StartAsync(string? users = null)
    {
        var program = Binaries.Need("docker-registry");
        var directory = Directory.CreateTempSubdirectory("wherry-registry-").FullName;
        var port = Ports.Free();
        var access = "";
        if (users is not null)
        {
            await File.WriteAllTextAsync($"{directory}/users", users + "\n", TestContext.Current.CancellationToken);
            access = $"auth: {{htpasswd: {{realm: test, path: {directory}/users}}}}\n";
        }

        await File.WriteAllTextAsync(
            $"{directory}/config.yml",
            string.Create(CultureInfo.InvariantCulture, $"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {directory}/data}}}}\nhttp: {{addr: 127.0.0.1:{port}}}\n{access}"),
            TestContext.Current.CancellationToken);
        var process = Process.Start(new ProcessStartInfo("/bin/sh") { ArgumentList = { "-c", $"exec {program} serve {directory}/config.yml </dev/null >{directory}/log 2>&1" } })!;
        var registry = new DebianRegistry(directory, port, process);
        try
        {
            await Ports.AskUntilConnectedAsync(System.Net.IPAddress.Loopback, port);
            return registry;
        }
        catch
        {
            await registry.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        _process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
