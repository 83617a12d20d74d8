namespace Wherry.EndToEnd.Tests.Harness;

/// <summary>
/// Base of the test classes that drive an engine. Whatever containers and volumes the tests leave are removed
/// at the end of the class, by the engine, and after that nothing may be left on the host.
/// </summary>
[TestCaseOrderer(typeof(LeakCheckLastOrderer))]
public abstract class EngineTests(EngineFixture fixture) : IClassFixture<EngineFixture>, IAsyncLifetime
{
    protected PrivateEngine Engine { get; } = fixture.Engine;

    protected Client Docker => Engine.Client(Clients.Docker);

    protected Client Wherry => Engine.Client(Clients.Wherry);

    public virtual ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public virtual ValueTask DisposeAsync()
    {
        if (TestContext.Current.TestState?.Result == TestResult.Failed)
        {
            TestContext.Current.TestOutputHelper?.WriteLine("The engine's log:\n" + Engine.Log());
        }

        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>Runs after all other tests of the class.</summary>
    [Fact]
    public async Task Nothing_is_left_behind()
    {
        var containers = (await Docker.RunAsync("ps", "-aq")).Succeeded().Lines;
        if (containers.Length > 0)
        {
            (await Docker.RunAsync(["rm", "-f", "-v", .. containers])).Succeeded();
        }

        var volumes = (await Docker.RunAsync("volume", "ls", "-q")).Succeeded().Lines;
        if (volumes.Length > 0)
        {
            (await Docker.RunAsync(["volume", "rm", "-f", .. volumes])).Succeeded();
        }

        await Leaks.AssertNoneAsync(Engine);
    }

    protected Client Client(string kind) => Engine.Client(kind);

    /// <summary>A directory on the host, for bind mounts and files; it goes with the engine's own.</summary>
    protected string HostDirectory()
    {
        var path = Path.Combine(Engine.DataRoot, "test-files", Harness.Client.NewName("dir"));
        Directory.CreateDirectory(path);
        return path;
    }
}
