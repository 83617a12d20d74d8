using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Mounts;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;

namespace Wherry.Runtime.Mounts;

/// <summary>
/// The host's directories and files that are to be bound, cloned before the mount namespace is cut off from
/// the host's, so that one asked to be shared or slave still has the host's mount as its peer or master; with
/// all their options set, so that they need only be attached. Owns the clones.
/// </summary>
public sealed class BindSources : IDisposable
{
    private const string SharedMemory = "/dev/shm";

    private readonly Dictionary<Mount, FileDescriptor> _trees = new(ReferenceEqualityComparer.Instance);

    /// <param name="mounts">All mounts; those that are binds are opened.</param>
    /// <param name="bundle">Where relative sources start.</param>
    /// <param name="sharedMemoryOf">As <see cref="SandboxOptions.SharedMemoryOf"/>.</param>
    /// <param name="userNamespace">The container's, for id-mapped mounts; null if it has none.</param>
    /// <exception cref="WherryException">A source does not exist.</exception>
    public static BindSources Open(IReadOnlyList<Mount> mounts, string bundle, string? sharedMemoryOf, FileDescriptor? userNamespace = null)
    {
        var sources = new BindSources();
        using var owners = new MappedOwners(userNamespace);
        try
        {
            foreach (var mount in mounts)
            {
                var options = MountOptions.Of(mount);
                if (options.IsBind && !options.IsRemount)
                {
                    var tree = mount.Destination == SharedMemory && sharedMemoryOf is not null
                        ? MountNamespace.RunIn(sharedMemoryOf, () => MountSyscalls.CloneTree(SharedMemory, recursive: false))
                        : Clone(mount, options, bundle);
                    sources._trees.Add(mount, tree);
                    owners.Apply(tree, mount, options);
                    SetOptions(tree, options, mount);
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

    /// <summary>Takes over what a maker has opened.</summary>
    /// <param name="mounts">All mounts.</param>
    /// <param name="numbers">For each its descriptor, or −1.</param>
    public static BindSources Adopt(IReadOnlyList<Mount> mounts, IReadOnlyList<int> numbers)
    {
        var sources = new BindSources();
        for (var i = 0; i < numbers.Count; i++)
        {
            if (numbers[i] >= 0)
            {
                sources._trees.Add(mounts[i], new FileDescriptor(numbers[i]));
            }
        }

        return sources;
    }

    public FileDescriptor Of(Mount mount) => _trees[mount];

    public FileDescriptor? Find(Mount mount) => _trees.GetValueOrDefault(mount);

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

    private static void SetOptions(FileDescriptor tree, MountOptions options, Mount mount)
    {
        try
        {
            SetOptions(tree, options, mount.Destination);
        }
        catch (LinuxException e) when (e.ErrorNumber == Errno.EPERM)
        {
            // mount_namespaces(7), "Restrictions on mount namespaces".
            throw WherryException.Unsupported($"mount on {mount.Destination}: an ordinary user can't have the options {string.Join(',', mount.Options)}: what the host's mount forbids, and how it counts times of access, is locked for him");
        }
    }

    private static void SetOptions(FileDescriptor tree, MountOptions options, string what)
    {
        if (options.SetRecursive != 0 || options.ClearRecursive != 0)
        {
            MountSyscalls.SetAttributes(tree, options.SetRecursive, options.ClearRecursive, MountFlags.None, recursive: true, what);
        }

        if (options.Set != 0 || options.Clear != 0)
        {
            MountSyscalls.SetAttributes(tree, options.Set, options.Clear, MountFlags.None, recursive: false, what);
        }

        var propagation = options.Propagation == 0 ? MountFlags.Private : options.Propagation;
        MountSyscalls.SetAttributes(tree, MountAttributes.None, MountAttributes.None, propagation, options.Propagation == 0 || options.PropagationRecursive, what);
    }
}
