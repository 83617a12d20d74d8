using System.Globalization;
using System.Text.Json.Nodes;

namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>
/// wherry-oci as an ordinary user has it: bundles below his home, state below his session's directory, no cgroup. What
/// the tests leave is removed with it, and none of the user's processes may be left then.
/// </summary>
public sealed class OrdinaryOciHost : IAsyncLifetime
{
    private static readonly string[] Applets =
        ["cat", "echo", "grep", "head", "id", "hostname", "ls", "mount", "ps", "readlink", "sh", "sleep", "stat", "stty", "touch", "true", "tty"];

    private static int LastNumber;

    public OrdinaryHost Host { get; private set; } = null!;

    public string Runtime => Host.Program("wherry-oci");

    public string RootFilesystem => Path.Combine(Host.Home, "rootfs");

    /// <summary>Where the runtime keeps its state when nothing else is said.</summary>
    public string Root => Path.Combine(Host.RuntimeDirectory, "wherry-oci");

    public async ValueTask InitializeAsync()
    {
        Host = await OrdinaryHost.StartAsync();
        foreach (var name in new[] { "bin", "dev", "etc", "proc", "sys", "tmp", "root" })
        {
            Directory.CreateDirectory(Path.Combine(RootFilesystem, name));
        }

        File.Copy(Binaries.Need("busybox"), Path.Combine(RootFilesystem, "bin/busybox"));
        foreach (var applet in Applets)
        {
            File.CreateSymbolicLink(Path.Combine(RootFilesystem, "bin", applet), "busybox");
        }

        await Command.RunAsync("/bin/chown", "-R", Owner, RootFilesystem);
    }

    public async ValueTask DisposeAsync()
    {
        if (Host is null)
        {
            return;
        }

        await RemoveAllAsync();
        var left = Ids().Concat(Host.Processes()).ToArray();
        await Host.DisposeAsync();
        Assert.True(left.Length == 0, $"left behind: {string.Join(", ", left)}");
    }

    public async Task RemoveAllAsync()
    {
        foreach (var id in Ids())
        {
            await RunAsync("delete", "--force", id);
        }
    }

    public static string NewId() => string.Create(CultureInfo.InvariantCulture, $"o{Interlocked.Increment(ref LastNumber)}");

    /// <summary>What <c>spec --rootless</c> writes, for a line of shell without a terminal.</summary>
    public async Task<string> BundleAsync(string script, Action<JsonNode>? change = null)
    {
        var directory = Path.Combine(Host.Home, $"bundle-{NewId()}");
        (await Host.RunAsync("mkdir", directory)).Succeeded();
        (await RunAsync("spec", "--rootless", "--bundle", directory)).Succeeded();
        var path = Path.Combine(directory, "config.json");
        var config = JsonNode.Parse(await File.ReadAllTextAsync(path))!;
        config["process"]!["terminal"] = false;
        config["process"]!["args"] = new JsonArray("/bin/sh", "-c", script);
        config["process"]!["env"] = new JsonArray("PATH=/bin");
        config["root"]!["path"] = RootFilesystem;
        change?.Invoke(config);
        await File.WriteAllTextAsync(path, config.ToJsonString());
        return directory;
    }

    /// <summary>Gives the container all ids the user has been granted, rather than his own alone.</summary>
    public void MapAll(JsonNode config)
    {
        foreach (var property in new[] { "uidMappings", "gidMappings" })
        {
            config["linux"]![property] = JsonNode.Parse(string.Create(
                CultureInfo.InvariantCulture,
                $$"""[{ "containerID": 0, "hostID": {{Host.Uid}}, "size": 1 }, { "containerID": 1, "hostID": {{Host.FirstSubordinateId}}, "size": 65536 }]"""));
        }
    }

    /// <summary>Runs a command of the runtime's as the user; never one after which a container holds the streams.</summary>
    public Task<CommandResult> RunAsync(params string[] arguments) => Host.RunAsync([Runtime, .. arguments]);

    /// <summary>Runs a bundle in the foreground.</summary>
    public Task<CommandResult> RunBundleAsync(string bundle) => RunAsync("run", "--bundle", bundle, NewId());

    /// <summary>Creates a container of that bundle, whose output goes to the bundle's file <c>output</c>, and returns its id.</summary>
    /// <param name="bundle">Its directory.</param>
    /// <param name="global">An option before the command.</param>
    public async Task<string> CreateAsync(string bundle, string global = "")
    {
        var id = NewId();
        (await Host.RunAsync("sh", "-c", $"exec {Runtime} {global} create --bundle {bundle} {id} </dev/null >{bundle}/output 2>{bundle}/error")).Succeeded();
        return id;
    }

    public async Task<JsonNode> StateAsync(string id) => JsonNode.Parse((await RunAsync("state", id)).Succeeded().Output)!;

    public Task WaitForStatusAsync(string id, string status) =>
        Eventually.TrueAsync(async () => (string)(await StateAsync(id))["status"]! == status, $"container {id} is {status}");

    /// <summary>The containers there are.</summary>
    public IReadOnlyList<string> Ids() => Directory.Exists(Root) ? [.. Directory.GetDirectories(Root).Select(path => Path.GetFileName(path))] : [];

    public string Owner => string.Create(CultureInfo.InvariantCulture, $"{Host.Uid}:{Host.Uid}");
}
