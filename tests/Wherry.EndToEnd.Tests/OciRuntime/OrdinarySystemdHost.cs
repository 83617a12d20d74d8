namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>wherry-oci as an ordinary user with a service manager has it; nothing where users can't have one.</summary>
public sealed class OrdinarySystemdHost : IAsyncLifetime
{
    public OrdinaryOciHost Oci { get; } = new();

    public UserManager Manager { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        if (UserManager.IsPossible)
        {
            await Oci.InitializeAsync();
            Manager = await UserManager.StartAsync(Oci.Host);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Manager is not null)
        {
            // While it still runs; and what it runs are the user's processes too.
            await Oci.RemoveAllAsync();
            await Manager.DisposeAsync();
        }

        await Oci.DisposeAsync();
    }
}
