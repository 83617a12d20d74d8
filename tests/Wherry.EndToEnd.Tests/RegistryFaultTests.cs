using System.Security.Cryptography;

namespace Wherry.EndToEnd.Tests;

/// <summary>Pull and push over a bad line: a proxy of the test's own between the engine and Debian's registry.</summary>
public sealed class RegistryFaultTests(EngineFixture fixture) : EngineTests(fixture)
{
    private const int Size = 8 << 20;

    [Theory, BothClients]
    public async Task Damaged_bytes_are_refused_and_leave_nothing(string client)
    {
        await using var registry = await DebianRegistry.StartAsync();
        await using var proxy = new FaultProxy(registry.Host);
        var name = await PushedAsync(proxy);
        proxy.Faults = static request => FaultProxy.IsBlob(request) ? new Fault { CorruptAt = 100 } : null;

        (await Client(client).RunAsync("pull", name)).Refused("digest");

        Assert.Empty(Directory.EnumerateFiles(Path.Combine(Engine.DataRoot, "content/ingest")));
        (await Client(client).RunAsync("image", "inspect", name)).Refused("No such image");
        proxy.Faults = static _ => null;
        await Client(client).TextAsync("pull", name);
        await Client(client).TextAsync("rmi", name);
    }

    [Theory, BothClients]
    public async Task A_slow_line_is_waited_for_as_long_as_it_moves(string client)
    {
        await using var registry = await DebianRegistry.StartAsync();
        await using var proxy = new FaultProxy(registry.Host);
        var name = await PushedAsync(proxy);
        proxy.Faults = static request => FaultProxy.IsBlob(request) ? new Fault { BytesPerSecond = 2 << 20 } : null;

        await Client(client).TextAsync("pull", name);
        Assert.Equal("ok", await Client(client).TextAsync("run", "--rm", name, "echo", "ok"));
        await Client(client).TextAsync("rmi", name);
    }

    [Theory, BothClients]
    public async Task What_goes_wrong_for_good_is_told_with_registry_and_repository(string client)
    {
        await using var registry = await DebianRegistry.StartAsync();
        await using var proxy = new FaultProxy(registry.Host);
        proxy.Faults = static _ => new Fault { Status = 500 };
        var wrong = (await Client(client).RunAsync("pull", $"{proxy.Host}/team/app:1")).Refused("team/app").Error;
        Assert.Contains(proxy.Host, wrong, StringComparison.Ordinal);
        Assert.Contains("500", wrong, StringComparison.Ordinal);

        wrong = (await Client(client).RunAsync("pull", "registry.invalid/team/app:1")).Refused("team/app").Error;
        Assert.Contains("registry.invalid", wrong, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", wrong, StringComparison.Ordinal);

        var nobody = Ports.Free();
        (await Client(client).RunAsync("pull", $"127.0.0.1:{nobody}/team/app:1")).Refused("refused");
    }

    [Fact]
    public async Task The_environments_proxy_is_used_except_for_names_it_is_not_for()
    {
        await using var registry = await DebianRegistry.StartAsync();
        await using var proxy = new FaultProxy(registry.Host);
        await using var engine = await PrivateEngine.StartNewAsync("--insecure-registry", "through.invalid", "--insecure-registry", "around.invalid");
        await engine.StopAsync();
        engine.Environment = new Dictionary<string, string?> { ["http_proxy"] = $"http://{proxy.Host}", ["https_proxy"] = $"http://{proxy.Host}", ["no_proxy"] = "around.invalid" };
        await engine.StartAsync();
        await BaseImages.LoadAsync(engine, BaseImages.Busybox);
        var wherry = engine.Client(Clients.Wherry);
        await wherry.TextAsync("tag", "busybox", "through.invalid/team/app:1");
        await wherry.TextAsync("tag", "busybox", "around.invalid/team/app:1");

        // Neither name exists: only the proxy knows where the first leads.
        await wherry.TextAsync("push", "through.invalid/team/app:1");
        await wherry.TextAsync("rmi", "through.invalid/team/app:1");
        await wherry.TextAsync("pull", "through.invalid/team/app:1");
        Assert.Contains(proxy.Requests, line => line.StartsWith("GET http://through.invalid/v2/team/app/manifests/1 ", StringComparison.Ordinal));
        (await wherry.RunAsync("push", "around.invalid/team/app:1")).Refused("around.invalid");
        Assert.DoesNotContain(proxy.Requests, line => line.Contains("around.invalid", StringComparison.Ordinal));
    }

    /// <summary>An image with a layer of noise at the registry, and nothing of it here.</summary>
    private async Task<string> PushedAsync(FaultProxy proxy)
    {
        var name = $"{proxy.Host}/{Harness.Client.NewName("fault")}:1";
        var file = Path.Combine(HostDirectory(), "big");
        await File.WriteAllBytesAsync(file, RandomNumberGenerator.GetBytes(Size), TestContext.Current.CancellationToken);
        var id = await Wherry.TextAsync("create", "busybox", "true");
        await Wherry.TextAsync("cp", file, $"{id}:/big");
        await Wherry.TextAsync("commit", id, name);
        await Wherry.RemoveAsync(id);
        await Wherry.TextAsync("push", name);
        await Wherry.TextAsync("rmi", name);
        return name;
    }
}
