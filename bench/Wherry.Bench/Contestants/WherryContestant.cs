using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Wherry.Bench.Contestants;

/// <summary>The engine under test, started for the benchmark with directories and a bridge of its own.</summary>
public sealed class WherryContestant : IContestant
{
    private readonly string _directory;
    private readonly string _out;
    private readonly string _run = "/run/wherry-bench";
    private readonly Dictionary<string, string> _environment;
    private readonly Process _engine;

    public WherryContestant(string outDirectory, string directory)
    {
        _out = outDirectory;
        _directory = Path.Combine(directory, "wherry");
        Purge();
        Directory.CreateDirectory(_directory);
        Directory.CreateDirectory(_run);
        _environment = new Dictionary<string, string> { ["DOCKER_HOST"] = $"unix://{_run}/wherry.sock", ["WHERRY_HOST"] = $"unix://{_run}/wherry.sock" };
        _engine = Process.Start("/bin/sh", ["-c",
            $"exec {_out}/wherryd --data-root {_directory} --exec-root {_run} -H unix://{_run}/wherry.sock --bridge whbench0 --bip 198.19.0.1/20 --cgroup-parent whbench </dev/null >{_directory}.log 2>&1"]);
        Wait.Until(() => File.Exists($"{_run}/wherry.sock") && Try(() => Output("version")), "wherryd answers");
        Description = "Wherry";
    }

    public string Name => "wherry";

    public string Description { get; }

    public bool HasBridge => true;

    public TimeSpan Measure(params string[] arguments) => Spawn.Measure($"{_out}/wherry", arguments, _environment);

    public string Output(params string[] arguments) => Spawn.Output($"{_out}/wherry", arguments, _environment);

    /// <summary>The system call filter that containers get which ask for none.</summary>
    public JsonNode DefaultFilter()
    {
        var id = Output("run", "-d", "--network", "none", "busybox", "sleep", "1000").Trim();
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(_directory, "containers", id, "config.json")))!;
        Output("rm", "-f", id);
        return config["linux"]!["seccomp"]!;
    }

    public long? EngineResidentBytes() => ProcessMemory.Resident(_engine.Id);

    public long? EnginePeakBytes() => ProcessMemory.Peak(_engine.Id);

    public void ForgetPeak() => ProcessMemory.ForgetPeak(_engine.Id);

    public IReadOnlyList<long> SupervisorPrivateBytes() =>
        Directory.EnumerateDirectories($"{_run}/containers")
            .SelectMany(container => ProcessMemory.Find("wherry-shim", Path.GetFileName(container)))
            .Select(ProcessMemory.Private)
            .ToArray();

    public void Dispose()
    {
        _engine.Kill();
        _engine.WaitForExit();
        _engine.Dispose();
        Purge();
        File.Delete(_directory + ".log");
    }

    private static bool Try(Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private void Purge() => Spawn.Output(Path.Combine(_out, "../eng/purge.sh"), [], new Dictionary<string, string>
    {
        ["DATA_ROOT"] = _directory,
        ["EXEC_ROOT"] = _run,
        ["BRIDGE"] = "whbench0",
        ["CGROUP_PARENT"] = "whbench",
    });
}
