using Wherry.Linux;
using Wherry.Linux.Processes;
using Wherry.Storage.Pipelines;

namespace Wherry.Storage.Trees;

/// <summary>Archives of directories that someone else may be changing: no link is followed, nothing but regular files is opened.</summary>
public static class TreeArchive
{
    /// <summary>Writes everything below a directory, without the directory itself.</summary>
    /// <param name="root">Opened for reading; not closed.</param>
    /// <param name="ids">Owners become those seen inside a user namespace; null is one to one.</param>
    /// <param name="tar">Written to, flushed, not disposed.</param>
    /// <param name="cancel">Ends the work early.</param>
    public static Task WriteContentAsync(FileDescriptor root, IdMap? ids, Stream tar, CancellationToken cancel) =>
        ThreadBridge.WriteAsync((output, stop) => new TreeWriter(output, stop, ids).WriteContent(root), tar, cancel);

    /// <summary>Writes one file, or a directory with all that is in it.</summary>
    /// <param name="directory">Where it lies; not closed.</param>
    /// <param name="name">Its name there; empty for the directory itself.</param>
    /// <param name="member">Its name in the archive.</param>
    /// <param name="ids">As for <see cref="WriteContentAsync"/>.</param>
    /// <param name="tar">Written to, flushed, not disposed.</param>
    /// <param name="cancel">Ends the work early.</param>
    public static Task WriteNamedAsync(FileDescriptor directory, byte[] name, byte[] member, IdMap? ids, Stream tar, CancellationToken cancel) =>
        ThreadBridge.WriteAsync((output, stop) => new TreeWriter(output, stop, ids).WriteNamed(directory, name, member), tar, cancel);

    /// <summary>As <see cref="WriteNamedAsync"/> one to one, on the calling thread.</summary>
    public static void WriteNamed(FileDescriptor directory, byte[] name, byte[] member, Stream tar, CancellationToken cancel) =>
        new TreeWriter(tar, cancel).WriteNamed(directory, name, member);
}
