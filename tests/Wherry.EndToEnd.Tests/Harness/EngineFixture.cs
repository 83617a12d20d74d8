namespace Wherry.EndToEnd.Tests.Harness;

/// <summary>One private engine with busybox for all the tests of a class.</summary>
public sealed class EngineFixture : IAsyncLifetime
{
    public PrivateEngine Engine { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            throw new InvalidOperationException("containers need root: run the end-to-end tests as root");
        }

        Engine = await PrivateEngine.StartNewAsync();
        await BaseImages.LoadAsync(Engine, BaseImages.Busybox);
    }

    public async ValueTask DisposeAsync()
    {
        if (Engine is not null)
        {
            await Engine.DisposeAsync();
        }
    }
}
