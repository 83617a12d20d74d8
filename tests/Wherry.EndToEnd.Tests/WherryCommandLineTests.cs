using System.Text.Json;

namespace Wherry.EndToEnd.Tests;

/// <summary>What wherry does beyond docker's command line.</summary>
public sealed class WherryCommandLineTests(EngineFixture fixture) : EngineTests(fixture)
{
    [Fact]
    public async Task Spellings_of_early_documentation_are_understood()
    {
        var name = Harness.Client.NewName("early");

        Assert.Equal("old", await Wherry.TextAsync("run", "-rm", "-name", name, "-h", "old", "-w=/tmp", "busybox", "hostname"));
        (await Wherry.RunAsync("run", "-rm", "-privileged", "-entrypoint", "true", "busybox")).Succeeded();
        (await Wherry.RunAsync(["run", "-i", "-rm=true", "busybox", "cat"], "x")).Succeeded();
    }

    [Fact]
    public async Task Lists_are_given_as_json_on_request()
    {
        var id = await Wherry.DetachedAsync("busybox", "sleep", "60");

        foreach (var line in (await Wherry.RunAsync("ps", "--format", "json")).Succeeded().Lines)
        {
            Assert.NotEqual("", JsonDocument.Parse(line).RootElement.GetProperty("ID").GetString());
        }

        Assert.NotEmpty((await Wherry.RunAsync("images", "--format", "json")).Succeeded().Lines.Select(line => JsonDocument.Parse(line)));
        Assert.Equal("busybox", await Wherry.TextAsync("ps", "--format", "{{.Image}}", "--filter", "id=" + id));
        Assert.Contains("busybox", await Wherry.TextAsync("ps", "--format", "table {{.Image}}\t{{.Status}}"), StringComparison.Ordinal);
        Assert.Equal("\"running\"", await Wherry.FieldAsync(id, "{{json .State.Status}}"));
        await Wherry.RemoveAsync(id);
    }

    [Fact]
    public async Task Completion_scripts_are_made_for_three_shells()
    {
        foreach (var shell in new[] { "bash", "zsh", "fish" })
        {
            Assert.Contains("wherry", await Wherry.TextAsync("completion", shell), StringComparison.Ordinal);
        }

        var file = Path.Combine(HostDirectory(), "completion.bash");
        await File.WriteAllTextAsync(file, await Wherry.TextAsync("completion", "bash") + "\n", TestContext.Current.CancellationToken);
        (await Command.RunAsync("bash", "-n", file)).Succeeded();
        (await Wherry.RunAsync("completion", "nonsense")).Refused("nonsense");
    }

    [Fact]
    public async Task Help_is_there_for_everything()
    {
        Assert.Contains("run", await Wherry.TextAsync("--help"), StringComparison.Ordinal);
        foreach (var command in new[] { "run", "create", "start", "attach", "exec", "logs", "wait", "stop", "kill", "restart", "ps", "inspect", "rename", "rm", "commit", "images", "tag", "rmi", "history", "import", "load", "save" })
        {
            Assert.Contains(command, await Wherry.TextAsync(command, "--help"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Tables_fit_the_terminal()
    {
        var id = await Wherry.DetachedAsync("--name", "a-container-with-a-rather-long-name-that-wants-room", "busybox", "sh", "-c", "sleep 60; echo a rather long command that wants room as well, and more of it than there is");
        using var terminal = PseudoTerminal.Start(Binaries.Wherry, ["ps"], Wherry.Environment, rows: 24, columns: 80);
        await terminal.ExitAsync();

        var plain = System.Text.RegularExpressions.Regex.Replace(terminal.Screen, @"\x1b\[[0-9;?]*[a-zA-Z]", "");
        Assert.Contains(id[..12], plain, StringComparison.Ordinal);
        Assert.All(plain.Split('\n'), line => Assert.True(line.TrimEnd('\r').Length <= 80, line));
        await Wherry.RemoveAsync(id);
    }

    [Fact]
    public async Task A_misspelt_command_is_answered_with_the_right_one() =>
        (await Wherry.RunAsync("imagse")).Refused("images");

    [Fact]
    public async Task The_engine_is_started_on_demand_and_that_is_said()
    {
        // Namespaces of our own: the default directories, but not this host's.
        const string script = """
            mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/lib && ip link set lo up || exit 90
            unset DOCKER_HOST WHERRY_HOST
            "$1" version && "$1" load -q -i "$2" && "$1" run --rm --network none busybox echo on demand
            """;
        var result = await Command.RunAsync(
            "unshare",
            ["--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", script, "sh", Binaries.Wherry, await BaseImages.ArchiveAsync(BaseImages.Busybox)],
            new Dictionary<string, string?> { ["DOCKER_HOST"] = null, ["WHERRY_HOST"] = null },
            input: null,
            TimeSpan.FromSeconds(60));
        await Command.ShellAsync("find /sys/fs/cgroup -depth -type d -path '*/wherry/*' -empty -exec rmdir {} + 2>/dev/null; find /sys/fs/cgroup -maxdepth 2 -type d -name wherry -exec rmdir {} + 2>/dev/null");

        Assert.EndsWith("on demand", result.Succeeded().Text, StringComparison.Ordinal);
        Assert.Contains("start", result.Error, StringComparison.OrdinalIgnoreCase);
    }
}
