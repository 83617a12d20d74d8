using Wherry.Engine.Networks;
using Wherry.Engine.Security;
using Wherry.Engine.State;
using Wherry.Errors;
using Wherry.Networking;
using Wherry.Networking.Bridge;
using Wherry.Runtime.Contracts;

namespace Wherry.Engine.Containers;

/// <summary>
/// One start of one container, from a record at rest to a running program. Every step that makes something
/// has its opposite in <see cref="UndoAsync"/>; the engine's death at any point is mended by
/// <see cref="Reconciliation"/>.
/// </summary>
internal sealed class ContainerStart(EngineParts parts, Container container)
{
    private static readonly TimeSpan PatienceWithRecord = TimeSpan.FromMilliseconds(50);

    private ISandbox? _sandbox;
    private Endpoint? _endpoint;

    /// <summary>Runs the steps in order; the caller holds the container's lock.</summary>
    /// <returns>What was clipped to the host's limits.</returns>
    public async Task<IReadOnlyList<string>> RunAsync(CancellationToken cancel)
    {
        var before = container.Life;
        try
        {
            var request = new SandboxPlan(parts, container.Record).Make();
            var profile = request.Spec.Process?.ApparmorProfile;
            AppArmorProfiles.Require(profile);
            _sandbox = await parts.Isolation.CreateAsync(request, cancel).ConfigureAwait(false);
            await ConnectNetworkAsync(_sandbox, cancel).ConfigureAwait(false);
            Remember(new ContainerLife { Status = ContainerStatus.Starting, Endpoint = _endpoint, Pid = _sandbox.HostPid, AppArmorProfile = profile });
            await ConnectWaitingClientsAsync(_sandbox, cancel).ConfigureAwait(false);
            await _sandbox.StartAsync(cancel).ConfigureAwait(false);
            container.Sandbox = _sandbox;
            container.Replace(container.Record with
            {
                Life = container.Life with { Status = ContainerStatus.Running, StartedAt = _sandbox.StartedAt ?? DateTimeOffset.UtcNow },
            });
            return _sandbox.Warnings;
        }
        catch (Exception failure)
        {
            var cause = await CauseOfAsync(failure).ConfigureAwait(false);
            await UndoAsync().ConfigureAwait(false);
            Remember(AfterFailure(before, cause));
            if (ReferenceEquals(cause, failure))
            {
                throw;
            }

            throw cause;
        }
    }

    /// <summary>
    /// A first process that fails on its own, before it is asked to start, makes whatever step is under way fail
    /// too; the reason is in the record its supervisor leaves a moment later.
    /// </summary>
    private async Task<Exception> CauseOfAsync(Exception failure)
    {
        if (_sandbox is null || failure is SandboxStartException)
        {
            return failure;
        }

        await Task.WhenAny(_sandbox.Exit, Task.Delay(PatienceWithRecord)).ConfigureAwait(false);
        return _sandbox.Exit is { IsCompletedSuccessfully: true, Result: { StartedAt: null, Error.Length: > 0 } record }
            ? new SandboxStartException(record.Error, record.ExitCode)
            : failure;
    }

    private async Task ConnectNetworkAsync(ISandbox sandbox, CancellationToken cancel)
    {
        var mode = NetworkMode.Parse(container.Record.Host.NetworkMode);
        if (sandbox.NetworkNamespacePath is not { } path)
        {
            return;
        }

        if (mode.Kind != NetworkKind.Bridge)
        {
            await Loopback.BringUpAsync(path).ConfigureAwait(false);
            return;
        }

        _endpoint = await parts.Bridge.ConnectAsync(EndpointPlan.For(container.Record, path), cancel).ConfigureAwait(false);
        NetworkFiles.WriteHosts(parts, container.Record, _endpoint);
    }

    private async Task ConnectWaitingClientsAsync(ISandbox sandbox, CancellationToken cancel)
    {
        foreach (var waiting in container.TakePending())
        {
            var connection = await sandbox.AttachAsync(waiting.Streams, cancel).ConfigureAwait(false);
            if (!waiting.TryConnect(connection))
            {
                await connection.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private void Remember(ContainerLife life)
    {
        var record = container.Record with { Life = life };
        parts.Store.Save(record);
        container.Replace(record);
    }

    private async Task UndoAsync()
    {
        container.Sandbox = null;
        if (_sandbox is not null)
        {
            await _sandbox.DisposeAsync().ConfigureAwait(false);
        }

        // Not cancellable: whoever asked may have gone, what was made must go all the same.
        await parts.Isolation.CleanUpAsync(parts.LocationOf(container.Record), CancellationToken.None).ConfigureAwait(false);
        if (_endpoint is not null)
        {
            await parts.Bridge.DisconnectAsync(_endpoint).ConfigureAwait(false);
        }
    }

    /// <summary>A program that could not be executed leaves its reason and exit code, as Docker shows them.</summary>
    private static ContainerLife AfterFailure(ContainerLife before, Exception failure) => before with
    {
        Status = before.Status is ContainerStatus.Created ? ContainerStatus.Created : ContainerStatus.Exited,
        Pid = null,
        Endpoint = null,
        ExitCode = failure is SandboxStartException start ? start.ExitCode : failure is WherryException ? 128 : before.ExitCode,
        Error = failure.Message,
    };
}
