using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>
/// wherry-oci with a state directory of its own, and bundles with a static busybox for a root. What the tests
/// leave is removed with it, and nothing may be left on the host then.
/// </summary>
public sealed class OciHost : IAsyncLifetime
{
    private static readonly string[] Applets =
        ["cat", "dd", "echo", "env", "false", "grep", "head", "id", "kill", "ls", "mount", "ps", "pwd", "readlink", "sh", "sleep", "stty", "tail", "test", "touch", "true", "tty", "wc"];

    private static int LastNumber;

    private readonly string _name = string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}-{Interlocked.Increment(ref LastNumber)}");

    public string Directory => $"/var/tmp/wherry-e2e/oci-{_name}";

    /// <summary>Where the runtime keeps its state.</summary>
    public string Root => $"/run/wherry-e2e/oci-{_name}";

    /// <summary>Parent of the containers' cgroups.</summary>
    public string CgroupParent => $"/whoci-{_name}";

    public string RootFilesystem => Path.Combine(Directory, "rootfs");

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "containers need root");
        var busybox = Binaries.Need("busybox");
        foreach (var name in new[] { "bin", "dev", "etc", "proc", "sys", "tmp", "root" })
        {
            System.IO.Directory.CreateDirectory(Path.Combine(RootFilesystem, name));
        }

        File.Copy(busybox, Path.Combine(RootFilesystem, "bin/busybox"));
        foreach (var applet in Applets)
        {
            File.CreateSymbolicLink(Path.Combine(RootFilesystem, "bin", applet), "busybox");
        }

        await File.WriteAllTextAsync(Path.Combine(RootFilesystem, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var id in Ids())
        {
            await RunAsync("delete", "--force", id);
        }

        var left = Cgroups().Concat(Ids()).ToArray();
        foreach (var parent in CgroupParents())
        {
            foreach (var cgroup in System.IO.Directory.GetDirectories(parent))
            {
                System.IO.Directory.Delete(cgroup);
            }

            System.IO.Directory.Delete(parent);
        }

        foreach (var directory in new[] { Directory, Root }.Where(System.IO.Directory.Exists))
        {
            System.IO.Directory.Delete(directory, recursive: true);
        }

        Assert.True(left.Length == 0, $"left behind: {string.Join(", ", left)}");
    }

    /// <summary>An id no other test uses.</summary>
    public static string NewId() => string.Create(CultureInfo.InvariantCulture, $"c{Interlocked.Increment(ref LastNumber)}");

    /// <summary>Makes a bundle that runs a line of shell.</summary>
    public string Bundle(string script, Action<JsonNode>? change = null) => Bundle(["/bin/sh", "-c", script], change);

    public string Bundle(string[] arguments, Action<JsonNode>? change = null)
    {
        var id = NewId();
        var directory = Path.Combine(Directory, id);
        System.IO.Directory.CreateDirectory(directory);
        var config = JsonNode.Parse($$"""
            {
              "ociVersion": "1.0.2",
              "process": {
                "args": {{JsonSerializer.Serialize(arguments)}},
                "cwd": "/",
                "env": ["PATH=/bin", "FROM=bundle"],
                "user": { "uid": 0, "gid": 0 },
                "capabilities": { "bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"] }
              },
              "root": { "path": "{{RootFilesystem}}", "readonly": true },
              "mounts": [
                { "destination": "/proc", "type": "proc", "source": "proc" },
                { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"] },
                { "destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"] },
                { "destination": "/tmp", "type": "tmpfs", "source": "tmpfs" }
              ],
              "annotations": { "org.example.key": "value" },
              "linux": {
                "cgroupsPath": "{{CgroupParent}}/{{id}}",
                "namespaces": [{ "type": "pid" }, { "type": "mount" }, { "type": "ipc" }, { "type": "uts" }, { "type": "network" }]
              }
            }
            """)!;
        change?.Invoke(config);
        File.WriteAllText(Path.Combine(directory, "config.json"), config.ToJsonString());
        return directory;
    }

    /// <summary>Runs a command; never one after which a container holds the streams.</summary>
    public Task<CommandResult> RunAsync(params string[] arguments) =>
        Command.RunAsync(Binaries.OciRuntime, ["--root", Root, .. arguments]);

    /// <summary>Runs a command that leaves a container behind, whose output goes to the bundle's file <c>output</c>.</summary>
    public Task<CommandResult> LeaveAsync(string bundle, params string[] arguments) => Command.RunAsync(
        "/bin/sh",
        ["-c", "out=$1; shift; exec \"$@\" </dev/null >\"$out\" 2>\"$out.error\"", "sh", Path.Combine(bundle, "output"), Binaries.OciRuntime, "--root", Root, .. arguments]);

    /// <summary>Creates a container of that bundle and returns its id.</summary>
    public async Task<string> CreateAsync(string bundle, params string[] options)
    {
        var id = NewId();
        (await LeaveAsync(bundle, ["create", "--bundle", bundle, .. options, id])).Succeeded();
        return id;
    }

    /// <summary>Creates and starts a container that runs a line of shell.</summary>
    public async Task<string> StartAsync(string script)
    {
        var id = await CreateAsync(Bundle(script));
        (await RunAsync("start", id)).Succeeded();
        return id;
    }

    public async Task<JsonNode> StateAsync(string id) => JsonNode.Parse((await RunAsync("state", id)).Succeeded().Output)!;

    public async Task<string> StatusAsync(string id) => (string)(await StateAsync(id))["status"]!;

    /// <summary>Waits until there is such a container, of that status.</summary>
    public Task WaitForStatusAsync(string id, string status, double seconds = 15) => Eventually.TrueAsync(
        async () => await RunAsync("state", id) is { ExitCode: 0 } state && (string)JsonNode.Parse(state.Output)!["status"]! == status, $"container {id} is {status}", seconds);

    /// <summary>What the container has written until now.</summary>
    public static string Output(string bundle) => File.ReadAllText(Path.Combine(bundle, "output"));

    /// <summary>The cgroup directories that are there for these containers.</summary>
    public IReadOnlyList<string> Cgroups() => CgroupParents().SelectMany(parent => System.IO.Directory.GetDirectories(parent)).ToArray();

    private IEnumerable<string> CgroupParents() => System.IO.Directory.Exists("/sys/fs/cgroup")
        ? new[] { "/sys/fs/cgroup" }.Concat(System.IO.Directory.GetDirectories("/sys/fs/cgroup"))
            .Select(tree => tree + CgroupParent)
            .Where(System.IO.Directory.Exists)
            .DistinctBy(Inode)
        : [];

    // cpu and cpuacct may be two names of one tree.
    private static string Inode(string directory) => File.ResolveLinkTarget(Path.GetDirectoryName(directory)!, returnFinalTarget: true)?.FullName ?? directory;

    /// <summary>One of a container's files in the tree its controller lives in; null where this host has none.</summary>
    public string? CgroupFile(string bundle, string v1Controller, string v1File, string v2File)
    {
        var below = $"{CgroupParent}/{Path.GetFileName(bundle)}";
        return new[] { $"/sys/fs/cgroup/{v1Controller}{below}/{v1File}", $"/sys/fs/cgroup{below}/{v2File}", $"/sys/fs/cgroup/unified{below}/{v2File}" }.FirstOrDefault(File.Exists);
    }

    private IReadOnlyList<string> Ids() => System.IO.Directory.Exists(Root)
        ? System.IO.Directory.GetDirectories(Root).Select(path => Path.GetFileName(path)).ToArray()
        : [];
}
