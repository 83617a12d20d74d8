using System.Text.Json;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;
using static Wherry.Runtime.Tests.Harness.TestContainer;

namespace Wherry.Runtime.Tests.Conformance;

public abstract class HookTests(RuntimeMode mode) : ConformanceTests(mode)
{
    [Collection(ContainerCollection.Name)]
    public sealed class AsRoot() : HookTests(RuntimeMode.Root);

    [Collection(ContainerCollection.Name)]
    public sealed class InUserNamespace() : HookTests(RuntimeMode.UserNamespaced);

    [Collection(ContainerCollection.Name)]
    public sealed class Rootless() : HookTests(RuntimeMode.Rootless);

    [Fact]
    [SpecProperty("hooks.prestart")]
    [SpecProperty("hooks.createRuntime")]
    [SpecProperty("hooks.createContainer")]
    [SpecProperty("hooks.startContainer")]
    [SpecProperty("hooks.poststart")]
    [SpecProperty("hooks.poststop")]
    [SpecProperty("annotations")]
    public async Task Hooks_run_in_their_order_and_namespaces_with_the_state_on_standard_input()
    {
        var record = NewRecord();
        await using var container = await StartAsync(["sh", "-c", "cat /tmp/started; echo; sleep 1000"], request => WithHooks(request, new Hooks
        {
            Prestart = [Recording("prestart", record)],
            CreateRuntime = [Recording("createRuntime", record)],
            CreateContainer = [Recording("createContainer", record)],
            StartContainer = [new Hook { Path = "/bin/sh", Args = ["sh", "-c", "cat > /tmp/started; echo; echo $MARK $(id -u); grep CapEff /proc/self/status"], Env = ["PATH=/bin", "MARK=own"] }],
            Poststart = [Recording("poststart", record)],
            Poststop = [Recording("poststop", record)],
        }) with
        { });
        await NamespaceTests.Until(() => container.Log("stdout").Contains('\n'));
        await container.Sandbox.SignalAsync(9, all: false, Cancel);
        await container.ExitAsync();
        var lines = File.ReadAllLines(record).Select(line => line.Split('\t')).ToList();
        Assert.Equal(["prestart", "createRuntime", "createContainer", "poststart", "poststop"], lines.Select(line => line[0]));
        Assert.Equal(["creating", "creating", "creating", "running", "stopped"], lines.Select(line => State(line[2]).GetProperty("status").GetString()));

        // The rootless user's supervisor has mounts of its own.
        var host = Mode == RuntimeMode.Rootless ? lines[0][1] : new FileInfo("/proc/self/ns/mnt").LinkTarget;
        Assert.Equal([true, true, false, true, true], lines.Select(line => line[1] == host));
        Assert.All(lines, line =>
        {
            Assert.Equal(container.Location.Id, State(line[2]).GetProperty("id").GetString());
            Assert.Equal(container.Location.BundleDirectory, State(line[2]).GetProperty("bundle").GetString());
            Assert.Equal("a\"b", State(line[2]).GetProperty("annotations").GetProperty("note").GetString());
        });
        Assert.Equal(container.Sandbox.HostPid, State(lines[0][2]).GetProperty("pid").GetInt32());
        Assert.False(State(lines[4][2]).TryGetProperty("pid", out _));
        Assert.Equal("created", State(container.Log("stdout").Split('\n')[0]).GetProperty("status").GetString());
    }

    [Theory]
    [InlineData("prestart")]
    [InlineData("createRuntime")]
    [InlineData("createContainer")]
    [InlineData("startContainer")]
    public async Task A_hook_that_fails_ends_the_container_and_says_why(string kind)
    {
        var failing = new Hook { Path = "/bin/sh", Args = ["sh", "-c", "echo because >&2; exit 7"] };
        await using var container = await CreateAsync(["true"], request => WithHooks(request, Hooks(kind, failing)));
        var failure = await Assert.ThrowsAsync<SandboxStartException>(() => container.Sandbox.StartAsync(Cancel));
        Assert.Contains($"{kind} hook /bin/sh", failure.Message);
        Assert.Contains("exit code 7", failure.Message);
        Assert.Contains("because", failure.Message);
        Assert.Null((await container.ExitAsync()).StartedAt);
        await container.CleanUpAsync();
        Assert.Empty(container.Remains());
    }

