using System.Text;
using System.Text.Json;
using Wherry.Registry.Manifests;
using Wherry.Registry.Names;
using Wherry.Storage.Layers;

namespace Wherry.Registry.Storage;

/// <summary>What belongs to one repository: links to content, each a file that is there or not, never in between.</summary>
internal sealed class RepositoryLinks(string name, string directory)
{
    internal string Name { get; } = name;

    internal string Directory { get; } = directory;

    internal bool Exists => System.IO.Directory.Exists(Folder(StoreLayout.ManifestFolder)) || System.IO.Directory.Exists(Folder(StoreLayout.LayerFolder));

    internal string LayerPath(ContentDigest digest) => Path.Combine(Folder(StoreLayout.LayerFolder), digest.Algorithm, digest.Hex);

    internal string ManifestPath(ContentDigest digest) => Path.Combine(Folder(StoreLayout.ManifestFolder), digest.Algorithm, digest.Hex);

    internal bool HasLayer(ContentDigest digest) => File.Exists(LayerPath(digest));

    internal bool HasManifest(ContentDigest digest) => File.Exists(ManifestPath(digest));

    /// <summary>Links a layer, or renews its lease.</summary>
    internal void LinkLayer(ContentDigest digest)
    {
        var path = LayerPath(digest);
        if (!TryTouch(path))
        {
            Write(path, []);
        }
    }

    internal void LinkManifest(ContentDigest digest, string mediaType) =>
        Write(ManifestPath(digest), JsonSerializer.SerializeToUtf8Bytes(new ManifestRecord { MediaType = mediaType }, RegistryJson.Default.ManifestRecord));

    internal string? MediaTypeOf(ContentDigest digest) => TryRead(ManifestPath(digest)) is { } content
        ? JsonSerializer.Deserialize(content, RegistryJson.Default.ManifestRecord)?.MediaType
        : null;

    internal void LinkTag(string tag, ContentDigest digest) => Write(TagPath(tag), Encoding.ASCII.GetBytes(digest.ToString()));

    /// <summary>The digest a tag names, whether its manifest is there or not.</summary>
    internal ContentDigest? ResolveTag(string tag) =>
        TryRead(TagPath(tag)) is { } content && ContentDigest.TryParse(Encoding.ASCII.GetString(content).Trim(), out var digest) ? digest : null;

    /// <summary>All tags in ordinal order, those included whose manifest is missing.</summary>
    internal List<string> Tags()
    {
        var tags = FilesOf(Folder(StoreLayout.TagFolder)).Select(path => Path.GetFileName(path)!).Where(tag => TagName.IsValid(tag)).ToList();
        tags.Sort(StringComparer.Ordinal);
        return tags;
    }

    internal bool UnlinkTag(string tag) => Remove(TagPath(tag));

    internal bool UnlinkLayer(ContentDigest digest) => Remove(LayerPath(digest));

    internal bool UnlinkManifest(ContentDigest digest) => Remove(ManifestPath(digest));

    internal void LinkReferrer(ContentDigest subject, ContentDigest manifest, ManifestDescriptor descriptor) => Write(
        Path.Combine(ReferrersOf(subject), $"{manifest.Algorithm}-{manifest.Hex}"),
        JsonSerializer.SerializeToUtf8Bytes(descriptor, RegistryJson.Canonical.ManifestDescriptor));

    internal void UnlinkReferrer(ContentDigest subject, ContentDigest manifest) =>
        Remove(Path.Combine(ReferrersOf(subject), $"{manifest.Algorithm}-{manifest.Hex}"));

    /// <summary>Descriptors of the manifests that refer to this subject and exist, ordered by digest.</summary>
    internal List<ManifestDescriptor> Referrers(ContentDigest subject)
    {
        var found = new List<ManifestDescriptor>();
        foreach (var path in FilesOf(ReferrersOf(subject)).Order(StringComparer.Ordinal))
        {
            if (TryRead(path) is { } content
                && JsonSerializer.Deserialize(content, RegistryJson.Default.ManifestDescriptor) is { } descriptor
                && ContentDigest.TryParse(descriptor.Digest, out var digest)
                && HasManifest(digest))
            {
                found.Add(descriptor);
            }
        }

        return found;
    }

    internal IEnumerable<ContentDigest> Manifests() => DigestsIn(Folder(StoreLayout.ManifestFolder));

    internal IEnumerable<ContentDigest> Layers() => DigestsIn(Folder(StoreLayout.LayerFolder));

    /// <summary>Renews the lease of a link; false where there is none.</summary>
    internal static bool TryTouch(string path)
    {
        try
        {
            File.SetLastWriteTimeUtc(path, DateTime.UtcNow);
            return true;
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }

    private string TagPath(string tag) => Path.Combine(Folder(StoreLayout.TagFolder), tag);

    private string ReferrersOf(ContentDigest subject) => Path.Combine(Folder(StoreLayout.ReferrerFolder), subject.Algorithm, subject.Hex);

    private string Folder(string name) => Path.Combine(Directory, name);

    private static void Write(string path, ReadOnlySpan<byte> content)
    {
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        DurableFile.Write(path, content);
    }

    private static bool Remove(string path) => File.Exists(path) && DurableFile.Delete(path);

    private static byte[]? TryRead(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private static string[] FilesOf(string folder)
    {
        try
        {
            return System.IO.Directory.GetFiles(folder);
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }

    private static IEnumerable<ContentDigest> DigestsIn(string folder)
    {
        foreach (var algorithm in ContentDigest.Algorithms)
        {
            foreach (var file in FilesOf(Path.Combine(folder, algorithm)))
            {
                if (ContentDigest.TryParse($"{algorithm}:{Path.GetFileName(file)}", out var digest))
                {
                    yield return digest;
                }
            }
        }
    }
}

/// <summary>What the link to a manifest says about it.</summary>
internal sealed record ManifestRecord
{
    public required string MediaType { get; init; }
}
