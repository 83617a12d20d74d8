using System.Diagnostics;
using Wherry.Registry.Manifests;
using Wherry.Registry.Names;
using Wherry.Registry.Storage;

namespace Wherry.Registry.Collection;

/// <summary>
/// Removes what nobody needs while the registry serves. What a push has touched within the grace period stays: a
/// client that was told a blob is there may come with the manifest later. Each removal looks once more at the link's
/// time, alone with the store: a link or blob touched since the collection began is in use.
/// </summary>
/// <param name="store">What is cleaned.</param>
/// <param name="keepUntagged">Untagged manifests stay; only blobs are removed that no manifest names.</param>
public sealed class Collector(LocalStore store, bool keepUntagged)
{
    /// <summary>The kernel stamps new files with a clock that lags by up to a tick, 10 ms at most.</summary>
    private static readonly TimeSpan ClockGrain = TimeSpan.FromMilliseconds(50);

    private readonly SemaphoreSlim _oneAtATime = new(1, 1);

    /// <param name="grace">How long untouched content is left alone.</param>
    /// <param name="cancel">Ends the work between two removals.</param>
    public async Task<CollectionReport> RunAsync(TimeSpan grace, CancellationToken cancel)
    {
        await _oneAtATime.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            return await Task.Run(() => Run(grace, cancel), cancel).ConfigureAwait(false);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private CollectionReport Run(TimeSpan grace, CancellationToken cancel)
    {
        var watch = Stopwatch.StartNew();
        var report = new CollectionReport { Uploads = store.ExpireUploads() };

        // No change is halfway between touching content and linking it at this moment.
        var begun = Alone(() => DateTime.UtcNow - ClockGrain);
        var cutoff = begun - grace;
        var linked = new HashSet<ContentDigest>();
        foreach (var name in store.Layout.AllRepositories())
        {
            cancel.ThrowIfCancellationRequested();
            var links = store.Layout.Repository(name);
            report = Collect(links, cutoff, report, cancel);
            linked.UnionWith(links.Layers());
            linked.UnionWith(links.Manifests());
        }

        foreach (var algorithm in ContentDigest.Algorithms)
        {
            foreach (var file in Directory.EnumerateFiles(store.Layout.BlobFolder(algorithm)))
            {
                cancel.ThrowIfCancellationRequested();
                if (ContentDigest.TryParse($"{algorithm}:{Path.GetFileName(file)}", out var digest) && !linked.Contains(digest))
                {
                    report = RemoveBlob(file, begun, report);
                }
            }
        }

        return report with { Milliseconds = watch.ElapsedMilliseconds };
    }

    private CollectionReport Collect(RepositoryLinks links, DateTime cutoff, CollectionReport report, CancellationToken cancel)
    {
        var manifests = links.Manifests().ToDictionary(digest => digest, digest => Read(links, digest));
        var kept = Reachable(links, manifests, cutoff);
        foreach (var digest in manifests.Keys.Where(digest => !kept.Contains(digest)))
        {
            cancel.ThrowIfCancellationRequested();
            var removed = Alone(() => IsOlder(links.ManifestPath(digest), cutoff) && store.Unlink(links, digest));
            report = removed ? report with { Manifests = report.Manifests + 1 } : report;
        }

        if (manifests.Where(pair => kept.Contains(pair.Key)).Any(pair => pair.Value is null))
        {
            return report; // what a damaged manifest names can't be told
        }

        var used = kept.SelectMany(digest => manifests[digest]!.Blobs).Select(blob => blob.Digest).ToHashSet(StringComparer.Ordinal);
        foreach (var digest in links.Layers().Where(digest => !used.Contains(digest.ToString())).ToList())
        {
            cancel.ThrowIfCancellationRequested();
            var removed = Alone(() => IsOlder(links.LayerPath(digest), cutoff) && links.UnlinkLayer(digest));
            report = removed ? report with { Links = report.Links + 1 } : report;
        }

        Alone(() => RemoveIfEmpty(links.Directory));
        return report;
    }

    private ManifestDocument? Read(RepositoryLinks links, ContentDigest digest) =>
        links.MediaTypeOf(digest) is { } mediaType ? store.TryReadDocument(digest, mediaType) : null;

    /// <summary>
    /// Tagged and recently touched manifests, what indexes among them list, and what refers to any of these.
    /// </summary>
    private HashSet<ContentDigest> Reachable(RepositoryLinks links, Dictionary<ContentDigest, ManifestDocument?> manifests, DateTime cutoff)
    {
        if (keepUntagged)
        {
            return [.. manifests.Keys];
        }

        var referrers = manifests
            .Where(pair => pair.Value?.Subject is not null)
            .ToLookup(pair => pair.Value!.Subject!.Value, pair => pair.Key);
        var kept = new HashSet<ContentDigest>();
        var waiting = new Stack<ContentDigest>(links.Tags().Select(links.ResolveTag).OfType<ContentDigest>());
        foreach (var digest in manifests.Keys.Where(digest => !IsOlder(links.ManifestPath(digest), cutoff)))
        {
            waiting.Push(digest);
        }

        while (waiting.TryPop(out var digest))
        {
            if (!manifests.TryGetValue(digest, out var document) || !kept.Add(digest))
            {
                continue;
            }

            foreach (var child in document?.Children ?? [])
            {
                if (ContentDigest.TryParse(child.Digest, out var listed))
                {
                    waiting.Push(listed);
                }
            }

            foreach (var referrer in referrers[digest])
            {
                waiting.Push(referrer);
            }
        }

        return kept;
    }

    private CollectionReport RemoveBlob(string file, DateTime begun, CollectionReport report)
    {
        long size = -1;
        Alone(() =>
        {
            if (IsOlder(file, begun))
            {
                size = new FileInfo(file).Length;
                File.Delete(file);
            }

            return true;
        });
        return size < 0 ? report : report with { Blobs = report.Blobs + 1, Bytes = report.Bytes + size };
    }

    /// <summary>Takes away the folders of a repository that has lost its last link, and those above it that held only it.</summary>
    private bool RemoveIfEmpty(string directory)
    {
        var folders = Directory.Exists(directory) ? Directory.EnumerateDirectories(directory).Where(path => Path.GetFileName(path)[0] == '_').ToList() : [];
        if (folders.Count == 0 || folders.Exists(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Any()))
        {
            return false;
        }

        folders.ForEach(folder => Directory.Delete(folder, recursive: true));

        for (var empty = directory; empty != store.Layout.Repositories && !Directory.EnumerateFileSystemEntries(empty).Any(); empty = Path.GetDirectoryName(empty)!)
        {
            Directory.Delete(empty);
        }

        return true;
    }

    private static bool IsOlder(string path, DateTime cutoff) => File.GetLastWriteTimeUtc(path) is var time && time.Year > 1601 && time <= cutoff;

    private T Alone<T>(Func<T> work)
    {
        store.Changes.EnterWriteLock();
        try
        {
            return work();
        }
        finally
        {
            store.Changes.ExitWriteLock();
        }
    }
}
