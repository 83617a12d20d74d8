using System.Text.Json.Nodes;
using Wherry.Bench.Contestants;

namespace Wherry.Bench;

/// <summary>OCI runtimes without an engine: the floor under every other number.</summary>
public sealed class BareRuntimes : IDisposable
{
    private readonly string _bundle;
    private readonly string _filtered;
    private readonly List<(string Name, string Path)> _runtimes = [];

    /// <param name="directory">Where a bundle is made.</param>
    /// <param name="ours">The path of wherry-oci.</param>
    /// <param name="filter">The engine's default system call filter, as a bundle has it.</param>
    public BareRuntimes(string directory, string ours, JsonNode filter)
    {
        _bundle = Path.Combine(directory, "bundle");
        _filtered = Path.Combine(directory, "filtered-bundle");
        Directory.CreateDirectory(Path.Combine(_bundle, "rootfs/bin"));
        if (Programs.Find("busybox") is not { } busybox)
        {
            return;
        }

        File.Copy(busybox, Path.Combine(_bundle, "rootfs/bin/true"), overwrite: true);
        var config = JsonNode.Parse("""
            {
              "ociVersion": "1.0.2",
              "process": { "args": ["/bin/true"], "cwd": "/", "user": { "uid": 0, "gid": 0 }, "env": ["PATH=/bin"] },
              "root": { "path": "rootfs" },
              "mounts": [{ "destination": "/proc", "type": "proc", "source": "proc" }],
              "linux": { "namespaces": [{ "type": "pid" }, { "type": "mount" }, { "type": "ipc" }, { "type": "uts" }] }
            }
            """)!;
        File.WriteAllText(Path.Combine(_bundle, "config.json"), config.ToJsonString());
        Directory.CreateDirectory(_filtered);
        config["root"]!["path"] = Path.Combine(_bundle, "rootfs");
        config["process"]!["noNewPrivileges"] = true;
        config["linux"]!["seccomp"] = filter.DeepClone();
        File.WriteAllText(Path.Combine(_filtered, "config.json"), config.ToJsonString());
        foreach (var (name, path) in new[] { ("wherry-oci", ours), ("crun", Programs.Find("crun")), ("runc", Programs.Find("runc")) })
        {
            if (path is not null && Works(path))
            {
                _runtimes.Add((name, path));
            }
        }
    }

    public IReadOnlyList<string> Names => _runtimes.Select(runtime => runtime.Name).ToArray();

    public TimeSpan Measure(string name) => Run(PathOf(name), _bundle);

    /// <summary>How much longer a run takes with the filter than without, one after the other.</summary>
    public TimeSpan MeasureFilter(string name) => Run(PathOf(name), _filtered) - Run(PathOf(name), _bundle);

    /// <summary>A container's life in three commands, as engines lead it.</summary>
    public TimeSpan MeasureInSteps(string name)
    {
        var path = PathOf(name);
        var id = $"bench-{Guid.NewGuid():n}";
        var none = new Dictionary<string, string>();
        return Spawn.Measure(path, ["create", "--bundle", _bundle, id], none)
            + Spawn.Measure(path, ["start", id], none)
            + Spawn.Measure(path, ["delete", "--force", id], none);
    }

    public void Dispose()
    {
        foreach (var bundle in new[] { _bundle, _filtered }.Where(Directory.Exists))
        {
            Directory.Delete(bundle, recursive: true);
        }
    }

    private bool Works(string path)
    {
        try
        {
            Run(path, _bundle);
            return true;
        }
        catch (InvalidOperationException e)
        {
            Console.Error.WriteLine($"{path} does not run a bundle here: {e.Message}");
            return false;
        }
    }

    private string PathOf(string name) => _runtimes.First(runtime => runtime.Name == name).Path;

    private static TimeSpan Run(string path, string bundle) => Spawn.Measure(path, ["run", "--bundle", bundle, $"bench-{Guid.NewGuid():n}"], new Dictionary<string, string>());
}
