using System.Text.Json.Nodes;

namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>spec, features, logs, and what is refused.</summary>
public sealed class OciCommandLineTests(OciHost host) : IClassFixture<OciHost>
{
    [Fact]
    public async Task Spec_writes_a_configuration_that_runs()
    {
        var bundle = Path.Combine(host.Directory, "from-spec");
        Directory.CreateDirectory(bundle);
        (await host.RunAsync("spec", "--bundle", bundle)).Succeeded();
        (await host.RunAsync("spec", "--bundle", bundle)).Failed(1, "exists");
        var path = Path.Combine(bundle, "config.json");
        var config = JsonNode.Parse(await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken))!;
        config["process"]!["terminal"] = false;
        config["process"]!["args"] = new JsonArray("echo", "fine");
        config["root"]!["path"] = host.RootFilesystem;
        config["linux"]!["cgroupsPath"] = $"{host.CgroupParent}/from-spec";
        await File.WriteAllTextAsync(path, config.ToJsonString(), TestContext.Current.CancellationToken);
        Assert.Equal("fine", (await host.RunAsync("run", "-b", bundle, OciHost.NewId())).Succeeded().Text);
    }

    [Fact]
    public async Task Features_are_json()
    {
        var features = JsonNode.Parse((await host.RunAsync("features")).Succeeded().Output)!;
        Assert.Equal("1.0.0", (string)features["ociVersionMin"]!);
        Assert.Contains("mount", features["linux"]!["namespaces"]!.AsArray().Select(name => (string)name!));
    }

    [Fact]
    public async Task Errors_go_to_standard_error_or_to_the_log_in_the_form_asked_for()
    {
        var text = (await host.RunAsync("state", "nobody")).Exited(1);
        Assert.Matches("""^time="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ" level=error msg="container does not exist"\n$""", text.Error);

        var log = Path.Combine(host.Directory, "text.log");
        var logged = (await host.RunAsync("--log", log, "state", "nobody")).Exited(1);
        Assert.Equal("container does not exist\n", logged.Error);
        Assert.Matches("level=error msg=\"container does not exist\"", await File.ReadAllTextAsync(log, TestContext.Current.CancellationToken));

        var debug = Path.Combine(host.Directory, "debug.log");
        (await host.RunAsync("--debug", "--log=" + debug, "--log-format=json", "state", "no\"body")).Exited(1);
        var lines = (await File.ReadAllLinesAsync(debug, TestContext.Current.CancellationToken)).Select(line => JsonNode.Parse(line)!).ToArray();
        Assert.Equal(["debug", "error"], lines.Select(line => (string)line["level"]!));
        Assert.Equal("invalid container ID format", (string)lines[1]["msg"]!);
        (await host.RunAsync("--log-format", "xml", "state", "nobody")).Failed(1, "invalid log-format: xml");
    }

    [Theory]
    [InlineData("flag provided but not defined: -frobnicate", "state", "--frobnicate", "c")]
    [InlineData("flag needs an argument: -bundle", "create", "c", "--bundle")]
    [InlineData("requires exactly 1 argument", "state")]
    [InlineData("requires exactly 1 argument", "delete", "a", "b")]
    public async Task What_is_not_understood_is_refused_by_name(string message, params string[] arguments) =>
        (await host.RunAsync(arguments)).Failed(1, message);

    [Fact]
    public async Task Version_and_help_are_told()
    {
        var version = (await host.RunAsync("--version")).Succeeded().Lines;
        Assert.StartsWith("wherry-oci version ", version[0], StringComparison.Ordinal);
        Assert.StartsWith("spec: ", version[1], StringComparison.Ordinal);
        var help = (await host.RunAsync("--help")).Succeeded().Output;
        foreach (var command in new[] { "create", "start", "run", "state", "list", "ps", "kill", "exec", "pause", "resume", "checkpoint", "restore", "update", "events", "delete", "spec", "features" })
        {
            Assert.Contains($"  {command} ", help, StringComparison.Ordinal);
            Assert.Contains($"wherry-oci {command}", (await host.RunAsync(command, "--help")).Succeeded().Output, StringComparison.Ordinal);
        }
    }
}
