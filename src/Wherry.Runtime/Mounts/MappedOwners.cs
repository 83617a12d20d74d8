using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Mounts;
using Wherry.Linux.Processes;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Stages;

namespace Wherry.Runtime.Mounts;

/// <summary>Id-mapped mounts: the owners a mount shows are others than those its file system has. Owns the namespaces it makes for mappings.</summary>
/// <param name="container">The container's user namespace, for mounts that have no mappings of their own; null if it has none.</param>
public sealed class MappedOwners(FileDescriptor? container) : IDisposable
{
    private readonly List<(IReadOnlyList<IdMapping> Users, IReadOnlyList<IdMapping> Groups, FileDescriptor Namespace)> _made = [];

    /// <summary>The entry asks for a mapping.</summary>
    public static bool AreAsked(Mount entry) => AreGiven(entry) || MountOptions.Of(entry).IsIdMapped;

    /// <summary>Maps a detached mount as its entry asks; does nothing where it asks for nothing.</summary>
    /// <exception cref="WherryException">The kernel or file system has no id-mapped mounts, or there are no mappings to use.</exception>
    public void Apply(FileDescriptor mount, Mount entry, MountOptions options)
    {
        var mapped = AreGiven(entry);
        if (!mapped && !options.IsIdMapped)
        {
            return;
        }

        var mappings = mapped
            ? NamespaceOf(entry.UidMappings, entry.GidMappings)
            : container ?? throw WherryException.Invalid($"mount on {entry.Destination}: it is to be id-mapped, but has no mappings, nor has the container a user namespace");
        IdMappedMount.Map(mount, mappings, options.IsIdMappedRecursively, $"mount on {entry.Destination}");
    }

    public void Dispose() => _made.ForEach(made => made.Namespace.Dispose());

    private static bool AreGiven(Mount entry) => entry.UidMappings.Count > 0 || entry.GidMappings.Count > 0;

    private FileDescriptor NamespaceOf(IReadOnlyList<IdMapping> users, IReadOnlyList<IdMapping> groups)
    {
        foreach (var made in _made)
        {
            if (made.Users.SequenceEqual(users) && made.Groups.SequenceEqual(groups))
            {
                return made.Namespace;
            }
        }

        var ns = UserNamespace.Make(IdMappings.Ranges(users), IdMappings.Ranges(groups));
        _made.Add((users, groups, ns));
        return ns;
    }
}
