using System.Net;
using Wherry.Errors;
using Wherry.Images.Content;
using Wherry.Images.Distribution.Http;
using Wherry.Images.References;

namespace Wherry.Images.Distribution.Artifacts;

/// <summary>Fetches an artifact's files. All of them are here and checked before the first is handed out.</summary>
internal sealed class ArtifactPull(BlobStore blobs, Repositories repositories)
{
    internal async Task<ArtifactFiles> RunAsync(string name, RegistryCredentials? credentials, CancellationToken cancel)
    {
        var reference = ImageReference.Parse(name).WithDefaultTag();
        try
        {
            return await Repositories.FirstAsync(repositories.Open(reference, forWriting: false, credentials), place => PullAsync(place, reference, cancel));
        }
        catch (RegistryException missing) when (missing.Status == HttpStatusCode.NotFound)
        {
            throw WherryException.NotFound($"artifact {reference.Familiar} not found: {missing.Message}");
        }
    }

    private async Task<ArtifactFiles> PullAsync(RepositoryClient place, ImageReference reference, CancellationToken cancel)
    {
        var what = $"artifact {reference.Familiar}";
        var top = await place.GetManifestAsync(reference.Digest ?? reference.Tag!, cancel);
        if (top.IsIndex)
            throw WherryException.Invalid($"{reference.Familiar} is an index, not an artifact: name one of its manifests by digest ('wherry manifest inspect' lists them)");
        var manifest = top.Manifest(what);
        if (ArtifactManifest.IsImage(manifest))
            throw WherryException.Invalid($"{reference.Familiar} is an image, not an artifact: use 'wherry pull'");
        var listed = ArtifactManifest.FilesOf(manifest, what);
        foreach (var (name, _) in listed)
            ArtifactFiles.CheckName(name);
        var files = new ArtifactFiles();
        try
        {
            foreach (var (name, content) in listed)
                files.Add(name, await BlobTransfer.FetchAsync(place, content, blobs, cancel));
            return files;
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }
}
