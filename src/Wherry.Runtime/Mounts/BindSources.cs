using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Mounts;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Mounts;

/// <summary>
/// The host's directories and files that are to be bound, cloned before the mount namespace is cut off from
/// the host's, so that one asked to be shared or slave still has the host's mount as its peer or master.
/// Owns the clones.
/// </summary>
public sealed class BindSources : IDisposable
{
    private readonly Dictionary<Mount, FileDescriptor> _trees = new(ReferenceEqualityComparer.Instance);

    /// <param name="mounts">All mounts; those that are binds are opened.</param>
    /// <param name="bundle">Where relative sources start.</param>
    /// <exception cref="WherryException">A source does not exist.</exception>
    public static BindSources Open(IReadOnlyList<Mount> mounts, string bundle)
    {
        var sources = new BindSources();
        try
        {
            foreach (var mount in mounts)
            {
                var options = MountOptions.Of(mount);
                if (options.IsBind)
                {
                    sources._trees.Add(mount, Clone(mount, options, bundle));
                }
            }

            return sources;
        }
        catch
        {
            sources.Dispose();
            throw;
        }
    }

    public FileDescriptor Of(Mount mount) => _trees[mount];

    public void Dispose()
    {
        foreach (var tree in _trees.Values)
        {
            tree.Dispose();
        }
    }

    private static FileDescriptor Clone(Mount mount, MountOptions options, string bundle)
    {
        var source = Path.Combine(bundle, mount.Source ?? throw WherryException.Invalid($"mount on {mount.Destination}: a bind needs a source"));
        try
        {
            return MountSyscalls.CloneTree(source, options.IsRecursive);
        }
        catch (LinuxException e) when (e.ErrorNumber == Errno.ENOENT)
        {
            throw WherryException.Invalid($"mount on {mount.Destination}: bind source path does not exist: {source}", e);
        }
    }
}
