using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>The same commands for Debian's runc and for us: exit codes, messages that callers parse, and output.</summary>
public sealed partial class RuncParityTests(OciHost host) : IClassFixture<OciHost>, IDisposable
{
    // What a command is given after the container's id, too; in an order in which none changes what the next finds.
    private static readonly string[][] OfAnyStatus =
    [
        ["state", "ID"], ["delete", "ID"], ["kill", "ID", "BOGUS"], ["ps", "--format", "json", "ID"], ["ps", "--format", "xml", "ID"],
        ["ps", "ID", "-o", "args"], ["ps", "ID", "-o", "pid,args"], ["ps", "ID"], ["events", "--interval", "0s", "ID"], ["list", "--format", "xml"],
        ["update", "--memory", "much", "ID"], ["update", "--l3-cache-schema", "x", "ID"], ["update", "--mem-bw-schema", "x", "ID"],
        ["exec", "--console-socket", "/nowhere", "ID", "true"], ["exec", "--tty", "--detach", "ID", "true"], ["list", "--quiet"],
    ];

    private static readonly string[][] OfTheLiving =
    [
        ["exec", "ID", "echo", "hello"], ["exec", "ID", "sh", "-c", "exit 7"], ["exec", "ID", "no-such-program"], ["exec", "ID", "/tmp"], ["exec", "--env", "FOO", "ID", "true"],
        ["exec", "--user", "1:2", "--cwd", "/tmp", "--env", "A=b", "ID", "sh", "-c", "echo $(id -u):$(id -g) $PWD $A"], ["exec", "ID", "sh", "-c", "echo x >/dev/null && head -c 1 /dev/urandom >/dev/null"],
        ["update", "--pids-limit", "50", "ID"], ["kill", "ID", "0"],
    ];

    [Theory]
    [InlineData("state")]
    [InlineData("state", "a", "b")]
    [InlineData("kill")]
    [InlineData("kill", "a", "TERM", "c")]
    [InlineData("delete")]
    [InlineData("create")]
    [InlineData("run")]
    [InlineData("start")]
    [InlineData("exec")]
    [InlineData("ps")]
    [InlineData("pause")]
    [InlineData("resume", "a", "b")]
    [InlineData("events")]
    [InlineData("update")]
    [InlineData("features", "x")]
    [InlineData("spec", "x")]
    [InlineData("list", "x")]
    [InlineData("state", "--frobnicate", "a")]
    [InlineData("list")]
    [InlineData("list", "--format", "json")]
    [InlineData("delete", "--force", "nobody")]
    [InlineData("delete", "nobody")]
    [InlineData("kill", "nobody", "KILL")]
    [InlineData("state", "nobody")]
    [InlineData("start", "nobody")]
    [InlineData("exec", "nobody", "true")]
    [InlineData("ps", "nobody")]
    [InlineData("pause", "nobody")]
    [InlineData("resume", "nobody")]
    [InlineData("events", "nobody")]
    [InlineData("update", "nobody")]
    [InlineData("state", "not/an/id")]
    public async Task Without_a_container_the_answers_are_runcs(params string[] command)
    {
        Binaries.Need("runc");
        await SameAsync(command, "", "");
    }

    [Fact]
    public async Task An_unknown_command_is_refused_with_runcs_code()
    {
        Binaries.Need("runc");
        Assert.Equal((await RuncAsync("frobnicate")).ExitCode, (await host.RunAsync("frobnicate")).Failed(3, "No help topic for 'frobnicate'").ExitCode);
    }

    [Theory]
    [InlineData("created")]
    [InlineData("running")]
    [InlineData("paused")]
    [InlineData("stopped")]
    public async Task A_containers_answers_are_runcs(string status)
    {
        var runc = Binaries.Need("runc");
        var (ours, theirs) = (OciHost.NewId(), OciHost.NewId());
        try
        {
            Assert.SkipUnless((await BringAsync(runc, TheirRoot, theirs, status)).ExitCode == 0, "runc can't run a container on this host");
            (await BringAsync(Binaries.OciRuntime, host.Root, ours, status)).Succeeded();
            string[][] commands = status switch
            {
                // Who waits there has another name.
                "created" => [.. OfAnyStatus.Where(command => command[0] != "delete" && command is not ["ps", "ID", ..]), .. OfTheLiving, ["resume", "ID"], ["start", "ID"]],
                "running" => [.. OfAnyStatus, .. OfTheLiving, ["start", "ID"], ["resume", "ID"], ["kill", "ID", "KILL"]],
                "paused" => [.. OfAnyStatus, ["exec", "ID", "true"], ["start", "ID"], ["pause", "ID"], ["resume", "ID"]],
                _ => [.. OfAnyStatus.Where(command => command[0] != "delete"), ["exec", "ID", "true"], ["start", "ID"], ["pause", "ID"], ["resume", "ID"], ["kill", "ID"], ["events", "ID"], ["update", "--memory", "32m", "ID"], ["delete", "ID"]],
            };
            foreach (var command in commands)
            {
                await SameAsync(command, ours, theirs);
            }
        }
        finally
        {
            await RuncAsync("delete", "--force", theirs);
            await host.RunAsync("delete", "--force", ours);
        }
    }

