using System.Text.Json;

namespace Wherry.EndToEnd.Tests;

/// <summary>Pull and push through both command lines, against Debian's registry and with other clients on its other side.</summary>
public sealed class RegistryTests(EngineFixture fixture) : EngineTests(fixture)
{
    // The password is "secret".
    private const string Users = "ann:$2b$05$aAM4fRpgVgVKYkYn.gxEJuzShHKGpNM110q89YhvWd7nO8tFekgYC";

    [Theory, BothClients]
    public async Task What_is_pushed_is_pulled_and_run(string client)
    {
        await using var registry = await DebianRegistry.StartAsync();
        var name = $"{registry.Host}/team/{Harness.Client.NewName("app")}:v1";
        await Client(client).TextAsync("tag", "busybox", name);
        var id = await Client(client).TextAsync("image", "inspect", "-f", "{{.Id}}", name);

        Assert.Contains("v1: digest: sha256:", await Client(client).TextAsync("push", name), StringComparison.Ordinal);
        await Client(client).TextAsync("rmi", name);
        var output = await Client(client).TextAsync("pull", name);

        Assert.Contains($"Status: Downloaded newer image for {name}", output, StringComparison.Ordinal);
        Assert.Equal(id, await Client(client).TextAsync("image", "inspect", "-f", "{{.Id}}", name));
        Assert.Contains($"Status: Image is up to date for {name}", await Client(client).TextAsync("pull", name), StringComparison.Ordinal);
        Assert.Equal("hello", await Client(client).TextAsync("run", "--rm", name, "echo", "hello"));
        await Client(client).TextAsync("rmi", name);
    }

    [Theory, BothClients]
    public async Task Run_pulls_a_missing_image_unless_told_never_to(string client)
    {
        await using var registry = await DebianRegistry.StartAsync();
        var name = $"{registry.Host}/{Harness.Client.NewName("missing")}";
        await Docker.TextAsync("tag", "busybox", name);
        await Docker.TextAsync("push", name);
        await Docker.TextAsync("rmi", name);

        (await Client(client).RunAsync("run", "--rm", "--pull", "never", name, "true")).Refused("No such image");
        Assert.Equal("here", await Client(client).TextAsync("run", "--rm", name, "echo", "here"));
        Assert.Equal("again", await Client(client).TextAsync("run", "--rm", "--pull", "always", "-q", name, "echo", "again"));
        await Client(client).TextAsync("rmi", name);
        (await Client(client).RunAsync("pull", $"{registry.Host}/nobody/nothing")).Refused("not found");
    }

    [Fact]
    public async Task Skopeo_copies_what_we_push_and_we_pull_what_skopeo_copies()
    {
        var skopeo = Binaries.Need("skopeo");
        await using var registry = await DebianRegistry.StartAsync();
        await Docker.TextAsync("tag", "busybox", $"{registry.Host}/ours:1");
        await Docker.TextAsync("push", $"{registry.Host}/ours:1");

        (await Command.RunAsync(skopeo, "copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false", "--format", "v2s2", $"docker://{registry.Host}/ours:1", $"docker://{registry.Host}/theirs:1")).Succeeded();
        await Docker.TextAsync("pull", "-q", $"{registry.Host}/theirs:1");

        Assert.Equal("ok", await Docker.TextAsync("run", "--rm", $"{registry.Host}/theirs:1", "echo", "ok"));
        await Docker.TextAsync("rmi", $"{registry.Host}/ours:1", $"{registry.Host}/theirs:1");
    }

    [Theory, BothClients]
    public async Task Only_who_has_logged_in_may_pull_and_push(string client)
    {
        await using var registry = await DebianRegistry.StartAsync(Users);
        var name = $"{registry.Host}/private:1";
        var file = client == Clients.Docker ? Binaries.Docker : Binaries.Wherry;
        var environment = new Dictionary<string, string?>(Client(client).Environment) { ["DOCKER_CONFIG"] = HostDirectory() };
        Task<CommandResult> RunAsync(string? input, params string[] arguments) => Command.RunAsync(file, arguments, environment, input, Command.DefaultTimeout);
        await Client(client).TextAsync("tag", "busybox", name);

        (await RunAsync(null, "push", name)).Refused("denied");
        (await RunAsync("wrong", "login", "-u", "ann", "--password-stdin", registry.Host)).Refused("incorrect username or password");
        Assert.Contains("Login Succeeded", (await RunAsync("secret", "login", "-u", "ann", "--password-stdin", registry.Host)).Succeeded().Text, StringComparison.Ordinal);
        (await RunAsync(null, "push", name)).Succeeded();
        await Client(client).TextAsync("rmi", name);
        (await RunAsync(null, "pull", name)).Succeeded();
        (await RunAsync(null, "logout", registry.Host)).Succeeded();
        (await RunAsync(null, "pull", name)).Refused("pull access denied");
        await Client(client).TextAsync("rmi", name);
    }

