using System.Text.Json;

namespace Wherry.EndToEnd.Tests;

/// <summary>Base images without a registry.</summary>
public sealed class BootstrapTests(EngineFixture fixture) : EngineTests(fixture)
{
    [Fact]
    public async Task Busybox_is_the_same_bytes_every_time()
    {
        var loaded = await Wherry.TextAsync("image", "inspect", "-f", "{{.Id}}", "busybox");
        await using var other = await PrivateEngine.StartNewAsync();

        await other.Client(Clients.Wherry).TextAsync("image", "bootstrap", "busybox");

        Assert.Equal(loaded, await other.Client(Clients.Wherry).TextAsync("image", "inspect", "-f", "{{.Id}}", "busybox"));
    }

    [Theory, BothClients]
    public async Task Debian_is_a_real_debian(string client)
    {
        await BaseImages.LoadAsync(Engine, BaseImages.Debian);

        Assert.Contains("VERSION_CODENAME=bookworm", await Client(client).TextAsync("run", "--rm", "debian:bookworm", "cat", "/etc/os-release"), StringComparison.Ordinal);
        Assert.Equal("33", await Client(client).TextAsync("run", "--rm", "-u", "www-data", "debian:bookworm", "id", "-u"));
        (await Client(client).RunAsync("run", "--rm", "debian:bookworm", "dpkg", "--audit")).Succeeded();
        (await Client(client).RunAsync("run", "--rm", "debian:bookworm", "apt-get", "--version")).Succeeded();
        var json = JsonDocument.Parse(await Client(client).TextAsync("image", "inspect", "debian:bookworm")).RootElement[0];
        Assert.Equal("bash", json.GetProperty("Config").GetProperty("Cmd")[0].GetString()!.Split('/')[^1]);
    }

    [Fact]
    public async Task Unknown_distributions_and_suites_are_refused_by_name()
    {
        (await Wherry.RunAsync("image", "bootstrap", "plan9")).Refused("plan9");
        (await Wherry.RunAsync(["image", "bootstrap", "debian:no-such-suite"], input: null, seconds: 120)).Refused("no-such-suite");
        Assert.Empty((await Wherry.RunAsync("images", "-q", "debian:no-such-suite")).Lines);
    }
}
