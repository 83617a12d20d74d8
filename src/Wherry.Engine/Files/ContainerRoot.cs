using System.Text;
using Wherry.Engine.Containers;
using Wherry.Engine.State;
using Wherry.Engine.Volumes;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.FileTrees;
using Wherry.Linux.Mounts;
using Wherry.Linux.Processes;
using Wherry.Runtime.Contracts;
using OpenFlags = Wherry.Linux.FileTrees.OpenFlags;

namespace Wherry.Engine.Files;

/// <summary>
/// A container's files, opened from outside: of a running container its own root's mount, of one at rest a mount that the
/// host does not see, with its volumes and binds where they are asked for. Every path is resolved by the kernel with this
/// directory as the root (openat2(2), RESOLVE_IN_ROOT): whatever links the container has or swaps meanwhile, nothing
/// outside is reached (CVE-2018-15664).
/// </summary>
internal sealed class ContainerRoot : IDisposable
{
    private const PathResolution Inside = PathResolution.InRoot | PathResolution.NoMagicLinks;

    private readonly MountNamespace? _mounts;
    private readonly IDisposable? _lock;
    private readonly string _prefix;

    private ContainerRoot(FileDescriptor directory, IdMap? ids, MountNamespace? mounts, IDisposable? held)
    {
        Directory = directory;
        Ids = ids;
        _mounts = mounts;
        _lock = held;
        _prefix = PathOf(directory).TrimEnd('/');
    }

    /// <summary>The root, opened for reading; owned by this object.</summary>
    public FileDescriptor Directory { get; }

    /// <summary>Owners are shown as the host sees them: through these maps; null where that is the same.</summary>
    public IdMap? Ids { get; }

    public void Dispose()
    {
        Directory.Dispose();
        _mounts?.Dispose();
        _lock?.Dispose();
    }

