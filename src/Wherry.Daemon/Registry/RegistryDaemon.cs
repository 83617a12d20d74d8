using System.Net;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Wherry.Daemon.Instance;
using Wherry.Daemon.Logging;
using Wherry.Errors;
using Wherry.Images.Content;
using Wherry.Registry;
using Wherry.Registry.Authentication;
using Wherry.Registry.Collection;
using Wherry.Registry.EngineStore;
using Wherry.Registry.Http;
using Wherry.Registry.Metrics;
using Wherry.Registry.Names;
using Wherry.Registry.Proxy;
using Wherry.Registry.Storage;

namespace Wherry.Daemon.Registry;

/// <summary>One run of a registry, from its options to the signal that ends it.</summary>
internal sealed class RegistryDaemon(RegistryDaemonOptions options, LineLog log)
{
    /// <summary>What requests under way get to finish: a push of a large layer is better continued than cut off.</summary>
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(10);

    private const string DefaultDataRoot = "/var/lib/wherry";

    public async Task RunAsync()
    {
        using var stop = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);

        Check();
        using var store = options.EngineStore ? null : OpenStore();
        var registryLog = new RegistryLog(log);
        var metrics = new RegistryMetrics();
        using var upstream = options.Proxy is null ? null : OpenUpstream(options.Proxy);
        var cache = upstream is null ? null : new PullThrough(store!, upstream, metrics, registryLog);
        var server = await RegistryServer.StartAsync(ServerOptions(store, cache, metrics), registryLog, new KestrelLog(log), stop.Token).ConfigureAwait(false);
        await using (server.ConfigureAwait(false))
        {
            Announce(server);
            using var memory = new IdleMemory();
            ServiceNotification.Ready();
            await UntilAsync(stop.Token).ConfigureAwait(false);
            ServiceNotification.Stopping();
            log.Info("stopping");
            await server.StopAsync(StopGrace).ConfigureAwait(false);
        }

        if (cache is not null)
        {
            await cache.DisposeAsync().ConfigureAwait(false);
        }

