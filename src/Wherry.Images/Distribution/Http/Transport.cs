using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Wherry.Errors;

namespace Wherry.Images.Distribution.Http;

/// <summary>Connections to registries, pooled by how they are secured. Redirects, credentials and tries are the session's business.</summary>
/// <remarks>Thread-safe. Lives as long as the engine; idle connections end by themselves.</remarks>
internal sealed class Transport(RegistryOptions options)
{
    private readonly ConcurrentDictionary<string, Lazy<HttpMessageInvoker>> _invokers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _lastSchemes = new(StringComparer.Ordinal);

    internal RegistryOptions Options { get; } = options;

    /// <summary>Sends one request as it is; returns when the head of the answer is there.</summary>
    internal Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, bool anyCertificate, CancellationToken cancel) =>
        InvokerFor(request.RequestUri!, anyCertificate).SendAsync(request, cancel);

    /// <summary>An insecure registry's endpoints come in pairs; the one that answered last time goes first.</summary>
    internal IReadOnlyList<Endpoint> InOrder(IReadOnlyList<Endpoint> endpoints) =>
        [.. endpoints.Select((endpoint, index) => (endpoint, index)).OrderBy(pair => Rank(pair.endpoint, pair.index, endpoints)).Select(pair => pair.endpoint)];

    internal void Answered(Endpoint endpoint) => _lastSchemes[endpoint.Authority] = endpoint.Scheme;

    private double Rank(Endpoint endpoint, int index, IReadOnlyList<Endpoint> all)
    {
        // Only ever swaps neighbours of the same name: https and http of an insecure registry.
        var isLast = _lastSchemes.TryGetValue(endpoint.Authority, out var scheme) && scheme == endpoint.Scheme;
        return isLast && index > 0 && all[index - 1].Authority == endpoint.Authority && !endpoint.IsMirror ? index - 1.5 : index;
    }

    private HttpMessageInvoker InvokerFor(Uri uri, bool anyCertificate)
    {
        var files = uri.Scheme == "https" ? CertificateFiles.Find(Options.CertificateDirectories, uri) : CertificateFiles.None;
        var direct = uri.IsLoopback;
        // Files that changed make a new key: new connections then use the new files.
        var key = files.IsEmpty && !anyCertificate ? $"{direct}" : $"{direct} {anyCertificate} {uri.Authority} {files.Stamp}";
        return _invokers.GetOrAdd(key, _ => new Lazy<HttpMessageInvoker>(() => new HttpMessageInvoker(Handler(direct, anyCertificate, files)))).Value;
    }

    private static SocketsHttpHandler Handler(bool direct, bool anyCertificate, CertificateFiles files)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = TimeSpan.FromSeconds(15),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(20),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            // The environment's proxies; none for this very host.
            UseProxy = !direct,
            ActivityHeadersPropagator = null,
        };
        var (authorities, clients) = files.Load();
        if (anyCertificate)
            handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
        else if (authorities.Count > 0)
            handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, chain, errors) => Trusts(authorities, certificate, chain, errors);
        if (clients.Count > 0)
        {
            handler.SslOptions.ClientCertificates = clients;
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, offered, _, _) => offered[0];
        }
        return handler;
    }

    /// <summary>What the system does not trust may still lead to one of the registry's own authorities.</summary>
    private static bool Trusts(X509Certificate2Collection authorities, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
            return true;
        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || certificate is null)
            return false;
        using var own = new X509Chain();
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.CustomTrustStore.AddRange(authorities);
        own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        foreach (var element in chain?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
            own.ChainPolicy.ExtraStore.Add(element.Certificate);
        using var leaf = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return own.Build(leaf);
    }
}

/// <summary>The certificates of one registry: <c>certs.d/host[:port]/</c>, as Docker has them.</summary>
/// <param name="Directory">Where they are.</param>
/// <param name="Names">The files that count.</param>
/// <param name="Stamp">Changes with any of the files; empty where there are none.</param>
internal sealed record CertificateFiles(string Directory, IReadOnlyList<string> Names, string Stamp)
{
    internal static CertificateFiles None { get; } = new("", [], "");

    internal bool IsEmpty => Names.Count == 0;

    internal static CertificateFiles Find(IReadOnlyList<string> directories, Uri uri)
    {
        foreach (var name in uri.IsDefaultPort ? new[] { uri.Host, $"{uri.Host}:{uri.Port}" } : [$"{uri.Host}:{uri.Port}"])
        {
            foreach (var directory in directories.Select(parent => new DirectoryInfo(Path.Combine(parent, name))).Where(found => found.Exists))
            {
                var files = directory.EnumerateFiles().Where(file => file.Extension is ".crt" or ".cert" or ".key").OrderBy(file => file.Name, StringComparer.Ordinal).ToList();
                if (files.Count > 0)
                    return new CertificateFiles(directory.FullName, [.. files.Select(file => file.FullName)], $"{directory} {string.Join(' ', files.Select(file => $"{file.Name}:{file.LastWriteTimeUtc.Ticks}"))}");
            }
        }
        return None;
    }

    /// <summary>Authorities and clients, read and checked.</summary>
    internal (X509Certificate2Collection Authorities, X509Certificate2Collection Clients) Load()
    {
        var authorities = new X509Certificate2Collection();
        var clients = new X509Certificate2Collection();
        try
        {
            foreach (var file in Names.Where(file => file.EndsWith(".crt", StringComparison.Ordinal)))
                authorities.ImportFromPemFile(file);
            foreach (var file in Names.Where(file => file.EndsWith(".cert", StringComparison.Ordinal)))
            {
                var key = Path.ChangeExtension(file, ".key");
                if (!File.Exists(key))
                    throw WherryException.Invalid($"missing key {Path.GetFileName(key)} for client certificate {file}: CA certificates must end in .crt");
                clients.Add(X509Certificate2.CreateFromPemFile(file, key));
            }
        }
        catch (CryptographicException unreadable)
        {
            throw WherryException.Invalid($"certificates in {Directory} can't be read: {unreadable.Message}", unreadable);
        }
        return (authorities, clients);
    }
}
