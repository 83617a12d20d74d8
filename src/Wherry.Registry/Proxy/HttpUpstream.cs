using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Wherry.Oci.Images;
using Wherry.Registry.Manifests;
using Wherry.Registry.Names;

namespace Wherry.Registry.Proxy;

/// <summary>How to reach the other registry.</summary>
public sealed record HttpUpstreamOptions
{
    public required Uri Address { get; init; }

    public string? User { get; init; }

    public string? Password { get; init; }

    /// <summary>Roots to trust instead of the host's.</summary>
    public X509Certificate2Collection? Authorities { get; init; }
}

/// <summary>The other registry over HTTP: redirects are followed, credentials stay with the registry and its token service.</summary>
public sealed class HttpUpstream : IUpstream, IDisposable
{
    /// <summary>For an answer's head, and between two pieces of a body.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private const int LargestList = 8 * 1024 * 1024;

    private static readonly string[] ManifestTypes =
        [MediaTypes.OciIndex, MediaTypes.OciManifest, MediaTypes.DockerManifestList, MediaTypes.DockerManifest];

    private readonly HttpUpstreamOptions _options;
    private readonly HttpClient _client;
    private readonly UpstreamAuthorization _authorization;

    public HttpUpstream(HttpUpstreamOptions options)
    {
        _options = options;
        var handler = new SocketsHttpHandler
        {
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            MaxAutomaticRedirections = 5,
            UseCookies = false,
            MaxResponseHeadersLength = 64,
        };
        if (options.Authorities is { } roots)
        {
            handler.SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck },
            };
            handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(roots);
        }

        _client = new HttpClient(handler) { BaseAddress = options.Address, Timeout = Timeout.InfiniteTimeSpan };
        _authorization = new UpstreamAuthorization(_client, options.User, options.Password);
    }

    public async Task<ContentDigest?> ResolveAsync(string repository, ManifestReference reference, CancellationToken cancel)
    {
        using var answer = await SendAsync(HttpMethod.Head, repository, $"manifests/{reference}", ManifestTypes, cancel).ConfigureAwait(false);
        if (answer is null)
        {
            return null;
        }

        var named = answer.Headers.TryGetValues("Docker-Content-Digest", out var values) ? values.First() : null;
        return ContentDigest.TryParse(named, out var digest)
            ? digest
            : (await FetchManifestAsync(repository, reference, cancel).ConfigureAwait(false))?.Digest;
    }

    public async Task<StoredManifest?> FetchManifestAsync(string repository, ManifestReference reference, CancellationToken cancel)
    {
        using var answer = await SendAsync(HttpMethod.Get, repository, $"manifests/{reference}", ManifestTypes, cancel).ConfigureAwait(false);
        if (answer is null)
        {
            return null;
        }

        var content = await ReadAsync(answer, ManifestDocument.LargestManifest, cancel).ConfigureAwait(false);
        var digest = ContentDigest.Of(content, reference.Digest?.Algorithm ?? ContentDigest.Sha256);
        if (reference.Digest is { } wanted && wanted != digest)
        {
            throw new UpstreamException($"{_options.Address.Host} sent a manifest of the digest {digest} for {wanted}");
        }

        return new StoredManifest(digest, answer.Content.Headers.ContentType?.MediaType ?? "", content);
    }

    public async Task<UpstreamBlob?> OpenBlobAsync(string repository, ContentDigest digest, CancellationToken cancel)
    {
        var answer = await SendAsync(HttpMethod.Get, repository, $"blobs/{digest}", [], cancel).ConfigureAwait(false);
        if (answer is null)
        {
            return null;
        }

        if (answer.Content.Headers.ContentLength is not { } length)
        {
            answer.Dispose();
            throw new UpstreamException($"{_options.Address.Host} doesn't say how long {digest} is");
        }

        return new UpstreamBlob(length, await answer.Content.ReadAsStreamAsync(cancel).ConfigureAwait(false), answer);
    }

    public async Task<byte[]?> FetchListAsync(string repository, string path, CancellationToken cancel)
    {
        using var answer = await SendAsync(HttpMethod.Get, repository, path, [], cancel).ConfigureAwait(false);
        return answer is null ? null : await ReadAsync(answer, LargestList, cancel).ConfigureAwait(false);
    }

    public void Dispose() => _client.Dispose();

    /// <summary>The answer when it is a success, null for 404; authorization is got when it is asked for.</summary>
    private async Task<HttpResponseMessage?> SendAsync(HttpMethod method, string repository, string path, IReadOnlyList<string> accept, CancellationToken cancel)
    {
        var name = NameThere(repository);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Patience);
        try
        {
            for (var attempt = 0; ; attempt++)
            {
                using var request = new HttpRequestMessage(method, $"/v2/{name}/{path}");
                request.Headers.Accept.ParseAdd(accept.Count == 0 ? "*/*" : string.Join(", ", accept));
                request.Headers.Authorization = _authorization.For(name);
                var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token).ConfigureAwait(false);
                if (answer.IsSuccessStatusCode)
                {
                    return answer;
                }

                using (answer)
                {
                    if (answer.StatusCode == HttpStatusCode.NotFound)
                    {
                        return null;
                    }

                    if (answer.StatusCode != HttpStatusCode.Unauthorized || attempt > 0
                        || !await _authorization.AnswerAsync(name, answer.Headers.WwwAuthenticate, limit.Token).ConfigureAwait(false))
                    {
                        throw new UpstreamException($"{_options.Address.Host} answers {(int)answer.StatusCode} to {method} {path} of {name}");
                    }
                }
            }
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException || (failure is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            throw new UpstreamException($"{_options.Address.Host} can't be reached: {failure.Message}", failure);
        }
    }

    /// <summary>Docker's own registry keeps its official images below <c>library</c>.</summary>
    private string NameThere(string repository) =>
        _options.Address.Host.EndsWith("docker.io", StringComparison.Ordinal) && !repository.Contains('/', StringComparison.Ordinal) ? $"library/{repository}" : repository;

    private static async Task<byte[]> ReadAsync(HttpResponseMessage answer, int limit, CancellationToken cancel)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(Patience);
        using var content = new MemoryStream();
        try
        {
            var stream = await answer.Content.ReadAsStreamAsync(patience.Token).ConfigureAwait(false);
            var buffer = new byte[16 * 1024];
            while (await stream.ReadAsync(buffer, patience.Token).ConfigureAwait(false) is var read and > 0)
            {
                if (content.Length + read > limit)
                {
                    throw new UpstreamException($"the document is larger than {limit} bytes");
                }

                content.Write(buffer, 0, read);
            }

            return content.ToArray();
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException || (failure is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            throw new UpstreamException($"the connection broke off: {failure.Message}", failure);
        }
    }
}
