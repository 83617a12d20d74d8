using System.Net.Sockets;
using System.Runtime.InteropServices;
using Wherry.Api;
using Wherry.Daemon.Instance;
using Wherry.Daemon.Logging;
using Wherry.Daemon.Options;
using Wherry.Daemon.Rootless;
using Wherry.Daemon.Sockets;
using Wherry.Engine;
using Wherry.Errors;
using Wherry.Networking.Uplink;

namespace Wherry.Daemon;

/// <summary>One run of the engine, from its options to the signal that ends it.</summary>
/// <exception cref="WherryException">An option makes no sense, or the supervisor's executable is not there.</exception>
internal sealed class EngineDaemon(DaemonOptions options, LineLog log)
{
    /// <summary>What requests under way get to finish; attached clients and log followers are then cut off.</summary>
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(2);

    // What is wrong with the options is said when this is made: before namespaces are, in which an engine could run.
    private readonly ListenAddress[] _addresses = [.. options.EffectiveHosts.Select(ListenAddress.Parse)];
    private readonly EngineOptions _engineOptions = EngineOptionsOf(options);

    /// <summary>
    /// Starts in the order in which later steps need earlier ones and undoes in reverse: the data root is locked
    /// first and released last. Containers keep running under their supervisors after this returns.
    /// </summary>
    public async Task RunAsync()
    {
        using var stop = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, IgnoreHangup);

        using var dataRoot = DataRootLock.Take(options.DataRoot);
        using var pidFile = PidFile.Create(options.EffectivePidFile);
        var rootless = RootlessEngine.IsThisProcess ? ConnectNamespace() : null;
        var engine = await OpenAsync(rootless, stop.Token).ConfigureAwait(false);
        await using (engine.ConfigureAwait(false))
        {
            var server = new RestServer(EngineRoutes.For(engine), Bind(_addresses), log, new KestrelLog(log));
            await using (server.ConfigureAwait(false))
            {
                await server.StartAsync(stop.Token).ConfigureAwait(false);
                foreach (var address in _addresses)
                {
                    log.Info($"listening on {address}");
                }

                using var memory = new IdleMemory();
                ServiceNotification.Ready();
                await UntilAsync(stop.Token).ConfigureAwait(false);
                ServiceNotification.Stopping();
                log.Info("stopping; containers keep running");
                await server.StopAsync(StopGrace).ConfigureAwait(false);
            }

            // What nobody needs does not stay; containers that live need their network.
            if (RootlessEngine.IsThisProcess && !engine.Containers.AnyAlive)
            {
                HolderProcess.End(options.ExecRoot);
            }
        }

        void Stop(PosixSignalContext signal)
        {
            // A second signal finds the handler gone through and ends the process at once.
            signal.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        }

        void IgnoreHangup(PosixSignalContext signal)
        {
            signal.Cancel = true;
            log.Write(LogLevel.Warn, "SIGHUP: options can't be changed while running: restart the engine, containers keep running");
        }
    }

    private static EngineOptions EngineOptionsOf(DaemonOptions options) => new()
    {
        DataRoot = options.DataRoot,
        ExecRoot = options.ExecRoot,
        BridgeName = options.Bridge,
        Bip = options.Bip,
        CgroupParent = options.CgroupParent,
        StorageDriver = options.StorageDriver,
        RootSize = options.RootSize,
        ShimPath = ShimLocation.Find(options.ShimPath),
        UserNamespaces = options.EffectiveUserNamespaces(),
        SubordinateIds = options.SubordinateIds,
        Registries = options.Registries,
        ImageGc = options.ImageGc,
        Debug = options.LogLevel == LogLevel.Debug,
        Labels = options.Labels.Select(label => label.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal),
    };

    private async Task<WherryEngine> OpenAsync(RootlessOptions? rootless, CancellationToken stop)
    {
        try
        {
            return await WherryEngine.OpenAsync(_engineOptions with { Rootless = rootless }, log.Info, stop).ConfigureAwait(false);
        }
        catch when (rootless is not null && !HasLiveState())
        {
            // Namespaces that no container of a former engine's is in would be left to nobody.
            HolderProcess.End(options.ExecRoot);
            throw;
        }
    }

    private bool HasLiveState() => Path.Combine(options.ExecRoot, "containers") is var live && Directory.Exists(live) && Directory.EnumerateFileSystemEntries(live).Any();

    private RootlessOptions ConnectNamespace()
    {
        var resolver = default(string);
        try
        {
            using var lifeline = RootlessEngine.OpenLifeline();
            resolver = UserModeUplink.Ensure(RootlessEngine.NetworkNamespace, lifeline, HolderProcess.UplinkRecord(options.ExecRoot))?.Program.Resolver;
            if (resolver is null)
            {
                log.Write(LogLevel.Warn, $"neither {string.Join(" nor ", UplinkProgram.All.Select(program => program.Name))} is installed: containers reach one another, but nothing outside");
            }
        }
        catch (WherryException failed)
        {
            log.Write(LogLevel.Warn, $"{failed.Message}: containers reach one another, but nothing outside");
        }

        return new RootlessOptions(RootlessEngine.NetworkNamespace, resolver, UplinkProgram.Mtu);
    }

    private List<Socket> Bind(IEnumerable<ListenAddress> addresses)
    {
        var sockets = new List<Socket>();
        try
        {
            foreach (var address in addresses)
            {
                // Inside, other groups than the user's own have no number of their own.
                sockets.Add(ListenSocket.Bind(address, RootlessEngine.IsThisProcess ? "" : options.Group));
            }

            return sockets;
        }
        catch
        {
            sockets.ForEach(socket => socket.Dispose());
            throw;
        }
    }

    private static async Task UntilAsync(CancellationToken stop)
    {
        var stopped = new TaskCompletionSource();
        await using var registration = stop.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), stopped).ConfigureAwait(false);
        await stopped.Task.ConfigureAwait(false);
    }
}
