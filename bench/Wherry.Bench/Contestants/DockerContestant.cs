using System.Diagnostics;

namespace Wherry.Bench.Contestants;

/// <summary>dockerd as installed here, started for the benchmark with directories and a bridge of its own.</summary>
public sealed class DockerContestant : IContestant
{
    private const string Bridge = "dkbench0";
    private readonly string _docker;
    private readonly string _directory;
    private readonly string _run = "/run/docker-bench";
    private readonly Process _daemon;
    private readonly Dictionary<string, string> _environment;

    private DockerContestant(string docker, string dockerd, string directory)
    {
        _docker = docker;
        _directory = Path.Combine(directory, "docker");
        Directory.CreateDirectory(_directory);
        Directory.CreateDirectory(_run);
        _environment = new Dictionary<string, string> { ["DOCKER_HOST"] = $"unix://{_run}/docker.sock", ["DOCKER_CONFIG"] = "/nonexistent" };
        HasBridge = Programs.Find("iptables") is not null;
        var network = HasBridge ? $"--bridge {Bridge}" : "--bridge none --iptables=false";
        // In a network namespace of its own: the chains it makes and never removes go with it.
        var links = HasBridge ? $"ip link set lo up && ip link add {Bridge} type bridge && ip addr add 198.19.16.1/20 dev {Bridge} && ip link set {Bridge} up && " : "ip link set lo up && ";
        _daemon = Process.Start("/bin/sh", ["-c", $"exec unshare --net /bin/sh -c '{links}exec {dockerd} --data-root {_directory} --exec-root {_run} -H unix://{_run}/docker.sock --pidfile {_run}/docker.pid {network} </dev/null >{_directory}.log 2>&1'"]);
        try
        {
            Wait.Until(() => File.Exists($"{_run}/docker.sock") || _daemon.HasExited, "dockerd answers");
            Description = "Docker " + Output("version", "--format", "{{.Server.Version}}");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Name => "docker";

    public string Description { get; }

    public bool HasBridge { get; }

    public int? NetworkOf => _daemon.Id;

    /// <summary>Null where docker is not installed or does not start.</summary>
    public static DockerContestant? TryStart(string directory)
    {
        if (Programs.Find("docker") is not { } docker || Programs.Find("dockerd") is not { } dockerd)
        {
            return null;
        }

        try
        {
            return new DockerContestant(docker, dockerd, directory);
        }
        catch (Exception e) when (e is InvalidOperationException or TimeoutException)
        {
            Console.Error.WriteLine($"docker is installed but does not start here: {e.Message}");
            return null;
        }
    }

    public TimeSpan Measure(params string[] arguments) => Spawn.Measure(_docker, arguments, _environment);

    public string Output(params string[] arguments) => Spawn.Output(_docker, arguments, _environment);

    public long? EngineResidentBytes() => Engine().Sum(ProcessMemory.Resident);

    public long? EnginePeakBytes() => Engine().Sum(ProcessMemory.Peak);

    public void ForgetPeak()
    {
        foreach (var pid in Engine())
        {
            ProcessMemory.ForgetPeak(pid);
        }
    }

    public IReadOnlyList<long> SupervisorPrivateBytes() => ProcessMemory.Find("containerd-shim-runc-v2", _run).Select(ProcessMemory.Private).ToArray();

    public void Dispose()
    {
        if (!_daemon.HasExited)
        {
            Spawn.Output("/bin/kill", ["-TERM", $"{_daemon.Id}"], _environment);
            _daemon.WaitForExit(20_000);
        }

        _daemon.Dispose();
        Spawn.Output("/bin/sh", ["-c", $"grep -o ' {_directory}[^ ]*' /proc/self/mountinfo | sort -r | xargs -r umount -l; rm -rf {_directory} {_directory}.log {_run}; true"], _environment);
    }

    private IReadOnlyList<int> Engine() => [_daemon.Id, .. ProcessMemory.Find("containerd", _run)];
}
