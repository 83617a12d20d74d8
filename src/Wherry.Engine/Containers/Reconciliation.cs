using Wherry.Engine.State;
using Wherry.Networking.Bridge;
using Wherry.Runtime.Contracts;

namespace Wherry.Engine.Containers;

/// <summary>
/// What the engine does first when it starts: takes up the containers that lived on without it, takes note of
/// those that ended meanwhile, and undoes whatever a predecessor was killed in the middle of.
/// </summary>
internal sealed class Reconciliation(EngineParts parts, ContainerEnd end, ContainerRemoval removal)
{
    private const int Killed = 137;
    private const int HostWentDown = 255;

    public async Task RunAsync(CancellationToken cancel)
    {
        var containers = LoadRecords();
        var found = new Dictionary<Container, ISandbox?>();
        foreach (var container in containers.Where(container => HasLiveState(container.Record)))
        {
            found[container] = await parts.Isolation.ReattachAsync(parts.LocationOf(container.Record), cancel).ConfigureAwait(false);
        }

        await parts.Bridge.RestoreAsync(EndpointsOf(found), cancel).ConfigureAwait(false);
        foreach (var container in containers)
        {
            await SettleAsync(container, found.GetValueOrDefault(container), cancel).ConfigureAwait(false);
        }

        await SweepAsync(cancel).ConfigureAwait(false);
    }

    private IReadOnlyList<Container> LoadRecords()
    {
        var containers = new List<Container>();
        foreach (var record in parts.Store.LoadAll(parts.Log))
        {
            parts.Registry.ReserveName(record.Name, record.Id);
            var container = new Container(record);
            parts.Registry.Add(container);
            containers.Add(container);
        }

        return containers;
    }

    private bool HasLiveState(ContainerRecord record) =>
        record.Life.IsAlive || Directory.Exists(parts.LocationOf(record).StateDirectory);

    private static IReadOnlyList<Endpoint> EndpointsOf(Dictionary<Container, ISandbox?> found) =>
    [
        .. from pair in found
           where pair.Value?.StartedAt is not null && pair.Key.Life.Endpoint is not null
           select pair.Key.Life.Endpoint,
    ];

    private async Task SettleAsync(Container container, ISandbox? sandbox, CancellationToken cancel)
    {
        var record = container.Record;
        if (sandbox?.StartedAt is { } startedAt)
        {
            Adopt(container, sandbox, startedAt);
            return;
        }

        if (sandbox is not null)
        {
            await sandbox.DisposeAsync().ConfigureAwait(false);
        }

        var location = parts.LocationOf(record);
        if (!record.Life.IsAlive)
        {
            if (Directory.Exists(location.StateDirectory))
            {
                await parts.Isolation.CleanUpAsync(location, cancel).ConfigureAwait(false);
            }

            return;
        }

        // The endpoint was not restored with the live ones, so there is nothing of it left to give back.
        container.Replace(record with { Life = record.Life with { Endpoint = null } });
        var exit = sandbox is null ? parts.Isolation.ReadExitRecord(location) : null;
        await end.FinishAsync(container, exit ?? Unwitnessed(location)).ConfigureAwait(false);
        parts.Log($"container {record.Name} ({container.ShortId}) ended while the engine was away: exit code {container.Life.ExitCode}");
    }

    private void Adopt(Container container, ISandbox sandbox, DateTimeOffset startedAt)
    {
        var life = container.Life;
        container.Sandbox = sandbox;
        container.Replace(container.Record with
        {
            Life = life with
            {
                Status = life.Status == ContainerStatus.Paused ? ContainerStatus.Paused : ContainerStatus.Running,
                Pid = sandbox.HostPid,
                StartedAt = startedAt,
                FinishedAt = null,
            },
        });
        end.Watch(container, sandbox);
        parts.Log($"container {container.Record.Name} ({container.ShortId}) is taken up again");
    }

    /// <summary>A container whose supervisor left no record: it was killed with its supervisor, or the host went down.</summary>
    private static ExitRecord Unwitnessed(SandboxLocation location) => new()
    {
        ExitCode = Directory.Exists(location.StateDirectory) ? Killed : HostWentDown,
        FinishedAt = DateTimeOffset.UtcNow,
        Error = "the container's supervisor ended without recording an exit code",
    };

    private async Task SweepAsync(CancellationToken cancel)
    {
        foreach (var directory in parts.Store.ListUnfinished().ToArray())
        {
            parts.Log($"delete {directory}, left unfinished");
            removal.Delete(Path.GetFileNameWithoutExtension(directory), directory);
        }

        var live = Path.Combine(parts.Options.ExecRoot, "containers");
        if (!Directory.Exists(live))
        {
            return;
        }

        foreach (var directory in Directory.GetDirectories(live))
        {
            var id = Path.GetFileName(directory);
            if (parts.Registry.Find(id) is not null)
            {
                continue;
            }

            var cgroup = "/" + parts.Options.CgroupParent.Trim('/') + "/" + id;
            var location = new SandboxLocation(id, parts.Store.DirectoryOf(id), directory, cgroup);
            await parts.Isolation.CleanUpAsync(location, cancel).ConfigureAwait(false);
            parts.Log($"clean up {directory}, which belongs to no container");
        }
    }
}
