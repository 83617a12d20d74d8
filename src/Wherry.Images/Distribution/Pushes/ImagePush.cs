using System.Net;
using System.Text.Json;
using Wherry.Errors;
using Wherry.Images.Distribution.Http;
using Wherry.Images.Distribution.Manifests;
using Wherry.Images.Records;
using Wherry.Images.References;
using Wherry.Oci.Images;
using Wherry.Storage.Layers;

namespace Wherry.Images.Distribution.Pushes;

/// <summary>Pushes images: layers and configuration, then the manifest that makes them an image there.</summary>
internal sealed class ImagePush(ImageStore store, Repositories repositories, int atOnce)
{
    /// <param name="request">What and where to.</param>
    /// <param name="progress">Told of each layer.</param>
    /// <param name="pushed">Told of each image that is there.</param>
    /// <param name="cancel">Gives up; what has arrived stays for the next try.</param>
    internal async Task RunAsync(PushRequest request, IProgress<ImageProgress>? progress, Action<PushedImage> pushed, CancellationToken cancel)
    {
        var reference = ImageReference.Parse(request.Reference);
        if (reference.Digest is not null)
            throw WherryException.Invalid("cannot push a digest reference");
        var images = Choose(reference);
        if (request.Platform is { } platform)
        {
            foreach (var (name, image) in images)
                Require(platform, name, image);
        }
        var places = repositories.Open(reference, forWriting: true, request.Credentials);
        progress?.Report(new ImageProgress(null, $"The push refers to repository [{reference.Repository}]"));
        try
        {
            foreach (var (name, image) in images)
            {
                foreach (var id in image.Config.RootFs.DiffIds.Distinct(StringComparer.Ordinal))
                    progress?.Report(new ImageProgress(Digests.Hex(id)[..12], "Preparing"));
                pushed(await Repositories.FirstAsync(places, place => PushOneAsync(place, name, image, request.Compression, progress, cancel)));
            }
        }
        catch (RegistryException failure) when (failure.Status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
        {
            throw new WherryException(failure.Kind, $"push access to {reference.FamiliarRepository} denied: {failure.Message}", failure);
        }
    }

    private List<(ImageReference Name, StoredImage Image)> Choose(ImageReference reference)
    {
        var wanted = store.AllStored
            .SelectMany(image => image.References.Select(name => (Name: name, Image: image)))
            .Where(pair => pair.Name.Tag is not null && pair.Name.Repository == reference.Repository && (reference.Tag is null || pair.Name.Tag == reference.Tag))
            .OrderBy(pair => pair.Name.Tag, StringComparer.Ordinal)
            .ToList();
        if (wanted.Count > 0)
            return wanted;
        throw WherryException.NotFound(reference.Tag is null
            ? $"An image does not exist locally with the name: {reference.FamiliarRepository}"
            : $"An image does not exist locally with the tag: {reference.Familiar}");
    }

    private static void Require(Platform platform, ImageReference name, StoredImage image)
    {
        var actual = image.Config.Platform;
        if (!platform.Matches(actual))
            throw WherryException.NotFound($"image with reference {name.Familiar} was found but its platform ({actual}) does not match the specified platform ({platform})");
    }

    private async Task<PushedImage> PushOneAsync(RepositoryClient place, ImageReference name, StoredImage image, LayerCompression? compression, IProgress<ImageProgress>? progress, CancellationToken cancel)
    {
        // An image that is removed meanwhile keeps its content until it is there.
        using var hold = store.Blobs.Hold([.. image.Blobs]);
        var push = new LayerPush(store, place, name);
        var layers = await PushLayersAsync(push, image, compression, progress, cancel);
        await push.SendConfigAsync(image.Manifest.Config, cancel);
        var manifest = Describe(image, layers);
        await place.PutManifestAsync(name.Tag!, manifest, cancel);
        store.AddNames(image.Id, [name.WithDigest(manifest.Digest)]);
        return new PushedImage(name.Tag!, manifest.Digest, manifest.Bytes.Length);
    }

    private async Task<IReadOnlyList<Descriptor>> PushLayersAsync(LayerPush push, StoredImage image, LayerCompression? compression, IProgress<ImageProgress>? progress, CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var slots = new SemaphoreSlim(atOnce, atOnce);
        // A layer may be in an image twice; it goes out once.
        var distinct = image.Manifest.Layers.DistinctBy(layer => layer.Digest).ToList();
        var ids = distinct.Select(layer => Digests.Hex(image.Config.RootFs.DiffIds[image.Manifest.Layers.Select(each => each.Digest).ToList().IndexOf(layer.Digest)])[..12]).ToList();
        var tasks = distinct.Select((layer, i) => PushAsync(layer, ids[i])).ToList();
        Exception? first = null;
        foreach (var task in tasks)
        {
            await ((Task)task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!task.IsCompletedSuccessfully && (first is null or OperationCanceledException))
                first = task.Exception?.InnerException ?? first ?? new OperationCanceledException();
        }
        if (first is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(first);
        var sent = distinct.Zip(tasks).ToDictionary(pair => pair.First.Digest, pair => pair.Second.Result, StringComparer.Ordinal);
        return [.. image.Manifest.Layers.Select(layer => sent[layer.Digest])];

        async Task<Descriptor> PushAsync(Descriptor layer, string id)
        {
            await slots.WaitAsync(stop.Token);
            try
            {
                return await push.RunAsync(layer, compression, id, progress, stop.Token);
            }
            catch
            {
                await stop.CancelAsync();
                throw;
            }
            finally
            {
                slots.Release();
            }
        }
    }

    /// <summary>The manifest as it is where no layer was packed anew, else one that names the packings.</summary>
    private RemoteManifest Describe(StoredImage image, IReadOnlyList<Descriptor> layers)
    {
        var type = image.Manifest.MediaType ?? MediaTypes.OciManifest;
        if (layers.Select(layer => layer.Digest).SequenceEqual(image.Manifest.Layers.Select(layer => layer.Digest), StringComparer.Ordinal))
            return new RemoteManifest(image.Record.Manifest, type, store.Blobs.ReadDocument(image.Record.Manifest));
        // Docker's manifests know nothing but gzip: with other layers the manifest becomes OCI's.
        var isOci = type == MediaTypes.OciManifest || layers.Any(layer => layer.MediaType is MediaTypes.OciLayerZstd);
        var manifest = image.Manifest with
        {
            MediaType = isOci ? MediaTypes.OciManifest : type,
            Config = image.Manifest.Config with { MediaType = isOci ? MediaTypes.OciConfig : image.Manifest.Config.MediaType },
            Layers = [.. layers.Select(layer => isOci ? layer with { MediaType = Oci(layer.MediaType) } : layer)],
        };
        var bytes = JsonSerializer.SerializeToUtf8Bytes(manifest, ImageJson.Canonical.Manifest);
        return new RemoteManifest(Digests.Of(bytes), manifest.MediaType!, bytes);
    }

    private static string? Oci(string? mediaType) => mediaType switch
    {
        MediaTypes.DockerLayer => MediaTypes.OciLayer,
        MediaTypes.DockerLayerGzip => MediaTypes.OciLayerGzip,
        MediaTypes.DockerLayerZstd => MediaTypes.OciLayerZstd,
        _ => mediaType,
    };
}