        void Stop(PosixSignalContext signal)
        {
            // A second signal finds the handler gone through and ends the process at once.
            signal.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        }
    }

    /// <summary>Options that are each right can be wrong together.</summary>
    private void Check()
    {
        Require((options.TlsCertificate is null) == (options.TlsKey is null), "tls-cert and tls-key go together");
        Require(!options.IssueTokens || options.Htpasswd is not null, "tokens needs htpasswd: whose tokens would they be?");
        Require(!options.IssueTokens || options.TokenKey is null, "tokens and token-key exclude each other: tokens are given out either here or elsewhere");
        Require(options.TokenKey is null || options.TokenRealm is not null, "token-key needs token-realm: clients must be told where to get tokens");
        Require(!options.EngineStore || options.Proxy is null, "engine-store and proxy exclude each other");
        Require(options.Access.Count == 0 || options.Htpasswd is not null, "access rules need htpasswd, or nobody would have a name");
        Require(options.TokenLifetime >= TimeSpan.FromMinutes(1), "token-lifetime: clients expect at least 1m");
        Require(options.ProxyUser is null == options.ProxyPasswordFile is null, "proxy-user and proxy-password-file go together");
        Require(options.Proxy is not null || options is { ProxyUser: null, ProxyCa: null }, "proxy-user and proxy-ca need proxy: whose would they be?");
        Require(options.EngineStore || options.DataRoot is null, "data-root needs engine-store: where this registry keeps its own content is root");

        static void Require(bool holds, string rule)
        {
            if (!holds)
            {
                throw WherryException.Invalid(rule);
            }
        }
    }

    private LocalStore OpenStore() => LocalStore.Open(new StoreOptions
    {
        Root = options.Root,
        Quotas = options.Quota is { } quota ? [.. options.Quotas, new QuotaRule(RepositoryPattern.All, quota)] : options.Quotas,
        LargestBlob = options.LargestBlob ?? long.MaxValue,
        MaximumUploads = options.MaximumUploads,
        UploadExpiry = options.UploadExpiry,
        AllowMissingBlobs = options.Proxy is not null,
    });

    private HttpUpstream OpenUpstream(Uri address)
    {
        try
        {
            X509Certificate2Collection? authorities = null;
            if (options.ProxyCa is { } file)
            {
                authorities = [];
                authorities.ImportFromPemFile(file);
            }

            return new HttpUpstream(new HttpUpstreamOptions
            {
                // Docker's registry is known by a name that nothing answers to.
                Address = address.Host is "docker.io" or "index.docker.io" ? new Uri("https://registry-1.docker.io") : address,
                User = options.ProxyUser,
                Password = options.ProxyPasswordFile is { } password ? File.ReadAllText(password).TrimEnd('\n', '\r') : null,
                Authorities = authorities,
            });
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw WherryException.Invalid($"proxy: {failure.Message}", failure);
        }
    }

    private RegistryServerOptions ServerOptions(LocalStore? store, PullThrough? cache, RegistryMetrics metrics) => new()
    {
        Content = (IRegistryContent?)cache ?? (IRegistryContent?)store ?? new EngineContent(EngineImages.Open(options.DataRoot ?? DefaultDataRoot)),
        Store = store,
        Metrics = metrics,
        ReadOnly = options.EngineStore ? "it serves an engine's images"
            : cache is not null ? "it is a cache of another registry"
            : options.ReadOnly ? "this registry is read-only"
            : null,
        Listen = options.EffectiveListen,
        MetricsListen = options.MetricsListen,
        Tls = options.TlsCertificate is { } certificate ? TlsIdentity.Open(certificate, options.TlsKey!) : null,
        Authentication = Authentication(),
        Collection = store is null || options.ReadOnly
            ? null
            : new CollectionSchedule(options.CollectionInterval == TimeSpan.Zero ? null : options.CollectionInterval, options.CollectionGrace),
        KeepUntagged = options.KeepUntagged,
    };

    private GatekeeperOptions Authentication()
    {
        var rules = new AccessRules(options.Access);
        var gatekeeper = new GatekeeperOptions
        {
            Passwords = options.Htpasswd is { } file ? HtpasswdFile.Open(file) : null,
            Rules = rules,
            Realm = options.TokenRealm,
            Service = options.TokenService,
        };
        if (options.IssueTokens)
        {
            var key = TokenKeys.ReadOrMake(options.TokenSigningKey ?? Path.Combine(options.Root, "token-key.pem"));
            var issuer = options.TokenIssuer ?? "wherry-registry";
            return gatekeeper with
            {
                Issuer = new TokenIssuer(key, rules, issuer, options.TokenService, options.TokenLifetime),
                Verifier = new TokenVerifier(TokenKeys.Of(key), issuer, options.TokenService),
            };
        }

        return options.TokenKey is { } keys
            ? gatekeeper with { Verifier = new TokenVerifier(TokenKeys.Read(keys), options.TokenIssuer, options.TokenService) }
            : gatekeeper;
    }

    private void Announce(RegistryServer server)
    {
        var scheme = options.TlsCertificate is null ? "http" : "https";
        foreach (var address in server.Addresses)
        {
            log.Info($"listening on {scheme}://{address}");
            if (!IPAddress.IsLoopback(address.Address) && options.Htpasswd is null && options.TokenKey is null && !options.ReadOnly && !options.EngineStore)
            {
                log.Write(LogLevel.Warn, $"whoever reaches {address} may push and delete: see --htpasswd, --tokens and --read-only");
            }
        }

        if (server.MetricsAddress is { } apart)
        {
            log.Info($"metrics on http://{apart}/metrics");
        }
    }

    private static async Task UntilAsync(CancellationToken stop)
    {
        var stopped = new TaskCompletionSource();
        await using var registration = stop.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), stopped).ConfigureAwait(false);
        await stopped.Task.ConfigureAwait(false);
    }
}
