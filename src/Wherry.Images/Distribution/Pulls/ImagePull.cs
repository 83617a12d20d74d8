using System.Net;
using Wherry.Errors;
using Wherry.Images.Content;
using Wherry.Images.Distribution.Http;
using Wherry.Images.Distribution.Manifests;
using Wherry.Images.Distribution.Signatures;
using Wherry.Images.References;
using Wherry.Oci.Images;
using Wherry.Storage.Layers;

namespace Wherry.Images.Distribution.Pulls;

/// <summary>Pulls images: manifest, configuration, layers, name; in that order, so that a name never leads to half an image.</summary>
internal sealed class ImagePull(ImageStore store, Repositories repositories, LayerFetches fetches, SignaturePolicy signatures)
{
    private const int DeepestIndex = 4;

    /// <summary>An image as it was found, with all that is needed to fetch its layers.</summary>
    private sealed record Found(int Place, RemoteManifest Top, RemoteManifest Manifest, Manifest Content, byte[] ConfigBytes, ImageConfig Config);

    internal async Task RunAsync(PullRequest request, IProgress<ImageProgress>? progress, CancellationToken cancel)
    {
        var reference = ImageReference.Parse(request.Reference);
        var places = repositories.Open(reference, forWriting: false, request.Credentials);
        try
        {
            if (!request.AllTags)
            {
                reference = reference.WithDefaultTag();
                var changed = await PullOneAsync(places, reference, request.Platform, progress, cancel);
                progress?.Report(new ImageProgress(null, Status(changed, reference.Familiar)));
                return;
            }
            if (reference.Tag is not null || reference.Digest is not null)
                throw WherryException.Invalid("tag can't be used with --all-tags/-a");
            var tags = await Repositories.FirstAsync(places, place => place.GetTagsAsync(cancel));
            if (tags.Count == 0)
                throw WherryException.NotFound($"repository {reference.FamiliarRepository} has no tags");
            var any = false;
            foreach (var tag in tags.Order(StringComparer.Ordinal))
                any |= await PullOneAsync(places, ImageReference.Parse($"{reference.Repository}:{tag}"), request.Platform, progress, cancel);
            progress?.Report(new ImageProgress(null, Status(any, reference.FamiliarRepository)));
        }
        catch (RegistryException failure)
        {
            throw Translate(failure, reference);
        }

        static string Status(bool changed, string name) => changed ? $"Status: Downloaded newer image for {name}" : $"Status: Image is up to date for {name}";
    }

    /// <summary>Pulls one image; false when it was there already under that name.</summary>
    private async Task<bool> PullOneAsync(IReadOnlyList<RepositoryClient> places, ImageReference reference, Platform? platform, IProgress<ImageProgress>? progress, CancellationToken cancel)
    {
        var found = await FindAsync(places, reference, platform, cancel);
        progress?.Report(new ImageProgress(reference.Tag ?? reference.Digest!, $"Pulling from {reference.Path}", Heading: true));
        var names = reference.Digest is null ? new[] { reference, reference.WithDigest(found.Top.Digest) } : [reference.WithDigest(reference.Digest)];
        var before = store.IdOf(names[0]);
        var image = await FetchAsync(places, found, names, progress, cancel);
        progress?.Report(new ImageProgress(null, $"Digest: {found.Top.Digest}"));
        return image.Id != before;
    }

    private Task<Found> FindAsync(IReadOnlyList<RepositoryClient> places, ImageReference reference, Platform? platform, CancellationToken cancel)
    {
        var what = $"image {reference.Familiar}";
        return Repositories.FirstAsync(places, async place =>
        {
            var top = await place.GetManifestAsync(reference.Digest ?? reference.Tag!, cancel);
            var manifest = top;
            for (var depth = 0; manifest.IsIndex; depth++)
            {
                if (depth == DeepestIndex)
                    throw WherryException.Invalid($"{what}: its indexes are nested too deep");
                var chosen = PlatformChoice.Choose(manifest.Index(what), platform ?? Platform.Host, what);
                manifest = await place.GetManifestAsync(chosen.Digest, cancel);
            }
            var content = manifest.Manifest(what);
            await signatures.RequireAsync(place, reference.Domain, reference.Path, [top.Digest, manifest.Digest], cancel);
            RemoteManifest.RequireImage(content, what);
            var config = await place.GetDocumentAsync(content.Config, $"fetch the configuration of {what}", cancel);
            return new Found(Index(places, place), top, manifest, content, config, Check(config, content, platform, reference));
        });
    }

    private static ImageConfig Check(byte[] bytes, Manifest manifest, Platform? platform, ImageReference reference)
    {
        var what = $"the configuration of {reference.Familiar}";
        var config = StrictJson.Parse(bytes, ImageJson.Default.ImageConfig, what);
        if (config.Os is not ("" or "linux"))
            throw WherryException.Unsupported($"image {reference.Familiar} is for {config.Os}, which this engine does not run");
        var actual = config.Platform;
        if (platform is not null && config.Architecture.Length > 0 && !platform.Matches(actual))
            throw WherryException.NotFound($"image with reference {reference.Familiar} was found but its platform ({actual}) does not match the specified platform ({platform})");
        if (config.RootFs.DiffIds.Count != manifest.Layers.Count)
            throw WherryException.Invalid($"{what} names {config.RootFs.DiffIds.Count} layers, the manifest {manifest.Layers.Count}");
        return config.RootFs.DiffIds.All(Digests.IsValid)
            ? config
            : throw WherryException.Invalid($"{what} names a layer by something else than a sha256 digest");
    }

