using Wherry.Bench.Contestants;

namespace Wherry.Bench;

/// <summary>OCI runtimes without an engine: the floor under every other number.</summary>
public sealed class BareRuntimes : IDisposable
{
    private readonly string _bundle;
    private readonly List<(string Name, string Path)> _runtimes = [];

    /// <param name="directory">Where a bundle is made.</param>
    /// <param name="ours">The path of wherry-oci.</param>
    public BareRuntimes(string directory, string ours)
    {
        _bundle = Path.Combine(directory, "bundle");
        Directory.CreateDirectory(Path.Combine(_bundle, "rootfs/bin"));
        if (Programs.Find("busybox") is not { } busybox)
        {
            return;
        }

        File.Copy(busybox, Path.Combine(_bundle, "rootfs/bin/true"), overwrite: true);
        File.WriteAllText(Path.Combine(_bundle, "config.json"), """
            {
              "ociVersion": "1.0.2",
              "process": { "args": ["/bin/true"], "cwd": "/", "user": { "uid": 0, "gid": 0 }, "env": ["PATH=/bin"] },
              "root": { "path": "rootfs" },
              "mounts": [{ "destination": "/proc", "type": "proc", "source": "proc" }],
              "linux": { "namespaces": [{ "type": "pid" }, { "type": "mount" }, { "type": "ipc" }, { "type": "uts" }] }
            }
            """);
        foreach (var (name, path) in new[] { ("wherry-oci", ours), ("crun", Programs.Find("crun")), ("runc", Programs.Find("runc")) })
        {
            if (path is not null && Works(path))
            {
                _runtimes.Add((name, path));
            }
        }
    }

    public IReadOnlyList<string> Names => _runtimes.Select(runtime => runtime.Name).ToArray();

    public TimeSpan Measure(string name) => Run(_runtimes.First(runtime => runtime.Name == name).Path);

    /// <summary>A container's life in three commands, as engines lead it.</summary>
    public TimeSpan MeasureInSteps(string name)
    {
        var path = _runtimes.First(runtime => runtime.Name == name).Path;
        var id = $"bench-{Guid.NewGuid():n}";
        var none = new Dictionary<string, string>();
        return Spawn.Measure(path, ["create", "--bundle", _bundle, id], none)
            + Spawn.Measure(path, ["start", id], none)
            + Spawn.Measure(path, ["delete", "--force", id], none);
    }

    public void Dispose() => Directory.Delete(_bundle, recursive: true);

    private bool Works(string path)
    {
        try
        {
            Run(path);
            return true;
        }
        catch (InvalidOperationException e)
        {
            Console.Error.WriteLine($"{path} does not run a bundle here: {e.Message}");
            return false;
        }
    }

    private TimeSpan Run(string path) => Spawn.Measure(path, ["run", "--bundle", _bundle, $"bench-{Guid.NewGuid():n}"], new Dictionary<string, string>());
}
