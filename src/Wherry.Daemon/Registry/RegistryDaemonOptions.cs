using System.Net;
using Wherry.Daemon.Logging;
using Wherry.Registry.Authentication;
using Wherry.Registry.Storage;

namespace Wherry.Daemon.Registry;

/// <summary>How one registry is to run: command line and configuration file together.</summary>
internal sealed record RegistryDaemonOptions
{
    public const string DefaultRoot = "/var/lib/wherry-registry";

    /// <summary>Empty for 127.0.0.1:5000.</summary>
    public IReadOnlyList<IPEndPoint> Listen { get; init; } = [];

    public IPEndPoint? MetricsListen { get; init; }

    public string Root { get; init; } = DefaultRoot;

    public string? TlsCertificate { get; init; }

    public string? TlsKey { get; init; }

    public string? Htpasswd { get; init; }

    public IReadOnlyList<AccessRule> Access { get; init; } = [];

    /// <summary>Give out tokens.</summary>
    public bool IssueTokens { get; init; }

    /// <summary>Null for <c>token-key.pem</c> in <see cref="Root"/>.</summary>
    public string? TokenSigningKey { get; init; }

    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Public keys of somebody else who gives out tokens.</summary>
    public string? TokenKey { get; init; }

    public string? TokenRealm { get; init; }

    public string? TokenIssuer { get; init; }

    public string TokenService { get; init; } = "wherry-registry";

    public bool ReadOnly { get; init; }

    public Uri? Proxy { get; init; }

    public string? ProxyUser { get; init; }

    public string? ProxyPasswordFile { get; init; }

    public string? ProxyCa { get; init; }

    public bool EngineStore { get; init; }

    /// <summary>The engine's, with <see cref="EngineStore"/>; null for the default one.</summary>
    public string? DataRoot { get; init; }

    /// <summary>Rules for some repositories; <see cref="Quota"/> is for the rest.</summary>
    public IReadOnlyList<QuotaRule> Quotas { get; init; } = [];

    /// <summary>Bytes.</summary>
    public long? Quota { get; init; }

    /// <summary>Bytes.</summary>
    public long? LargestBlob { get; init; }

    public int MaximumUploads { get; init; } = 1024;

    public TimeSpan UploadExpiry { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Zero for never.</summary>
    public TimeSpan CollectionInterval { get; init; } = TimeSpan.FromHours(1);

    public TimeSpan CollectionGrace { get; init; } = TimeSpan.FromHours(24);

    public bool KeepUntagged { get; init; }

    public LogLevel LogLevel { get; init; } = LogLevel.Info;

    public IReadOnlyList<IPEndPoint> EffectiveListen => Listen.Count > 0 ? Listen : [new IPEndPoint(IPAddress.Loopback, 5000)];
}
