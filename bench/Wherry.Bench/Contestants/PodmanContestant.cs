namespace Wherry.Bench.Contestants;

/// <summary>podman as installed here, with storage of its own.</summary>
public sealed class PodmanContestant : IContestant
{
    private static readonly Dictionary<string, string> Environment = [];
    private readonly string _podman;
    private readonly string _directory;

    // Not every runtime works on every host; crun refuses hybrid cgroups, for one.
    private readonly string _runtime = Programs.Find("runc") is null ? "crun" : "runc";

    private PodmanContestant(string podman, string directory)
    {
        _podman = podman;
        _directory = Path.Combine(directory, "podman");
        Directory.CreateDirectory(_directory);
        Description = "Podman " + Output("version", "--format", "{{.Client.Version}}");
    }

    public string Name => "podman";

    public string Description { get; }

    // Its bridge needs CNI plugins or netavark, which may be absent.
    public bool HasBridge => File.Exists("/usr/lib/podman/netavark") || File.Exists("/usr/lib/cni/bridge");

    public static PodmanContestant? TryStart(string directory)
    {
        if (Programs.Find("podman") is not { } podman)
        {
            return null;
        }

        try
        {
            var contestant = new PodmanContestant(podman, directory);
            return contestant;
        }
        catch (InvalidOperationException e)
        {
            Console.Error.WriteLine($"podman is installed but does not work here: {e.Message}");
            return null;
        }
    }

    public TimeSpan Measure(params string[] arguments) => Spawn.Measure(_podman, Own(arguments), Environment);

    public string Output(params string[] arguments) => Spawn.Output(_podman, Own(arguments), Environment);

    public long? EngineResidentBytes() => null;

    public long? EnginePeakBytes() => null;

    public void ForgetPeak()
    {
    }

    public IReadOnlyList<long> SupervisorPrivateBytes() => ProcessMemory.Find("conmon", _directory).Select(ProcessMemory.Private).ToArray();

    public void Dispose()
    {
        try
        {
            Output("system", "reset", "--force");
        }
        catch (InvalidOperationException e)
        {
            Console.Error.WriteLine($"podman did not tidy up after itself: {e.Message}");
        }

        Spawn.Output("/bin/sh", ["-c", $"rm -rf {_directory}"], Environment);
    }

    private string[] Own(string[] arguments) =>
        ["--root", $"{_directory}/root", "--runroot", $"{_directory}/run", "--cgroup-manager", "cgroupfs", "--runtime", _runtime, .. arguments];
}
