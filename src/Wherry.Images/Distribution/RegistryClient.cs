using System.Net;
using System.Text.Json;
using Wherry.Errors;
using Wherry.Images.Distribution.Artifacts;
using Wherry.Images.Distribution.Http;
using Wherry.Images.Distribution.Indexes;
using Wherry.Images.Distribution.Pulls;
using Wherry.Images.Distribution.Pushes;
using Wherry.Images.Distribution.Signatures;
using Wherry.Images.References;
using Wherry.Oci.Images;

namespace Wherry.Images.Distribution;

/// <summary>The engine's dealings with registries.</summary>
/// <remarks>Thread-safe. Connections are made when they are first needed.</remarks>
public sealed class RegistryClient
{
    private const string DockerDomain = "docker.io";
    private const string DockerIndex = "index.docker.io";
    private const int LargestAnswer = 4 << 20;

    private readonly Transport _transport;
    private readonly Repositories _repositories;
    private readonly ImagePull _pull;
    private readonly ImagePush _push;
    private readonly ArtifactPull _artifactPull;
    private readonly ArtifactPush _artifactPush;
    private readonly IndexPush _indexPush;

    public RegistryClient(ImageStore images, RegistryOptions options)
    {
        Options = options;
        var resolver = new EndpointResolver(options);
        _transport = new Transport(options);
        _repositories = new Repositories(_transport, resolver);
        var fetches = new LayerFetches(images.Blobs, images.NewReceiver(), options.MaxConcurrentDownloads);
        _pull = new ImagePull(images, _repositories, fetches, new SignaturePolicy(resolver));
        _push = new ImagePush(images, _repositories, options.MaxConcurrentUploads);
        _artifactPull = new ArtifactPull(images.Blobs, _repositories);
        _artifactPush = new ArtifactPush(images.Blobs, _repositories);
        _indexPush = new IndexPush(images.Blobs, _repositories);
    }

    public RegistryOptions Options { get; }

    /// <summary>Pulls an image, or all tags of a repository.</summary>
    public Task PullAsync(PullRequest request, IProgress<ImageProgress>? progress, CancellationToken cancel) => _pull.RunAsync(request, progress, cancel);

    /// <summary>Pushes an image, or all tags of a repository.</summary>
    public Task PushAsync(PushRequest request, IProgress<ImageProgress>? progress, Action<PushedImage> pushed, CancellationToken cancel) =>
        _push.RunAsync(request, progress, pushed, cancel);

    /// <summary>Pushes files, which come as a tar archive, as an artifact.</summary>
    public Task<PushedArtifact> PushArtifactAsync(ArtifactPushRequest request, Stream archive, CancellationToken cancel) => _artifactPush.RunAsync(request, archive, cancel);

    /// <summary>Fetches an artifact's files; the caller disposes of them.</summary>
    public Task<ArtifactFiles> PullArtifactAsync(string name, RegistryCredentials? credentials, CancellationToken cancel) => _artifactPull.RunAsync(name, credentials, cancel);

    /// <summary>Makes an index of images that are at registries.</summary>
    public Task<PushedImage> PushIndexAsync(IndexRequest request, CancellationToken cancel) => _indexPush.RunAsync(request, cancel);

