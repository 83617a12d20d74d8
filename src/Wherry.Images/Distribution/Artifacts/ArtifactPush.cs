using System.Net;
using Wherry.Errors;
using Wherry.Images.Content;
using Wherry.Images.Distribution.Http;
using Wherry.Images.Distribution.Manifests;
using Wherry.Images.References;
using Wherry.Oci.Images;
using Wherry.Storage.Pipelines;

namespace Wherry.Images.Distribution.Artifacts;

/// <summary>Pushes files as an artifact; one with a subject becomes a referrer of it.</summary>
internal sealed class ArtifactPush(BlobStore blobs, Repositories repositories)
{
    /// <param name="request">What it is to be.</param>
    /// <param name="archive">A tar archive of the files.</param>
    /// <param name="cancel">Gives up; files that have arrived stay at the registry until it collects them.</param>
    internal async Task<PushedArtifact> RunAsync(ArtifactPushRequest request, Stream archive, CancellationToken cancel)
    {
        var reference = ImageReference.Parse(request.Reference);
        if (reference.Digest is not null)
            throw WherryException.Invalid("cannot push to a digest: what is pushed decides about it");
        if (reference.Tag is null && request.Subject is null)
            reference = reference.WithDefaultTag();
        foreach (var type in (IEnumerable<string>)[request.ArtifactType, .. request.FileTypes.Values])
            RequireMediaType(type);
        using var files = await ThreadBridge.ReadAsync(archive, (input, stop) => ArtifactFiles.FromArchive(input, blobs, stop), cancel);
        foreach (var name in request.FileTypes.Keys.Where(name => files.All.All(file => file.Name != name)))
            throw WherryException.Invalid($"a media type is given for {name}, which is none of the artifact's files");
        try
        {
            return await Repositories.FirstAsync(
                repositories.Open(reference, forWriting: true, request.Credentials),
                place => PushAsync(place, reference, request, files, cancel));
        }
        catch (RegistryException failure) when (failure.Status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
        {
            throw new WherryException(failure.Kind, $"push access to {reference.FamiliarRepository} denied: {failure.Message}", failure);
        }
    }

    private async Task<PushedArtifact> PushAsync(RepositoryClient place, ImageReference reference, ArtifactPushRequest request, ArtifactFiles files, CancellationToken cancel)
    {
        var subject = request.Subject is { } about ? await FindSubjectAsync(place, about, reference, cancel) : null;
        using (var empty = blobs.Spool())
        {
            empty.Append(ArtifactManifest.EmptyDocument);
            empty.Complete();
            await BlobTransfer.SendAsync(place, empty, cancel);
        }
        foreach (var (_, content) in files.All)
            await BlobTransfer.SendAsync(place, content, cancel);
        var manifest = ArtifactManifest.Serialize(ArtifactManifest.Compose(request, files, subject));
        var isListed = await place.PutManifestAsync(reference.Tag ?? manifest.Digest, manifest, cancel);
        if (subject is not null && !isListed)
            await place.AddReferrerByTagAsync(subject.Digest, Referrer(manifest, request), cancel);
        var name = reference.Tag is null ? reference.WithDigest(manifest.Digest) : reference;
        return new PushedArtifact(name.Familiar, manifest.Digest, manifest.Bytes.Length);
    }

    private static async Task<Descriptor> FindSubjectAsync(RepositoryClient place, string subject, ImageReference reference, CancellationToken cancel)
    {
        try
        {
            return (await place.GetManifestAsync(subject, cancel)).Descriptor;
        }
        catch (RegistryException missing) when (missing.Status == HttpStatusCode.NotFound)
        {
            throw WherryException.NotFound($"the subject {subject} is not in {reference.FamiliarRepository}: an artifact is about something in its own repository");
        }
    }

    private static Descriptor Referrer(RemoteManifest manifest, ArtifactPushRequest request) => manifest.Descriptor with
    {
        ArtifactType = request.ArtifactType,
        Annotations = request.Annotations.Count == 0 ? null : request.Annotations,
    };

    /// <summary>RFC 6838, section 4.2.</summary>
    private static void RequireMediaType(string type)
    {
        if (type.Split('/') is not [var top, var sub] || !IsTypeName(top) || !IsTypeName(sub))
            throw WherryException.Invalid($"\"{type}\" is not a media type: it must be type/subtype, as application/spdx+json is");
    }

    private static bool IsTypeName(string name) =>
        name.Length is > 0 and <= 127 && char.IsAsciiLetterOrDigit(name[0]) && name.All(static letter => char.IsAsciiLetterOrDigit(letter) || "!#$&-^_.+".Contains(letter));
}