    /// <summary>Opens the root. A container at rest can't be started or removed until the result is disposed.</summary>
    /// <param name="parts">The engine's.</param>
    /// <param name="container">Running or not.</param>
    /// <param name="withMounts">Whether its volumes and binds are there too.</param>
    /// <param name="cancel">Gives up waiting for the container.</param>
    public static async Task<ContainerRoot> OpenAsync(EngineParts parts, Container container, bool withMounts, CancellationToken cancel)
    {
        var held = await container.LockAsync(cancel).ConfigureAwait(false);
        try
        {
            if (container.Life.Status == ContainerStatus.Removing)
            {
                throw WherryException.NotFound($"No such container: {container.Record.Name}");
            }

            var record = container.Record;
            var snapshot = parts.SnapshotOf(record);
            var mounts = withMounts ? record.Mounts.Where(mount => mount.Type != MountType.Tmpfs && Path.Exists(mount.Source)).ToArray() : [];
            var atRest = !container.Life.IsAlive;
            var ids = container.Record.Ids?.Map;
            using var root = atRest
                ? parts.Layers.MountRoot(snapshot, ids)
                : await OfLivingAsync(container.RequireSandbox(), cancel).ConfigureAwait(false);
            var (space, whole) = mounts.Length == 0 ? (null, Reopened(root)) : WithMounts(root, snapshot.RootFs, mounts, ids);
            if (!atRest)
            {
                held.Dispose();
            }

            return new ContainerRoot(whole, ids, space, atRest ? held : null);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Makes the calling thread who may make files there, until disposed: on mounts with mapped owners nobody can who is
    /// not mapped, root with all rights included. Null where it is that already.
    /// </summary>
    public FileSystemIdentity? BecomeOwner() => Ids is null ? null : IdentityIn(Ids);

    /// <summary>Opens a directory, following links inside the root.</summary>
    /// <param name="path">From the root.</param>
    /// <param name="asked">The path that messages name, where it is another.</param>
    /// <exception cref="WherryException">NotFound; InvalidParameter: it is no directory.</exception>
    public FileDescriptor OpenDirectory(string path, string? asked = null)
    {
        var errno = FileTree.Open(Directory, Bytes(path), OpenFlags.ReadOnly | OpenFlags.Directory, 0, Inside, out var directory);
        if (errno == 0)
        {
            return directory;
        }

        directory.Dispose();
        throw Failure(asked ?? path, errno);
    }

    /// <summary>The path a link leads to, as the container knows it.</summary>
    /// <param name="path">A link's.</param>
    /// <param name="text">What the link says; the answer follows from it alone where it leads nowhere.</param>
    public string TargetOf(string path, string text)
    {
        if (FileTree.Open(Directory, Bytes(path), OpenFlags.Path, 0, Inside, out var file) == 0)
        {
            using (file)
            {
                var full = PathOf(file);
                return full.StartsWith(_prefix, StringComparison.Ordinal) && full.Length > _prefix.Length ? full[_prefix.Length..] : "/";
            }
        }

        return ContainerPath.Clean(text.StartsWith('/') ? text : ContainerPath.Parent(path) + "/" + text);
    }

    public static WherryException Failure(string path, int errno) => errno switch
    {
        Errno.ENOENT => WherryException.NotFound($"Could not find the file {path} in the container"),
        Errno.ENOTDIR => WherryException.Invalid($"{path}: not a directory"),
        Errno.ELOOP => WherryException.Invalid($"{path}: too many links, or one of the kernel's own that may not be followed"),
        _ => new LinuxException($"open {path} in the container", errno),
    };

    private static FileSystemIdentity IdentityIn(IdMap ids)
    {
        var (uid, gid) = ids.Root ?? throw new InvalidOperationException("a user namespace without a root");
        return new FileSystemIdentity(uid, gid);
    }

    private static byte[] Bytes(string path) => Encoding.UTF8.GetBytes(path.Length == 0 ? "." : path);

    private static string PathOf(FileDescriptor file) => new FileInfo($"/proc/self/fd/{file.Number}").LinkTarget ?? "";

    /// <summary>The root's own mount, without the kernel's file systems and whatever else is mounted on it in there.</summary>
    private static async Task<FileDescriptor> OfLivingAsync(ISandbox sandbox, CancellationToken cancel)
    {
        var pid = sandbox.HostPid ?? throw WherryException.Unsupported("the files of a container that is not a process of this host can't be reached");
        var root = MountNamespace.RunIn($"/proc/{pid}/ns/mnt", () => MountSyscalls.CloneTree("/", recursive: false));
        try
        {
            // Only now is it certain that the id was still this container's when its mounts were entered.
            var processes = await sandbox.ListProcessesAsync(cancel).ConfigureAwait(false);
            return processes.Contains(pid) ? root : throw WherryException.Conflict("the container has just ended: try again");
        }
        catch
        {
            root.Dispose();
            throw;
        }
    }

    private static (MountNamespace Space, FileDescriptor Root) WithMounts(FileDescriptor root, string place, IReadOnlyList<ResolvedMount> mounts, IdMap? ids)
    {
        using var userNamespace = ids is null ? null : UserNamespace.Make(ids.Users, ids.Groups);
        return MountNamespace.Create(() =>
        {
            using var identity = ids is null ? null : IdentityIn(ids);
            return Compose(root, place, mounts, userNamespace);
        });
    }

    /// <summary>Puts the container's mounts on its root, where only this thread's namespace has it.</summary>
    private static FileDescriptor Compose(FileDescriptor root, string place, IReadOnlyList<ResolvedMount> mounts, FileDescriptor? userNamespace)
    {
        using (var target = FileSyscalls.Open(place, Wherry.Linux.Files.OpenFlags.PathOnly | Wherry.Linux.Files.OpenFlags.Directory))
        {
            MountSyscalls.Attach(root, target, "the container's root");
        }

        using var inside = RootDirectory.Open(place);
        foreach (var mount in mounts)
        {
            using var source = MountSyscalls.CloneTree(mount.Source!, recursive: !mount.NonRecursive);
            if (userNamespace is not null && mount.HasMappedOwners(inUserNamespace: true))
            {
                IdMappedMount.Map(source, userNamespace, recursive: false, mount.Destination);
            }

            var isDirectory = System.IO.Directory.Exists(mount.Source);
            using var target = isDirectory ? inside.OpenOrMakeDirectory(mount.Destination) : inside.OpenOrMakeFile(mount.Destination);
            if (mount.ReadOnly)
            {
                MountSyscalls.SetAttributes(source, MountAttributes.ReadOnly, MountAttributes.None, MountFlags.None, recursive: false, mount.Destination);
            }

            MountSyscalls.Attach(source, target, mount.Destination);
        }

        return Reopened(inside.Descriptor);
    }

    private static FileDescriptor Reopened(FileDescriptor directory)
    {
        var errno = FileTree.OpenName(directory, "."u8, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out var opened);
        return errno == 0 ? opened : throw new LinuxException("open a container's root", errno);
    }
}
