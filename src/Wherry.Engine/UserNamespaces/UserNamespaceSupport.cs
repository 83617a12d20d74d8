using Wherry.Errors;
using Wherry.Linux.Mounts;
using Wherry.Linux.Processes;

namespace Wherry.Engine.UserNamespaces;

/// <summary>Whether this host can give containers user namespaces: looked at once, when the first is asked for.</summary>
/// <param name="dataRoot">Where roots and volumes lie.</param>
/// <param name="driver">The storage driver, which makes the roots.</param>
internal sealed class UserNamespaceSupport(string dataRoot, string driver)
{
    private readonly Lazy<string?> _complaint = new(() => Probe(dataRoot, driver));

    /// <exception cref="WherryException">Unsupported: the kernel or the data root's file system can't.</exception>
    public void Require()
    {
        if (_complaint.Value is { } complaint)
        {
            throw WherryException.Unsupported("--userns: " + complaint);
        }
    }

    private static string? Probe(string dataRoot, string driver)
    {
        if (!File.Exists("/proc/self/ns/user"))
        {
            return "this kernel has no user namespaces";
        }

        if (UserNamespace.IsInside)
        {
            return "an engine without root has one user namespace, its own, which all its containers are in";
        }

        if (driver == "fuse-overlayfs")
        {
            return "the storage driver fuse-overlayfs can't show files with mapped owners: use --storage-driver overlay, vfs or btrfs";
        }

        if (driver == "overlay" && Environment.OSVersion.Version < IdMappedOverlay.FirstKernel)
        {
            return $"overlay takes layers with mapped owners since Linux {IdMappedOverlay.FirstKernel}, this is {Environment.OSVersion.Version}: use --storage-driver vfs or btrfs, or a newer kernel";
        }

        try
        {
            IdRange[] one = [new(0, 1, 1)];
            using var userNamespace = UserNamespace.Make(one, one);
            using var mapped = IdMappedMount.Clone(dataRoot, userNamespace);
            return null;
        }
        catch (WherryException failure) when (failure.Kind == ErrorKind.Unsupported)
        {
            return $"the file system of {dataRoot} has no id-mapped mounts on this kernel ({Environment.OSVersion.Version}): ext4, xfs and btrfs have, and tmpfs since Linux 6.3";
        }
        catch (WherryException failure)
        {
            return failure.Message;
        }
    }
}