    [Theory]
    [InlineData("poststart")]
    [InlineData("poststop")]
    public async Task A_hook_that_fails_afterwards_changes_nothing(string kind)
    {
        await using var container = await StartAsync(["sh", "-c", "exit 5"], request => WithHooks(request, Hooks(kind, new Hook { Path = "/bin/false" })));
        Assert.Equal(5, (await container.ExitAsync()).ExitCode);
    }

    [Fact]
    [SpecProperty("hooks.*[].timeout")]
    public async Task A_hook_past_its_time_is_killed_with_what_it_has_started()
    {
        var marker = $"86{Random.Shared.Next(100000, 999999)}";
        var slow = new Hook { Path = "/bin/sh", Args = ["sh", "-c", $"sleep {marker} & wait"], Env = ["PATH=/usr/bin:/bin"], Timeout = 1 };
        await using var container = await CreateAsync(["true"], request => WithHooks(request, Hooks("createRuntime", slow)));
        var failure = await Assert.ThrowsAsync<SandboxStartException>(() => container.Sandbox.StartAsync(Cancel));
        Assert.Contains("not done after 1 second", failure.Message);
        await NamespaceTests.Until(() => !Directory.EnumerateDirectories("/proc").Any(process => CommandLine(process).Contains(marker, StringComparison.Ordinal)));
    }

    [Fact]
    [SpecProperty("hooks.*[].path")]
    [SpecProperty("hooks.*[].args")]
    [SpecProperty("hooks.*[].env")]
    public async Task A_hook_gets_its_arguments_and_only_its_environment()
    {
        var record = NewRecord();
        var hook = new Hook { Path = "/bin/sh", Args = ["name", "-c", $"cat /proc/$$/environ /proc/$$/cmdline | tr '\\0' ' ' > {record}", "x y"], Env = ["ONE=1"] };
        await OutputOfAsync("true", request => WithHooks(request, Hooks("createRuntime", hook)));
        Assert.StartsWith("ONE=1 name -c ", File.ReadAllText(record));
        Assert.EndsWith(" x y ", File.ReadAllText(record));
    }

    [Theory]
    [SpecProperty("hooks.*[].env")]
    [InlineData("createContainer")]
    [InlineData("startContainer")]
    public async Task A_hook_without_an_environment_has_the_container_s(string kind)
    {
        // What it prints is only seen when it fails.
        Hook Telling(IReadOnlyList<string>? environment) => new() { Path = "/bin/sh", Args = ["sh", "-c", "echo \"V is <$V>\"; exit 1"], Env = environment };
        Task<string> Failure(Hook hook) => FailureAsync(request =>
            WithHooks(request with { Spec = request.Spec with { Process = request.Spec.Process! with { Env = ["PATH=/bin", "V=7"] } } }, Hooks(kind, hook)));
        Assert.Contains("V is <7>", await Failure(Telling(null)));
        Assert.Contains("V is <>", await Failure(Telling([])));
    }

    private string NewRecord()
    {
        var record = Path.Combine(NewDirectory(), "record");
        File.WriteAllText(record, "");
        Give(Path.GetDirectoryName(record)!);
        return record;
    }

    private static JsonElement State(string json) => JsonDocument.Parse(json).RootElement;

    private static Hook Recording(string kind, string path) => new()
    {
        Path = "/bin/sh",
        Args = ["sh", "-c", $"printf '%s\\t%s\\t%s\\n' {kind} $(readlink /proc/self/ns/mnt) \"$(cat)\" >> {path}"],
        Env = ["PATH=/usr/bin:/bin"],
    };

    private static Hooks Hooks(string kind, Hook hook) => kind switch
    {
        "prestart" => new Hooks { Prestart = [hook] },
        "createRuntime" => new Hooks { CreateRuntime = [hook] },
        "createContainer" => new Hooks { CreateContainer = [hook] },
        "startContainer" => new Hooks { StartContainer = [hook] },
        "poststart" => new Hooks { Poststart = [hook] },
        _ => new Hooks { Poststop = [hook] },
    };

    private static SandboxRequest WithHooks(SandboxRequest request, Hooks hooks) =>
        request with { Spec = request.Spec with { Hooks = hooks, Annotations = new Dictionary<string, string> { ["note"] = "a\"b" } } };

    private static string CommandLine(string process)
    {
        try
        {
            return File.ReadAllText(process + "/cmdline");
        }
        catch (IOException)
        {
            return "";
        }
        catch (UnauthorizedAccessException)
        {
            return "";
        }
    }
}
