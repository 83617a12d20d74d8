using System.Text.Json.Nodes;

namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>checkpoint and restore of containers that show what they do in a directory of the bundle's.</summary>
internal static class CheckpointCommands
{
    /// <summary>Binds the bundle's directory <c>data</c>.</summary>
    public static void AddData(JsonNode config) =>
        config["mounts"]!.AsArray().Add(new JsonObject { ["destination"] = "/data", ["type"] = "bind", ["source"] = "data", ["options"] = new JsonArray("rbind") });

    /// <summary>A bundle that runs a line of shell and has that directory.</summary>
    public static string BundleWithData(this OciHost host, string script, Action<JsonNode>? change = null)
    {
        var bundle = host.Bundle(script, config =>
        {
            AddData(config);
            change?.Invoke(config);
        });
        Directory.CreateDirectory(Path.Combine(bundle, "data"));
        return bundle;
    }

    public static Task<CommandResult> CheckpointAsync(this OciHost host, string bundle, string id, params string[] options) =>
        host.RunAsync(["checkpoint", "--image-path", Path.Combine(bundle, "checkpoint"), .. options, id]);

    public static Task<CommandResult> RestoreAsync(this OciHost host, string bundle, string id, params string[] options) =>
        host.RestoreAsync(bundle, [], id, options);

    /// <param name="host">The runtime.</param>
    /// <param name="bundle">Of what was checkpointed.</param>
    /// <param name="global">Options before the command.</param>
    /// <param name="id">The new container's.</param>
    /// <param name="options">Options after it.</param>
    public static async Task<CommandResult> RestoreAsync(this OciHost host, string bundle, string[] global, string id, string[] options)
    {
        string[] words = [.. global, "restore", "--bundle", bundle, "--image-path", Path.Combine(bundle, "checkpoint"), .. options, id];
        if (!options.Contains("--detach"))
        {
            return await host.RunAsync(words);
        }

        // The container has the streams, so they must not be ours; what is said of a failure is in a file.
        var result = await host.LeaveAsync(bundle, words);
        return result with { Error = await File.ReadAllTextAsync(Path.Combine(bundle, "output.error"), TestContext.Current.CancellationToken) };
    }

    /// <summary>Starts a container whose program writes lines to <c>data/lines</c> for as long as it runs, and waits for some.</summary>
    /// <returns>Its id.</returns>
    public static async Task<string> RunCountingAsync(this OciHost host, string bundle)
    {
        var id = await host.CreateAsync(bundle);
        (await host.RunAsync("start", id)).Succeeded();
        await CountsAsync(bundle, 3);
        return id;
    }

    /// <summary>Waits until that many lines are written.</summary>
    public static Task CountsAsync(string bundle, int lines) => Eventually.TrueAsync(
        () => File.Exists(Path.Combine(bundle, "data/lines")) && Lines(bundle).Length >= lines, $"there are {lines} lines", seconds: 60);

    /// <summary>The words of each line written so far.</summary>
    public static string[][] Lines(string bundle) =>
        [.. File.ReadAllText(Path.Combine(bundle, "data/lines")).Split('\n')[..^1].Select(line => line.Split(' '))];
}
