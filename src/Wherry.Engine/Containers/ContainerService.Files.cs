using System.Text;
using Wherry.Api.Contracts.Containers;
using Wherry.Engine.Files;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.FileTrees;
using Wherry.Storage.Archives;
using Wherry.Storage.Compression;
using Wherry.Storage.Pipelines;
using Wherry.Storage.Trees;

namespace Wherry.Engine.Containers;

public sealed partial class ContainerService
{
    /// <summary>What a container has changed of its image's files, parents first.</summary>
    public IReadOnlyList<FilesystemChange> Changes(string idOrName)
    {
        var record = _parts.Registry.Get(idOrName).Record;
        return
        [
            .. from change in _parts.Layers.Changes(_parts.SnapshotOf(record))
               select new FilesystemChange { Path = "/" + Encoding.UTF8.GetString(change.Path), Kind = (int)change.Kind },
        ];
    }

    /// <summary>Writes all files of a container as an archive, but for what is mounted into it.</summary>
    /// <param name="idOrName">The container.</param>
    /// <param name="target">Gives the stream once nothing is left that could be refused.</param>
    /// <param name="cancel">Ends the work early.</param>
    public async Task ExportAsync(string idOrName, Func<Stream> target, CancellationToken cancel)
    {
        using var root = await ContainerRoot.OpenAsync(_parts, _parts.Registry.Get(idOrName), withMounts: false, cancel).ConfigureAwait(false);
        await TreeArchive.WriteContentAsync(root.Directory, root.Ids, target(), cancel).ConfigureAwait(false);
    }

    /// <summary>What <c>cp</c> wants to know of a path before it begins.</summary>
    public async Task<ContainerPathStat> StatPathAsync(string idOrName, string path, CancellationToken cancel)
    {
        using var root = await ContainerRoot.OpenAsync(_parts, _parts.Registry.Get(idOrName), withMounts: true, cancel).ConfigureAwait(false);
        using var found = PathInContainer.Find(root, path);
        return found.Status;
    }

    /// <summary>Writes a file or a directory of a container as an archive.</summary>
    /// <param name="idOrName">The container.</param>
    /// <param name="path">In the container.</param>
    /// <param name="target">Told what the path is, gives the stream for the archive.</param>
    /// <param name="cancel">Ends the work early.</param>
    public async Task ReadPathAsync(string idOrName, string path, Func<ContainerPathStat, Stream> target, CancellationToken cancel)
    {
        using var root = await ContainerRoot.OpenAsync(_parts, _parts.Registry.Get(idOrName), withMounts: true, cancel).ConfigureAwait(false);
        using var found = PathInContainer.Find(root, path);
        await TreeArchive.WriteNamedAsync(found.Directory, found.Name, found.Member, root.Ids, target(found.Status), cancel).ConfigureAwait(false);
    }

    /// <summary>Unpacks an archive, compressed or not, into a directory of a container.</summary>
    /// <param name="idOrName">The container.</param>
    /// <param name="path">The directory.</param>
    /// <param name="archive">Read to its end.</param>
    /// <param name="keepKind">Refuse to put a file in a directory's place or the other way round.</param>
    /// <param name="asUser">Give everything to the container's user.</param>
    /// <param name="cancel">Ends the work early.</param>
    public async Task WritePathAsync(string idOrName, string path, Stream archive, bool keepKind, bool asUser, CancellationToken cancel)
    {
        var container = _parts.Registry.Get(idOrName);
        using var root = await ContainerRoot.OpenAsync(_parts, container, withMounts: true, cancel).ConfigureAwait(false);
        var directory = root.OpenDirectory(ContainerPath.Clean(path));
        try
        {
            RequireWritable(container, root, directory, path);
            var rules = ExtractionRules.Files with { KeepKind = keepKind, Ids = root.Ids, Owner = asUser ? UserOf(container, root) : null };
            await ThreadBridge.ReadAsync(archive, (source, stop) => Unpack(source, root, directory, rules, stop), cancel).ConfigureAwait(false);
        }
        finally
        {
            directory.Dispose();
        }
    }

    private static bool Unpack(Stream source, ContainerRoot root, FileDescriptor directory, ExtractionRules rules, CancellationToken cancel)
    {
        using var identity = root.BecomeOwner();
        var plain = CompressedArchive.OpenRead(source, out var compression);
        using (compression == CompressionKind.None ? null : plain)
        using (var reader = new TarReader(plain))
        using (var tree = new TreeExtractor(directory, rules))
            tree.Extract(reader, cancel);
        return true;
    }

    private static void RequireWritable(Container container, ContainerRoot root, FileDescriptor directory, string path)
    {
        // Of a container at rest the root is mounted writable, whatever its program would have.
        if (container.Record.Host.ReadonlyRootfs
            && FileTree.GetStatus(root.Directory, [], out var rootStatus) == 0
            && FileTree.GetStatus(directory, [], out var status) == 0
            && rootStatus.Device == status.Device)
        {
            throw new WherryException(ErrorKind.Forbidden, "container rootfs is marked read-only");
        }

        if (FileTree.IsReadOnly(directory))
        {
            throw new WherryException(ErrorKind.Forbidden, $"mounted volume is marked read-only: {path}");
        }
    }

    private static (uint Uid, uint Gid)? UserOf(Container container, ContainerRoot root) =>
        container.Record.Config.User is { Length: > 0 } user ? ContainerUser.Find(root, user) : null;
}