    [Theory]
    [InlineData(Clients.Docker, "credsStore")]
    [InlineData(Clients.Wherry, "credsStore")]
    [InlineData(Clients.Docker, "credHelpers")]
    [InlineData(Clients.Wherry, "credHelpers")]
    public async Task A_credential_helper_keeps_the_password_and_the_file_does_not(string client, string how)
    {
        await using var registry = await DebianRegistry.StartAsync(Users);
        var name = $"{registry.Host}/helped:1";
        var directory = HostDirectory();
        // It keeps what it is given in a file, as a keyring would, and knows one registry.
        var helper = Path.Combine(directory, "docker-credential-test");
        await File.WriteAllTextAsync(helper, $"#!/bin/sh\ncase $1 in\nstore) cat >{directory}/kept ;;\nget) if [ -e {directory}/kept ]; then cat {directory}/kept; else echo 'credentials not found in native keychain'; exit 1; fi ;;\nerase) rm -f {directory}/kept ;;\nlist) echo '{{}}' ;;\nesac\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(helper, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await File.WriteAllTextAsync(Path.Combine(directory, "config.json"), how == "credsStore" ? """{"credsStore":"test"}""" : $$$"""{"credHelpers":{"{{{registry.Host}}}":"test"}}""", TestContext.Current.CancellationToken);
        var file = client == Clients.Docker ? Binaries.Docker : Binaries.Wherry;
        var environment = new Dictionary<string, string?>(Client(client).Environment) { ["DOCKER_CONFIG"] = directory, ["PATH"] = $"{directory}:{Environment.GetEnvironmentVariable("PATH")}" };
        Task<CommandResult> RunAsync(string? input, params string[] arguments) => Command.RunAsync(file, arguments, environment, input, Command.DefaultTimeout);
        await Client(client).TextAsync("tag", "busybox", name);

        (await RunAsync(null, "push", name)).Refused("denied");
        (await RunAsync("secret", "login", "-u", "ann", "--password-stdin", registry.Host)).Succeeded();
        Assert.Contains("\"Secret\":\"secret\"", await File.ReadAllTextAsync(Path.Combine(directory, "kept"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        var config = await File.ReadAllTextAsync(Path.Combine(directory, "config.json"), TestContext.Current.CancellationToken);
        Assert.DoesNotContain("secret", config, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String("ann:secret"u8), config, StringComparison.Ordinal);
        (await RunAsync(null, "push", name)).Succeeded();
        (await RunAsync(null, "logout", registry.Host)).Succeeded();
        Assert.False(File.Exists(Path.Combine(directory, "kept")), "the helper has forgotten it");
        (await RunAsync(null, "push", name)).Refused("denied");
        await Client(client).TextAsync("rmi", name);
    }

    [Fact]
    public async Task Images_are_looked_at_without_being_pulled()
    {
        await using var registry = await DebianRegistry.StartAsync();
        var name = $"{registry.Host}/look:1";
        await Docker.TextAsync("tag", "busybox", name);
        await Docker.TextAsync("push", name);
        await Docker.TextAsync("rmi", name);

        using var manifest = JsonDocument.Parse(await Wherry.TextAsync("manifest", "inspect", name));
        Assert.Equal(2, manifest.RootElement.GetProperty("schemaVersion").GetInt32());
        Assert.Equal("1", await Wherry.TextAsync("image", "tags", $"{registry.Host}/look"));
        using var rest = Engine.Rest();
        Assert.Equal(200, (await rest.SendAsync(HttpMethod.Get, $"/distribution/{name}/json")).Status);
        (await Docker.RunAsync("search", $"{registry.Host}/look")).Refused("offers no search");
        (await Wherry.RunAsync("image", "inspect", name)).Refused("No such image");
    }
}
