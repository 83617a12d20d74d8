using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Wherry.Bench.Contestants;

namespace Wherry.Bench;

/// <summary>Debian's docker-registry on the loopback, empty at its start: nobody finds there what another has pushed.</summary>
public sealed class LocalRegistry : IDisposable
{
    private readonly string _directory;
    private readonly Process _process;

    private LocalRegistry(string program, string directory, string prefix)
    {
        _directory = Path.Combine(directory, $"registry-{Path.GetRandomFileName()}");
        Directory.CreateDirectory(_directory);
        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            Port = ((IPEndPoint)listener.LocalEndpoint).Port;
        }

        File.WriteAllText($"{_directory}/config.yml", $"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {_directory}/data}}}}\nhttp: {{addr: 127.0.0.1:{Port}}}\n");
        _process = Process.Start("/bin/sh", ["-c", $"exec {prefix}{program} serve {_directory}/config.yml </dev/null >{_directory}/log 2>&1"]);
        Wait.Until(Answers, "docker-registry answers");
    }

    public int Port { get; }

    /// <summary>Null where docker-registry is not installed.</summary>
    /// <param name="directory">Where it keeps what it gets.</param>
    /// <param name="networkOf">A process whose loopback it listens on; null for the host's.</param>
    public static LocalRegistry? TryStart(string directory, int? networkOf) => Programs.Find("docker-registry") is { } program
        ? new LocalRegistry(program, directory, networkOf is null ? "" : $"nsenter --net=/proc/{networkOf}/ns/net ")
        : null;

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>By the kernel's table of its own network, which may not be ours.</summary>
    private bool Answers() => File.ReadLines($"/proc/{_process.Id}/net/tcp").Any(line => line.Contains($":{Port:X4} 00000000:0000 0A", StringComparison.Ordinal));
}
