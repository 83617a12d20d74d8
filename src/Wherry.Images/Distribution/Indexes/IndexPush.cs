using System.Net;
using System.Text.Json;
using Wherry.Errors;
using Wherry.Images.Content;
using Wherry.Images.Distribution.Http;
using Wherry.Images.Distribution.Manifests;
using Wherry.Images.Distribution.Pushes;
using Wherry.Images.References;
using Wherry.Oci.Images;
using Wherry.Storage.Layers;

namespace Wherry.Images.Distribution.Indexes;

/// <summary>Makes one name for images of several platforms, which are at registries already. Nothing is pulled.</summary>
internal sealed class IndexPush(BlobStore blobs, Repositories repositories)
{
    private const int MostSources = 64;

    /// <summary>A manifest for the index, and where its content is.</summary>
    private sealed record Member(RepositoryClient Source, string Name, RemoteManifest Manifest, Manifest Content, Descriptor Entry);

    internal async Task<PushedImage> RunAsync(IndexRequest request, CancellationToken cancel)
    {
        var target = ImageReference.Parse(request.Reference).WithDefaultTag();
        if (target.Digest is not null)
            throw WherryException.Invalid("an index cannot be made under a digest: its content decides about that");
        if (request.Sources.Count is 0 or > MostSources)
            throw WherryException.Invalid($"an index is made of 1 to {MostSources} images, not of {request.Sources.Count}");
        var members = new List<Member>();
        foreach (var source in request.Sources.Select(ImageReference.Parse).Select(source => source.WithDefaultTag()))
            members.AddRange(await FindAsync(source, source.Domain == target.Domain ? request.Credentials : null, cancel));
        RequireDistinct(members);
        var index = Serialize(members, request.Annotations);
        return await Repositories.FirstAsync(repositories.Open(target, forWriting: true, request.Credentials), place => PutAsync(place, target, members, index, cancel));
    }

    private Task<List<Member>> FindAsync(ImageReference source, RegistryCredentials? credentials, CancellationToken cancel) =>
        Repositories.FirstAsync(repositories.Open(source, forWriting: false, credentials), async place =>
        {
            var what = $"image {source.Familiar}";
            try
            {
                var top = await place.GetManifestAsync(source.Digest ?? source.Tag!, cancel);
                if (!top.IsIndex)
                    return [await ReadAsync(place, top, null, what, cancel)];
                var members = new List<Member>();
                foreach (var entry in top.Index(what).Manifests)
                {
                    if (MediaTypes.IsIndex(entry.MediaType))
                        throw WherryException.Unsupported($"{what} is an index of indexes: name its images by digest");
                    members.Add(await ReadAsync(place, await place.GetManifestAsync(entry.Digest, cancel), entry, what, cancel));
                }
                return members;
            }
            catch (RegistryException missing) when (missing.Status == HttpStatusCode.NotFound)
            {
                throw WherryException.NotFound($"manifest for {source.Familiar} not found: {missing.Message}");
            }
        });

    private static async Task<Member> ReadAsync(RepositoryClient place, RemoteManifest manifest, Descriptor? entry, string what, CancellationToken cancel)
    {
        var content = manifest.Manifest(what);
        entry ??= manifest.Descriptor with { Platform = await PlatformAsync(place, content, what, cancel), ArtifactType = content.ArtifactType };
        return new Member(place, what, manifest, content, entry);
    }

    private static async Task<Platform?> PlatformAsync(RepositoryClient place, Manifest content, string what, CancellationToken cancel)
    {
        if (!MediaTypes.IsImageConfig(content.Config.MediaType))
            return null;
        var bytes = await place.GetDocumentAsync(content.Config, $"fetch the configuration of {what}", cancel);
        return StrictJson.Parse(bytes, ImageJson.Default.ImageConfig, $"the configuration of {what}").Platform;
    }

    /// <summary>Of two images for one platform nobody could say which is meant.</summary>
    private static void RequireDistinct(List<Member> members)
    {
        foreach (var same in members.Where(member => member.Entry.Platform is not null && PlatformChoice.IsImage(member.Entry)).GroupBy(member => member.Entry.Platform!.ToString(), StringComparer.Ordinal))
        {
            if (same.DistinctBy(member => member.Manifest.Digest).Skip(1).FirstOrDefault() is { } second)
                throw WherryException.Conflict($"{same.First().Name} and {second.Name} are both for {same.Key}: an index has one image for each platform");
        }
    }

    private static RemoteManifest Serialize(List<Member> members, IReadOnlyDictionary<string, string> annotations)
    {
        var index = new ImageIndex
        {
            MediaType = MediaTypes.OciIndex,
            Manifests = [.. members.Select(member => member.Entry).DistinctBy(entry => entry.Digest)],
            Annotations = annotations.Count == 0 ? null : annotations,
        };
        var bytes = JsonSerializer.SerializeToUtf8Bytes(index, ImageJson.Canonical.ImageIndex);
        return new RemoteManifest(Digests.Of(bytes), MediaTypes.OciIndex, bytes);
    }

    /// <summary>Blobs before the manifests that name them, these before the index: a registry may refuse it the other way round.</summary>
    private async Task<PushedImage> PutAsync(RepositoryClient place, ImageReference target, List<Member> members, RemoteManifest index, CancellationToken cancel)
    {
        try
        {
            foreach (var member in members.Where(member => member.Source.Endpoint.Authority != place.Endpoint.Authority || member.Source.Endpoint.Repository != place.Endpoint.Repository))
            {
                foreach (var blob in ((IEnumerable<Descriptor>)[member.Content.Config, .. member.Content.Layers]).DistinctBy(blob => blob.Digest).Where(blob => !MediaTypes.IsForeignLayer(blob.MediaType)))
                    await BlobTransfer.CopyAsync(member.Source, place, blob, blobs, cancel);
                await place.PutManifestAsync(member.Manifest.Digest, member.Manifest, cancel);
            }
            await place.PutManifestAsync(target.Tag!, index, cancel);
        }
        catch (RegistryException failure) when (failure.Status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
        {
            throw new WherryException(failure.Kind, $"push access to {target.FamiliarRepository} denied: {failure.Message}", failure);
        }
        return new PushedImage(target.Tag!, index.Digest, index.Bytes.Length);
    }
}
