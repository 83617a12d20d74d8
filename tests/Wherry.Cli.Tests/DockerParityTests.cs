using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Wherry.Cli.Tests.Support;

namespace Wherry.Cli.Tests;

/// <summary>
/// Every command line of <c>Recorded/docker-28.json</c> was given to Docker's own command line (28.2), connected to
/// an engine that only wrote down what it was sent. Ours must send the same, or refuse with the same words.
/// </summary>
public sealed partial class DockerParityTests
{
    /// <summary>Where we differ on purpose: names of images are judged by the engine, and we know fewer types of objects.</summary>
    private static readonly string[] Different =
    [
        "create --platform bogus/ busybox", "create Busybox", "commit c Bad", "tag a Bad",
        "start --checkpoint x c", "inspect --type bogus c", "logs --since bogus c",
    ];

    /// <summary>Objects whose members are the user's own, where empty values mean something.</summary>
    private static readonly string[] Verbatim =
    [
        "Volumes", "ExposedPorts", "Tmpfs", "Labels", "PortBindings", "Config", "Sysctls", "StorageOpt", "Annotations",
        "DriverOpts", "Options", "StopTimeout", "Init",
    ];

    private static readonly string Directory = Path.Combine(AppContext.BaseDirectory, "Recorded");

    private static readonly JsonArray Cases = JsonNode.Parse(File.ReadAllText(Path.Combine(Directory, "docker-28.json")))!.AsArray();

    public static TheoryData<int, string> CommandLines()
    {
        var data = new TheoryData<int, string>();
        for (var i = 0; i < Cases.Count; i++)
        {
            var line = string.Join(' ', Words(Cases[i]!));
            if (!Different.Contains(line))
            {
                data.Add(i, line);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(CommandLines))]
    public void Sends_what_docker_sends_or_refuses_with_the_same_words(int index, string line)
    {
        var expected = Cases[index]!;
        Environment.CurrentDirectory = Directory;
        using var engine = new RecordingEngine(Answer);
        var run = CommandLineRun.Of(engine.Address, Words(expected), new() { ["HOMEVAR"] = "home value", ["PATHX"] = "px" });

        if (expected["error"] is { } error)
        {
            Assert.Empty(engine.Requests);
            Assert.Equal(Message(error.GetValue<string>().Replace("docker", "wherry", StringComparison.Ordinal)), Message(run.Error.Split('\n')[0]));
            Assert.Equal(expected["exit"]!.GetValue<int>(), run.ExitCode);
            return;
        }

        var sent = engine.Requests.Select(static r => (r.Method, Target: r.Target.TrimStart('/'), Body: Parse(r.Body)));
        var recorded = expected["requests"]!.AsArray().Select(static r => (
            Method: r!["method"]!.GetValue<string>(),
            Target: r["path"]!.GetValue<string>(),
            Body: r["body"]?.DeepClone()));
        var ours = Comparable(sent, line);
        var theirs = Comparable(recorded, line);
        Assert.Equal(theirs.Select(static r => $"{r.Method} {r.Target}"), ours.Select(static r => $"{r.Method} {r.Target}"));
        foreach (var (our, their) in ours.Zip(theirs).Where(static pair => pair.Second.Body is not null))
        {
            var (actual, wanted) = (Prune(our.Body, ""), Prune(their.Body, ""));
            Assert.True(JsonNode.DeepEquals(actual, wanted), $"sent {actual?.ToJsonString()}\ndocker {wanted?.ToJsonString()}");
        }
    }

    /// <summary>
    /// What the comparison leaves out: looks at objects (we need fewer of them), the wait of a detached run (nobody
    /// waits), the default registry's name, times relative to now, and the order of concurrent requests.
    /// </summary>
    private static List<(string Method, string Target, JsonNode? Body)> Comparable(IEnumerable<(string Method, string Target, JsonNode? Body)> requests, string line)
    {
        var all = requests.ToList();
        if (all.Exists(static r => r.Method != "GET"))
        {
            all.RemoveAll(static r => r.Method == "GET");
        }
        else if (line.StartsWith("logs", StringComparison.Ordinal))
        {
            all.RemoveAll(static r => r.Target.EndsWith("/json", StringComparison.Ordinal));
        }

        if (line.StartsWith("run", StringComparison.Ordinal))
        {
            all.RemoveAll(static r => r.Target.Contains("/wait", StringComparison.Ordinal));
        }

        return [.. all
            .Select(static r => r with { Target = Normalize(r.Target) })
            .OrderBy(static r => r.Target, StringComparer.Ordinal)];
    }

    private static string Normalize(string target)
    {
        target = target.Replace("docker.io%2Flibrary%2F", "", StringComparison.Ordinal).Replace(new string('c', 64), "c", StringComparison.Ordinal);
        return RelativeTime().Replace(target, "since=NOW");
    }

    private static JsonNode? Prune(JsonNode? node, string name)
    {
        switch (node)
        {
            case JsonObject map when Verbatim.Contains(name):
                return map.Count == 0 ? null : map.DeepClone();
            case JsonObject map:
                var kept = new JsonObject();
                foreach (var (key, value) in map)
                {
                    if (!(name == "" && key == "Detach") && Prune(value, key) is { } pruned)
                    {
                        kept[key] = pruned;
                    }
                }

                return kept.Count == 0 ? null : kept;
            case JsonArray list:
                return list.Count == 0 ? null : new JsonArray([.. list.Select(static item => item is JsonObject ? Prune(item, "") : item?.DeepClone())]);
            case JsonValue value when !Verbatim.Contains(name) && value.ToJsonString() is "0" or "\"\"" or "false":
                return null;
            default:
                return node?.DeepClone();
        }
    }

    private static (int Status, string Body) Answer(RecordedRequest request)
    {
        var id = new string('c', 64);
        var path = request.Target;
        return (request.Method, path) switch
        {
            (_, _) when path.Contains("/containers/create", StringComparison.Ordinal) => (201, $$"""{"Id":"{{id}}","Warnings":[]}"""),
            ("POST", _) when path.StartsWith("/exec/", StringComparison.Ordinal) => (200, "{}"),
            ("POST", _) when path.EndsWith("/start", StringComparison.Ordinal) => (204, ""),
            ("POST", _) when path.EndsWith("/wait", StringComparison.Ordinal) => (200, """{"StatusCode":0}"""),
            ("POST", _) when path.EndsWith("/exec", StringComparison.Ordinal) => (201, """{"Id":"e1"}"""),
            ("GET", _) when ContainerLook().IsMatch(path) => (200, """{"Id":"{{id}}","Config":{"Tty":false,"OpenStdin":true},"State":{"Running":true},"NetworkSettings":{"Ports":{}}}""".Replace("{{id}}", id, StringComparison.Ordinal)),
            _ => (500, """{"message":"recorded"}"""),
        };
    }

    private static JsonNode? Parse(string body) => body.StartsWith('{') ? JsonNode.Parse(body.Replace(Directory, "@DIRECTORY@", StringComparison.Ordinal)) : null;

    private static string Message(string line) => line.StartsWith("wherry: ", StringComparison.Ordinal) ? line["wherry: ".Length..] : line;

    private static string[] Words(JsonNode node) => [.. node["args"]!.AsArray().Select(static word => word!.GetValue<string>())];

    [GeneratedRegex("since=[0-9]{10}(?=&)")]
    private static partial Regex RelativeTime();

    [GeneratedRegex("^/containers/[^/]+/json")]
    private static partial Regex ContainerLook();
}