    private async Task<Image> FetchAsync(IReadOnlyList<RepositoryClient> places, Found found, IReadOnlyList<ImageReference> names, IProgress<ImageProgress>? progress, CancellationToken cancel)
    {
        var layers = found.Content.Layers;
        // From here on nobody removes what is there already.
        using var hold = store.Blobs.Hold([.. layers.Select(layer => layer.Digest)]);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var fetched = new Task<LayerFetches.FetchedLayer?>[layers.Count];
        string? chain = null;
        for (var i = 0; i < layers.Count; i++)
        {
            chain = Digests.Chain(chain, found.Config.RootFs.DiffIds[i]);
            fetched[i] = StartLayer(places, found, i, chain, progress, stop.Token);
        }
        try
        {
            await AllAsync(fetched, stop);
            var news = layers.Where((_, i) => fetched[i].Result is not null).Select(layer => layer.Digest).ToHashSet(StringComparer.Ordinal);
            return await store.PublishPulledAsync(
                found.ConfigBytes,
                found.Manifest.Bytes,
                [.. fetched.Select((task, i) => task.Result?.Take() ?? Known(layers[i], found.Config.RootFs.DiffIds[i]))],
                names,
                Placed,
                cancel);

            void Placed(string layer)
            {
                if (news.Contains(layer))
                    progress?.Report(new ImageProgress(ShortId(layer), "Pull complete"));
            }
        }
        finally
        {
            foreach (var task in fetched.Where(task => task.IsCompletedSuccessfully))
                task.Result?.Dispose();
        }
    }

    /// <summary>Begins to fetch a layer; the task gives null for one the store has.</summary>
    private Task<LayerFetches.FetchedLayer?> StartLayer(IReadOnlyList<RepositoryClient> places, Found found, int index, string chain, IProgress<ImageProgress>? progress, CancellationToken cancel)
    {
        var layer = found.Content.Layers[index];
        var id = ShortId(layer.Digest);
        if (store.Blobs.Contains(layer.Digest) && store.KnownDiffId(layer.Digest) == found.Config.RootFs.DiffIds[index])
        {
            if (store.HasLayer(chain))
                progress?.Report(new ImageProgress(id, "Already exists"));
            return Task.FromResult<LayerFetches.FetchedLayer?>(null);
        }
        progress?.Report(new ImageProgress(id, "Pulling fs layer"));
        return FetchLayerAsync(places, found, index, progress, cancel)!;
    }

    private async Task<LayerFetches.FetchedLayer> FetchLayerAsync(IReadOnlyList<RepositoryClient> places, Found found, int index, IProgress<ImageProgress>? progress, CancellationToken cancel)
    {
        var layer = found.Content.Layers[index];
        var id = ShortId(layer.Digest);
        for (var place = found.Place; ; place = Math.Min(place + 1, places.Count - 1))
        {
            var start = place;
            try
            {
                var fetched = await fetches.FetchAsync(layer, (input, report, stop) => FromAsync(places, start, layer.Digest, input, report, stop), Report, cancel);
                progress?.Report(new ImageProgress(id, "Download complete"));
                progress?.Report(new ImageProgress(id, "Extracting", layer.Size, layer.Size));
                return fetched;
            }
            catch (DigestMismatchException) when (start < places.Count - 1 && places[start].Endpoint.IsMirror)
            {
                // A mirror gave something else: the next place may have the layer itself.
            }
        }

        void Report(long bytes)
        {
            progress?.Report(new ImageProgress(id, "Downloading", bytes, layer.Size));
            if (bytes == layer.Size)
                progress?.Report(new ImageProgress(id, "Verifying Checksum"));
        }
    }

    /// <summary>The layer's bytes from the place that had the manifest, or from one after it.</summary>
    private static async Task FromAsync(IReadOnlyList<RepositoryClient> places, int start, string digest, LayerInput input, Action<long> report, CancellationToken cancel)
    {
        for (var i = start; ; i++)
        {
            try
            {
                await places[i].FetchBlobAsync(digest, input, report, cancel);
                return;
            }
            catch (RegistryException failure) when (i < places.Count - 1 && Repositories.CanGoOn(places[i], failure))
            {
            }
        }
    }

    /// <summary>Waits for all; the first failure ends the others.</summary>
    private static async Task AllAsync(IReadOnlyList<Task> tasks, CancellationTokenSource stop)
    {
        var left = tasks.ToList();
        Exception? first = null;
        while (left.Count > 0)
        {
            var done = await Task.WhenAny(left);
            left.Remove(done);
            if (done.IsCompletedSuccessfully || first is not null)
                continue;
            first = done.Exception?.InnerException ?? new OperationCanceledException();
            await stop.CancelAsync();
        }
        if (first is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(first);
    }

    private static LayerArrival Known(Descriptor layer, string diffId) => new()
    {
        BlobDigest = layer.Digest,
        BlobSize = layer.Size,
        DiffId = diffId,
        Compression = Storage.Compression.CompressionKind.None,
    };

    private static int Index(IReadOnlyList<RepositoryClient> places, RepositoryClient place)
    {
        var index = 0;
        while (places[index] != place)
            index++;
        return index;
    }

    private static string ShortId(string digest) => Digests.Hex(digest)[..12];

    /// <summary>In Docker's words, which scripts and other clients look for.</summary>
    private static WherryException Translate(RegistryException failure, ImageReference reference)
    {
        if (failure.Status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
            return new WherryException(ErrorKind.NotFound, $"pull access denied for {reference.FamiliarRepository}, repository does not exist or may require 'docker login': {failure.Message}", failure);
        return failure.Status == HttpStatusCode.NotFound
            ? new WherryException(ErrorKind.NotFound, $"manifest for {reference.Familiar} not found: {failure.Message}", failure)
            : failure;
    }
}
