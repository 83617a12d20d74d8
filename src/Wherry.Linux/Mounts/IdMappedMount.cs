using Wherry.Errors;

namespace Wherry.Linux.Mounts;

/// <summary>Mounts that show the owners of everything in them through the mappings of a user namespace (mount_setattr(2)).</summary>
public static class IdMappedMount
{
    /// <summary>A directory's own mount so mapped, attached nowhere; the caller's.</summary>
    /// <exception cref="WherryException">Unsupported: the kernel or file system has no id-mapped mounts.</exception>
    public static FileDescriptor Clone(string directory, FileDescriptor userNamespace)
    {
        var tree = MountSyscalls.CloneTree(directory, recursive: false);
        try
        {
            Map(tree, userNamespace, recursive: false, directory);
            return tree;
        }
        catch
        {
            tree.Dispose();
            throw;
        }
    }

    /// <summary>Maps a mount that is attached nowhere; once only.</summary>
    /// <param name="mount">The mount.</param>
    /// <param name="userNamespace">Whose mappings.</param>
    /// <param name="recursive">Also those below it.</param>
    /// <param name="what">What messages call it.</param>
    /// <exception cref="WherryException">Unsupported: the kernel or file system has no id-mapped mounts.</exception>
    public static void Map(FileDescriptor mount, FileDescriptor userNamespace, bool recursive, string what)
    {
        switch (MountSyscalls.TryMapOwners(mount, userNamespace, recursive))
        {
            case >= 0:
                return;
            case -Errno.EINVAL or -Errno.ENOSYS:
                throw WherryException.Unsupported($"{what}: uidMappings: this kernel or the source's file system has no id-mapped mounts");
            case var error:
                throw new LinuxException($"{what}: map its owners", -error);
        }
    }
}
