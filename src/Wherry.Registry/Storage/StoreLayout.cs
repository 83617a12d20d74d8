using Wherry.Registry.Names;

namespace Wherry.Registry.Storage;

/// <summary>
/// Where things lie below the registry's root:
/// <code>
/// blobs/ALGORITHM/HEX                                    content, as in an OCI image layout
/// uploads/ID                                             what is being uploaded; emptied at every start
/// repositories/NAME/_manifests/ALGORITHM/HEX             {"mediaType":…}
/// repositories/NAME/_tags/TAG                            the manifest's digest
/// repositories/NAME/_layers/ALGORITHM/HEX                empty; its time is when somebody last asked for it to push
/// repositories/NAME/_referrers/ALGORITHM/HEX/ALGORITHM-HEX   the referring manifest's descriptor
/// </code>
/// A component of a repository's name never begins with an underscore, so that none is taken for a folder of links.
/// </summary>
internal sealed class StoreLayout(string root)
{
    internal const string ManifestFolder = "_manifests";
    internal const string TagFolder = "_tags";
    internal const string LayerFolder = "_layers";
    internal const string ReferrerFolder = "_referrers";

    internal string Root { get; } = root;

    internal string Blobs { get; } = Path.Combine(root, "blobs");

    internal string Uploads { get; } = Path.Combine(root, "uploads");

    internal string Repositories { get; } = Path.Combine(root, "repositories");

    internal string BlobFolder(string algorithm) => Path.Combine(Blobs, algorithm);

    internal string Blob(ContentDigest digest) => Path.Combine(Blobs, digest.Algorithm, digest.Hex);

    internal string Upload(string id) => Path.Combine(Uploads, id);

    internal RepositoryLinks Repository(string name) => new(name, Path.Combine(Repositories, name));

    /// <summary>All repositories that hold anything, in ordinal order.</summary>
    internal List<string> AllRepositories()
    {
        var found = new List<string>();
        Visit(Repositories, "", found);
        found.Sort(StringComparer.Ordinal);
        return found;
    }

    private static void Visit(string directory, string name, List<string> found)
    {
        var isRepository = false;
        foreach (var child in Children(directory))
        {
            var component = Path.GetFileName(child);
            if (component[0] == '_')
            {
                isRepository |= component is ManifestFolder or LayerFolder;
            }
            else
            {
                Visit(child, name.Length == 0 ? component : $"{name}/{component}", found);
            }
        }

        if (isRepository)
        {
            found.Add(name);
        }
    }

    /// <summary>A directory's subdirectories; none where it was removed meanwhile.</summary>
    private static string[] Children(string directory)
    {
        try
        {
            return Directory.GetDirectories(directory);
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }
}
