using Wherry.Daemon.Logging;
using Wherry.Daemon.Options;
using Wherry.Errors;

namespace Wherry.Daemon.Registry;

/// <summary>One option of the registry: how it is spelt on the command line and in the configuration file, and what it sets.</summary>
/// <param name="Name">Long name without dashes; also the file's key.</param>
/// <param name="Value">What the value is called in the usage; null for a switch.</param>
/// <param name="Help">May have several lines.</param>
/// <param name="Apply">Sets the value; a switch gets <c>true</c> or <c>false</c>. Called once per value of a list.</param>
internal sealed record RegistryOption(string Name, string? Value, string Help, Func<RegistryDaemonOptions, string, RegistryDaemonOptions> Apply)
{
    public bool IsList { get; init; }

    public bool IsSwitch => Value is null;

    public static IReadOnlyList<RegistryOption> All { get; } =
    [
        new("listen", "ADDRESS", "Where to listen, as ADDRESS:PORT; may be repeated\n(default 127.0.0.1:5000)", (options, value) => options with { Listen = [.. options.Listen, OptionValue.EndPoint("listen", value)] }) { IsList = true },
        new("root", "DIR", $"Where content is kept (default {RegistryDaemonOptions.DefaultRoot})", (options, value) => options with { Root = OptionValue.Absolute("root", value) }),
        new("tls-cert", "FILE", "The server's certificate and its chain, PEM", (options, value) => options with { TlsCertificate = OptionValue.Absolute("tls-cert", value) }),
        new("tls-key", "FILE", "Its private key, PEM", (options, value) => options with { TlsKey = OptionValue.Absolute("tls-key", value) }),
        new("htpasswd", "FILE", "Users and their password hashes, as 'htpasswd -B' writes them", (options, value) => options with { Htpasswd = OptionValue.Absolute("htpasswd", value) }),
        new("tokens", null, "Give out tokens to the users of --htpasswd, and to anonymous\nones what the access rules let them do", (options, value) => options with { IssueTokens = OptionValue.Truth("tokens", value) }),
        new("token-signing-key", "FILE", "The P-256 key they are signed with\n(default token-key.pem in the root, made when missing)", (options, value) => options with { TokenSigningKey = OptionValue.Absolute("token-signing-key", value) }),
        new("token-lifetime", "TIME", "How long a token is good (default 5m)", (options, value) => options with { TokenLifetime = OptionValue.Duration("token-lifetime", value) }),
        new("token-key", "FILE", "Accept tokens signed with these public keys or certificates\n(PEM; ES256 or RS256)", (options, value) => options with { TokenKey = OptionValue.Absolute("token-key", value) }),
        new("token-realm", "URL", "Where clients get tokens (default this registry's /token)", (options, value) => options with { TokenRealm = value }),
        new("token-issuer", "NAME", "Who tokens must be from (their iss)", (options, value) => options with { TokenIssuer = value }),
        new("token-service", "NAME", "Who tokens must be for (their aud; default wherry-registry)", (options, value) => options with { TokenService = value }),
        new("read-only", null, "Refuse pushes and removals", (options, value) => options with { ReadOnly = OptionValue.Truth("read-only", value) }),
        new("proxy", "URL", "Fetch what is missing from this registry and keep it", (options, value) => options with { Proxy = OptionValue.Url("proxy", value) }),
        new("proxy-user", "NAME", "Who to be there", (options, value) => options with { ProxyUser = value }),
        new("proxy-password-file", "FILE", "A file that holds the password", (options, value) => options with { ProxyPasswordFile = OptionValue.Absolute("proxy-password-file", value) }),
        new("proxy-ca", "FILE", "Certificates to trust there, PEM (default the host's)", (options, value) => options with { ProxyCa = OptionValue.Absolute("proxy-ca", value) }),
        new("engine-store", null, "Serve the images of this host's engine, read-only", (options, value) => options with { EngineStore = OptionValue.Truth("engine-store", value) }),
        new("data-root", "DIR", "The engine's data root (default /var/lib/wherry)", (options, value) => options with { DataRoot = OptionValue.Absolute("data-root", value) }),
        new("quota", "SIZE", "What each repository may hold", (options, value) => options with { Quota = OptionValue.Bytes("quota", value) }),
        new("max-blob-size", "SIZE", "The largest blob taken in", (options, value) => options with { LargestBlob = OptionValue.Bytes("max-blob-size", value) }),
        new("max-uploads", "NUMBER", "Uploads open at a time (default 1024)", (options, value) => options with { MaximumUploads = OptionValue.Count("max-uploads", value) }),
        new("upload-expiry", "TIME", "When an abandoned upload is given up (default 1h)", (options, value) => options with { UploadExpiry = OptionValue.Duration("upload-expiry", value) }),
        new("gc-interval", "TIME", "How often unneeded content is removed; 0 for never (default 1h)", (options, value) => options with { CollectionInterval = OptionValue.Duration("gc-interval", value) }),
        new("gc-grace", "TIME", "How long unneeded content stays (default 24h)", (options, value) => options with { CollectionGrace = OptionValue.Duration("gc-grace", value) }),
        new("gc-keep-untagged", null, "Never remove manifests that have no tag", (options, value) => options with { KeepUntagged = OptionValue.Truth("gc-keep-untagged", value) }),
        new("metrics-listen", "ADDRESS", "Serve health and metrics there, without TLS or login\n(default /metrics beside the rest)", (options, value) => options with { MetricsListen = OptionValue.EndPoint("metrics-listen", value) }),
        new("log-level", "LEVEL", "debug, info, warn, error or fatal (default info)", (options, value) => options with { LogLevel = Level(value) }),
    ];

    private static LogLevel Level(string value) => LogLevels.TryParse(value)
        ?? throw WherryException.Invalid($"log-level: \"{value}\" is unknown: use debug, info, warn, error or fatal");
}