    public void Dispose()
    {
        if (Directory.Exists(TheirRoot))
        {
            Directory.Delete(TheirRoot, recursive: true);
        }
    }

    private string TheirRoot => host.Root + "-runc";

    private Task<CommandResult> RuncAsync(params string[] arguments) => Command.RunAsync(Binaries.Find("runc")!, ["--root", TheirRoot, .. arguments]);

    private async Task SameAsync(string[] command, string ours, string theirs)
    {
        var expected = Answer.Of(command, await RuncAsync([.. command.Select(word => word == "ID" ? theirs : word)]), theirs);
        var actual = Answer.Of(command, await host.RunAsync([.. command.Select(word => word == "ID" ? ours : word)]), ours);
        Assert.Equal(expected, actual);
    }

    // One container a runtime, of the same bundle but for its cgroup, as far along as asked.
    private async Task<CommandResult> BringAsync(string runtime, string root, string id, string status)
    {
        var bundle = host.Bundle("sleep 1000", config =>
            config["linux"]!["resources"] = JsonNode.Parse("""{ "devices": [{ "allow": false, "access": "rwm" }] }"""));
        var result = await RunAsync($"create --bundle {bundle} {id}");
        foreach (var step in status switch
        {
            "created" => Array.Empty<string>(),
            "running" => ["start"],
            "paused" => ["start", "pause"],
            _ => ["start", "stop"],
        })
        {
            result = result.ExitCode != 0 ? result : step == "stop" ? await StopAsync() : await RunAsync($"{step} {id}");
            if (step == "start" && result.ExitCode == 0)
            {
                await Eventually.TrueAsync(
                    async () => !(await Command.RunAsync(runtime, "--root", root, "ps", id)).Output.Contains("/bin/sh", StringComparison.Ordinal),
                    "the shell has become what it runs");
            }
        }

        return result;

        Task<CommandResult> RunAsync(string arguments) =>
            Command.ShellAsync($"exec {runtime} --root {root} {arguments} </dev/null >{bundle}/output 2>&1");

        async Task<CommandResult> StopAsync()
        {
            var killed = await RunAsync($"kill {id} KILL");
            await Eventually.TrueAsync(
                async () => (await Command.RunAsync(runtime, "--root", root, "state", id)).Output.Contains("stopped", StringComparison.Ordinal),
                "the container has stopped");
            return killed;
        }
    }

    [GeneratedRegex("[0-9]+(:[0-9]+)*", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Numbers();

    // Where it tells that it was called by a path, runc tells the path.
    [GeneratedRegex("(/[^ \"]*/)?(wherry-oci|runc)\\b", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Program();

    [GeneratedRegex("time=\"[^\"]*\" ", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Time();

    /// <summary>A command's answer without what may differ: names of programs and ids, numbers and times, the words of help.</summary>
    private sealed record Answer(string Command, int ExitCode, string Error, string Output)
    {
        public static Answer Of(string[] command, CommandResult result, string id) => new(
            string.Join(' ', command),
            result.ExitCode,
            Neutral(Time().Replace(result.Error, ""), id),
            result.Output.StartsWith("Incorrect Usage", StringComparison.Ordinal) ? "help" : command[0] == "state" && result.ExitCode == 0 ? State(result.Output) : Neutral(result.Output, id));

        private static string Neutral(string text, string id)
        {
            text = Program().Replace(text, "PROGRAM");
            text = id.Length == 0 ? text : text.Replace(id, "ID", StringComparison.Ordinal);
            return string.Join('\n', Numbers().Replace(text, "N").Split('\n').Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))));
        }

        // Its names in their order, and those values that are not the container's own, or, as the version is, runc's.
        private static string State(string output) => string.Join(' ', JsonNode.Parse(output)!.AsObject().Select(pair =>
            pair.Key is "ociVersion" or "id" or "bundle" or "created" or "pid" ? pair.Key : $"{pair.Key}={pair.Value!.ToJsonString()}"));
    }
}
