using System.Collections.Concurrent;
using System.Text.Json;
using Wherry.Registry.Http;
using Wherry.Registry.Manifests;
using Wherry.Registry.Metrics;
using Wherry.Registry.Names;
using Wherry.Registry.Storage;

namespace Wherry.Registry.Proxy;

/// <summary>
/// A cache of another registry: what is asked for comes from there the first time, once however many ask, and from
/// the store afterwards. Tags are asked for anew every time; while upstream is down what is kept is given out.
/// </summary>
public sealed class PullThrough : IRegistryContent, IAsyncDisposable
{
    private readonly LocalStore _store;
    private readonly IUpstream _upstream;
    private readonly IRegistryLog _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<(string Repository, ContentDigest Digest), Lazy<(BlobFetch Fetch, Task Done)>> _fetches = new();
    private long _hits;
    private long _misses;
    private long _stale;
    private long _fetched;

    /// <param name="store">Where content is kept; its manifests may name blobs that aren't there yet.</param>
    /// <param name="upstream">Where it comes from.</param>
    public PullThrough(LocalStore store, IUpstream upstream, RegistryMetrics metrics, IRegistryLog log)
    {
        _store = store;
        _upstream = upstream;
        _log = log;
        metrics.Counter("wherry_registry_proxy_hits_total", "Blobs and manifests given out from the store.", () => Interlocked.Read(ref _hits));
        metrics.Counter("wherry_registry_proxy_misses_total", "Blobs and manifests asked for upstream.", () => Interlocked.Read(ref _misses));
        metrics.Counter("wherry_registry_proxy_stale_total", "Answers from the store because upstream was down.", () => Interlocked.Read(ref _stale));
        metrics.Counter("wherry_registry_proxy_fetched_bytes_total", "Bytes of blobs fetched from upstream.", () => Interlocked.Read(ref _fetched));
    }

    public async ValueTask<BlobContent?> OpenBlobAsync(string repository, ContentDigest digest, bool willPush, CancellationToken cancel)
    {
        if (await _store.OpenBlobAsync(repository, digest, willPush: false, cancel).ConfigureAwait(false) is { } stored)
        {
            Interlocked.Increment(ref _hits);
            return stored;
        }

        Interlocked.Increment(ref _misses);
        var key = (repository, digest);
        var (fetch, _) = _fetches.GetOrAdd(key, static (key, self) => new Lazy<(BlobFetch, Task)>(() => self.Begin(key)), this).Value;
        try
        {
            return await fetch.Length.WaitAsync(cancel).ConfigureAwait(false) is { } length ? new FetchedBlob(fetch, length, _store, repository, digest) : null;
        }
        catch (UpstreamException down)
        {
            throw Unreachable(down);
        }
    }

    public async ValueTask<StoredManifest?> FindManifestAsync(string repository, ManifestReference reference, CancellationToken cancel)
    {
        var kept = _store.FindManifest(repository, reference);
        if (kept is not null && reference.Digest is { } named)
        {
            _store.Renew(repository, named);
            Interlocked.Increment(ref _hits);
            return kept;
        }

        try
        {
            if (kept is not null && await _upstream.ResolveAsync(repository, reference, cancel).ConfigureAwait(false) == kept.Digest)
            {
                Interlocked.Increment(ref _hits);
                return kept;
            }

            Interlocked.Increment(ref _misses);
            var found = await _upstream.FetchManifestAsync(repository, reference, cancel).ConfigureAwait(false);
            if (found is null)
            {
                if (reference.Tag is { } gone)
                {
                    _store.DeleteTag(repository, gone);
                }

                return null;
            }

            _store.PutManifest(repository, reference, found.MediaType, found.Content);
            return _store.FindManifest(repository, reference);
        }
        catch (UpstreamException down) when (kept is not null)
        {
            Interlocked.Increment(ref _stale);
            _log.Warn($"{repository}:{reference} as kept, because {down.Message}");
            return kept;
        }
        catch (UpstreamException down)
        {
            throw Unreachable(down);
        }
    }

    public async ValueTask<IReadOnlyList<string>?> TagsAsync(string repository, CancellationToken cancel)
    {
        var kept = await _store.TagsAsync(repository, cancel).ConfigureAwait(false);
        try
        {
            return await _upstream.FetchListAsync(repository, "tags/list", cancel).ConfigureAwait(false) is { } list
                ? [.. (JsonSerializer.Deserialize(list, RegistryJson.Default.TagList)?.Tags ?? []).Where(tag => TagName.IsValid(tag)).Order(StringComparer.Ordinal)]
                : null;
        }
        catch (Exception down) when (down is UpstreamException or JsonException && kept is not null)
        {
            Interlocked.Increment(ref _stale);
            return kept;
        }
        catch (Exception down) when (down is UpstreamException or JsonException)
        {
            throw Unreachable(down);
        }
    }

    /// <summary>Only what is kept: registries rarely tell strangers what they have.</summary>
    public ValueTask<IReadOnlyList<string>> RepositoriesAsync(CancellationToken cancel) => _store.RepositoriesAsync(cancel);

    public async ValueTask<IReadOnlyList<ManifestDescriptor>> ReferrersAsync(string repository, ContentDigest subject, CancellationToken cancel)
    {
        try
        {
            return await _upstream.FetchListAsync(repository, $"referrers/{subject}", cancel).ConfigureAwait(false) is { } index
                ? JsonSerializer.Deserialize(index, RegistryJson.Default.ReferrerIndex)?.Manifests ?? []
                : [];
        }
        catch (Exception down) when (down is UpstreamException or JsonException)
        {
            Interlocked.Increment(ref _stale);
            return await _store.ReferrersAsync(repository, subject, cancel).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_fetches.Values.Where(fetch => fetch.IsValueCreated).Select(fetch => fetch.Value.Done)).ConfigureAwait(false);
        _stop.Dispose();
    }

    private (BlobFetch Fetch, Task Done) Begin((string Repository, ContentDigest Digest) key)
    {
        var fetch = new BlobFetch(_store, key.Repository, key.Digest);
        return (fetch, RunAsync());

        async Task RunAsync()
        {
            await Task.Yield();
            await fetch.RunAsync(_upstream, bytes => Interlocked.Add(ref _fetched, bytes), _stop.Token).ConfigureAwait(false);
            // From here on the store has it, or the next client makes the next attempt.
            _fetches.TryRemove(key, out _);
        }
    }

    private static RegistryException Unreachable(Exception down) => new(502, ErrorCode.Unknown, "upstream: " + down.Message, inner: down);
}