    /// <summary>Tries credentials; returns the identity token the registry gives in their place, or an empty one.</summary>
    public async Task<string> LoginAsync(RegistryCredentials credentials, CancellationToken cancel)
    {
        var domain = DomainOf(credentials.ServerAddress);
        foreach (var (place, last) in Places(domain).Select((place, i) => (place, i == Places(domain).Count - 1)))
        {
            var session = new RegistrySession(_transport, place, credentials);
            try
            {
                using var response = await session.SendAsync(new RegistryRequest(HttpMethod.Get, place.Root, "log in") { WantsIdentity = string.IsNullOrEmpty(credentials.IdentityToken) }, cancel);
                return session.IdentityToken ?? "";
            }
            catch (RegistryException refused) when (refused.Status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
            {
                throw new WherryException(ErrorKind.Unauthorized, $"login attempt to {place.Root} failed: unauthorized: incorrect username or password", refused);
            }
            catch (RegistryException silent) when (silent.IsUnreachable && !last)
            {
            }
        }
        throw new InvalidOperationException("a registry has at least one place");
    }

    /// <summary>What a name means at its registry, without pulling it.</summary>
    public async Task<RemoteImage> DescribeAsync(string name, RegistryCredentials? credentials, CancellationToken cancel)
    {
        var reference = ImageReference.Parse(name).WithDefaultTag();
        try
        {
            return await Repositories.FirstAsync(_repositories.Open(reference, forWriting: false, credentials), place => RemoteImage.ReadAsync(place, reference, cancel));
        }
        catch (RegistryException failure) when (failure.Status == HttpStatusCode.NotFound)
        {
            throw WherryException.NotFound($"manifest for {reference.Familiar} not found: {failure.Message}");
        }
    }

    /// <summary>All tags of a repository.</summary>
    public Task<IReadOnlyList<string>> ListTagsAsync(string repository, RegistryCredentials? credentials, CancellationToken cancel) =>
        Repositories.FirstAsync(_repositories.Open(ImageReference.Parse(repository), forWriting: false, credentials), place => place.GetTagsAsync(cancel));

    /// <summary>What refers to an image at its registry: signatures, bills of materials, attestations.</summary>
    public Task<IReadOnlyList<Descriptor>> ListReferrersAsync(string name, string? artifactType, RegistryCredentials? credentials, CancellationToken cancel)
    {
        var reference = ImageReference.Parse(name).WithDefaultTag();
        return Repositories.FirstAsync(_repositories.Open(reference, forWriting: false, credentials), async place =>
        {
            var digest = reference.Digest ?? (await place.GetManifestAsync(reference.Tag!, cancel)).Digest;
            return await place.GetReferrersAsync(digest, artifactType, cancel);
        });
    }

    /// <summary>Searches a registry that offers it (Docker's <c>/v1/search</c>); the answer's <c>results</c> as they came.</summary>
    /// <param name="term">What to look for, after a registry's name where that is not Docker's.</param>
    /// <param name="limit">The most results wanted.</param>
    /// <param name="credentials">May be needed.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<IReadOnlyList<JsonElement>> SearchAsync(string term, int limit, RegistryCredentials? credentials, CancellationToken cancel)
    {
        var slash = term.IndexOf('/');
        var first = slash < 0 ? "" : term[..slash];
        var isHost = first == "localhost" || first.AsSpan().ContainsAny('.', ':');
        var domain = isHost ? first : DockerDomain;
        var places = Places(domain);
        for (var i = 0; ; i++)
        {
            var place = domain == DockerDomain ? places[i] with { Authority = DockerIndex } : places[i];
            var uri = new Uri($"{place.Scheme}://{place.Authority}/v1/search?q={Uri.EscapeDataString(isHost ? term[(slash + 1)..] : term)}&n={limit}");
            try
            {
                using var response = await new RegistrySession(_transport, place, credentials).SendAsync(new RegistryRequest(HttpMethod.Get, uri, $"search for {term}"), cancel);
                return Results(await BoundedBody.ReadAsync(response, LargestAnswer, cancel), place);
            }
            catch (RegistryException failure) when (failure.IsUnreachable && i < places.Count - 1)
            {
            }
            catch (RegistryException failure) when (failure.Status is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed)
            {
                throw WherryException.Unsupported($"registry {place} offers no search (it has no /v1/search): 'wherry image tags' lists the tags of a repository");
            }
        }
    }

    private static IReadOnlyList<JsonElement> Results(byte[] body, Endpoint place)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return [.. document.RootElement.GetProperty("results").EnumerateArray().Where(item => item.ValueKind == JsonValueKind.Object).Select(item => item.Clone())];
        }
        catch (Exception damaged) when (damaged is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw WherryException.Unsupported($"registry {place} offers no search: its /v1/search answers something else than results");
        }
    }

    private IReadOnlyList<Endpoint> Places(string domain) =>
        [.. _repositories.Open(domain, "", forWriting: true, null).Select(place => place.Endpoint)];

    /// <summary>The registry's name in an address as login knows it: <c>https://index.docker.io/v1/</c>, <c>host:port</c>.</summary>
    private static string DomainOf(string? address)
    {
        if (string.IsNullOrEmpty(address))
            return DockerDomain;
        var scheme = address.IndexOf("://", StringComparison.Ordinal);
        var host = (scheme < 0 ? address : address[(scheme + 3)..]).Split('/')[0];
        if (host.Length == 0 || Uri.CheckHostName(host.Split(':')[0].Trim('[', ']')) == UriHostNameType.Unknown && !host.StartsWith('['))
            throw WherryException.Invalid($"\"{address}\" is not a registry's address: it must be host[:port]");
        return host is DockerIndex or "registry-1.docker.io" or "hub.docker.com" ? DockerDomain : host;
    }
}
