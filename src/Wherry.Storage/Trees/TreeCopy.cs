using System.Text;
using Wherry.Linux;
using Wherry.Linux.FileTrees;

namespace Wherry.Storage.Trees;

/// <summary>
/// Copies trees with all that they are: owners, modes, times, attributes, devices, holes and hard links. Where the file
/// system can, files share their blocks with the original.
/// </summary>
internal sealed class TreeCopy
{
    private readonly Dictionary<(ulong Device, ulong Inode), string> _linked = [];
    private readonly FileDescriptor _target;
    private readonly bool _applyMarks;
    private readonly bool _move;
    private bool _cannotClone;

    private TreeCopy(FileDescriptor target, bool applyMarks, bool move)
    {
        _target = target;
        _applyMarks = applyMarks;
        _move = move;
    }

    /// <summary>Copies all below <paramref name="source"/> into an empty directory, and the directory's own attributes.</summary>
    internal static void Copy(string source, string target) => Run(source, target, applyMarks: false, move: false);

    /// <summary>Puts a layer's files over a tree that has those below it: whiteouts delete, opaque directories replace.</summary>
    /// <param name="diff">The layer as overlay keeps it; whatever can be is moved out of it.</param>
    /// <param name="tree">The tree that becomes the layer's.</param>
    internal static void Apply(string diff, string tree) => Run(diff, tree, applyMarks: true, move: true);

    /// <summary>As <see cref="Apply"/>, leaving the layer as it is.</summary>
    internal static void ApplyCopy(string diff, string tree) => Run(diff, tree, applyMarks: true, move: false);

    private static void Run(string source, string target, bool applyMarks, bool move)
    {
        using var from = FileTree.OpenDirectory(source);
        using var to = FileTree.OpenDirectory(target);
        var copy = new TreeCopy(to, applyMarks, move);
        copy.CopyContent(from, to, "");
        Check(FileTree.GetStatus(from, [], out var status), source);
        copy.Describe(to, from, [], status, "");
        Check(FileTree.SetTime(to, status.Modified), source);
    }

    private void CopyContent(FileDescriptor from, FileDescriptor to, string path)
    {
        foreach (var name in FileTree.ReadNames(from, $"read {path}"))
        {
            // Latin-1 keeps every byte: these paths are only keys, and names for messages.
            var full = path.Length == 0 ? Encoding.Latin1.GetString(name) : $"{path}/{Encoding.Latin1.GetString(name)}";
            Check(FileTree.GetStatus(from, name, out var status), full);
            CopyEntry(from, to, name, full, status);
        }
    }

    private void CopyEntry(FileDescriptor from, FileDescriptor to, byte[] name, string path, FileStatus status)
    {
        if (status.Kind == FileKind.Directory)
        {
            CopyDirectory(from, to, name, path, status);
            return;
        }
        if (_applyMarks)
        {
            if (OverlayMarks.IsMark(name))
            {
                if (!OverlayMarks.TellsOpaque(name))
                    Check(FileTree.RemoveTree(to, name[OverlayMarks.WhiteoutPrefix.Length..]), path);
                return;
            }
            Check(FileTree.RemoveTree(to, name), path);
            if (status.IsWhiteout)
                return;
            if (_move)
            {
                var errno = FileTree.Rename(from, name, to, name);
                if (errno != Errno.EXDEV)
                {
                    Check(errno, path);
                    return;
                }
            }
        }
        if (status.LinkCount > 1)
        {
            if (_linked.TryGetValue((status.Device, status.Inode), out var first))
            {
                Check(FileTree.MakeLink(_target, Encoding.Latin1.GetBytes(first), to, name), path);
                return;
            }
            _linked.Add((status.Device, status.Inode), path);
        }
        switch (status.Kind)
        {
            case FileKind.Regular:
                CopyFile(from, to, name, path, status);
                return;
            case FileKind.Symlink:
                Check(FileTree.ReadLink(from, name, out var link), path);
                Check(FileTree.MakeSymlink(to, name, link), path);
                break;
            default:
                Check(FileTree.MakeNode(to, name, status.Kind, status.Permissions, status.DeviceMajor, status.DeviceMinor), path);
                break;
        }
        Check(FileTree.SetOwner(to, name, status.Uid, status.Gid), path);
        if (status.Kind != FileKind.Symlink)
            Check(FileTree.SetModeOfNode(to, name, status.Permissions), path);
        foreach (var (attribute, value) in Attributes(from, name))
            CheckAttribute(FileTree.SetAttribute(to, name, Encoding.UTF8.GetBytes(attribute), value), path);
        Check(FileTree.SetTime(to, name, status.Modified), path);
    }

    private void CopyDirectory(FileDescriptor from, FileDescriptor to, byte[] name, string path, FileStatus status)
    {
        if (_applyMarks)
        {
            var exists = FileTree.GetStatus(to, name, out var there) == 0;
            if (exists && (there.Kind != FileKind.Directory || OverlayMarks.IsOpaque(from, name)))
                Check(FileTree.RemoveTree(to, name), path);
        }
        var errno = FileTree.MakeDirectory(to, name, 0x1C0);
        if (errno != Errno.EEXIST)
            Check(errno, path);
        Check(FileTree.OpenName(from, name, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out var source), path);
        using (source)
        {
            Check(FileTree.OpenName(to, name, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out var target), path);
            using (target)
            {
                CopyContent(source, target, path);
                Describe(target, source, [], status, path);
                Check(FileTree.SetTime(target, status.Modified), path);
            }
        }
    }

    private void CopyFile(FileDescriptor from, FileDescriptor to, byte[] name, string path, FileStatus status)
    {
        Check(FileTree.OpenRegular(from, name, out var source), path);
        using (source)
        {
            Check(FileTree.OpenName(to, name, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive, 0x180, out var target), path);
            using (target)
            {
                CopyData(source, target, status, path);
                Describe(target, source, [], status, path);
                Check(FileTree.SetTime(target, status.Modified), path);
            }
        }
    }

    private void CopyData(FileDescriptor source, FileDescriptor target, FileStatus status, string path)
    {
        if (status.Size == 0)
            return;
        if (!_cannotClone)
        {
            var errno = FileTree.CloneContent(source, target);
            if (errno == 0)
                return;
            if (errno is not (Errno.EOPNOTSUPP or Errno.EXDEV or Errno.EINVAL or Errno.ENOTTY))
                Check(errno, path);
            _cannotClone = true;
        }
        Check(FileTree.SetLength(target, status.Size), path);
        for (var at = 0L; at < status.Size && FileTree.FindData(source, at, out var start, out var end) && start < status.Size; at = end)
        {
            end = Math.Min(end, status.Size);
            var errno = FileTree.CopyRange(source, target, start, end - start);
            if (errno is Errno.EXDEV or Errno.EOPNOTSUPP or Errno.EINVAL)
                errno = CopyByHand(source, target, start, end);
            Check(errno, path);
        }
    }

    private static int CopyByHand(FileDescriptor source, FileDescriptor target, long start, long end)
    {
        var buffer = new byte[256 * 1024];
        while (start < end)
        {
            var read = FileTree.ReadAt(source, buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - start)), start);
            if (read <= 0)
                return -read;
            if (FileTree.WriteAllAt(target, buffer.AsSpan(0, read), start) is var errno and not 0)
                return errno;
            start += read;
        }
        return 0;
    }

    /// <summary>Owner first: changing it clears setuid bits and capabilities.</summary>
    private void Describe(FileDescriptor target, FileDescriptor directory, ReadOnlySpan<byte> name, FileStatus status, string path)
    {
        Check(FileTree.SetOwner(target, status.Uid, status.Gid), path);
        Check(FileTree.SetMode(target, status.Permissions), path);
        foreach (var (attribute, value) in Attributes(directory, name))
            CheckAttribute(FileTree.SetAttribute(target, Encoding.UTF8.GetBytes(attribute), value), path);
    }

    private static IEnumerable<KeyValuePair<string, byte[]>> Attributes(FileDescriptor directory, ReadOnlySpan<byte> name) =>
        FileTree.GetAttributes(directory, name).Where(pair => OverlayMarks.IsPortable(pair.Key));

    private static void CheckAttribute(int errno, string path)
    {
        if (errno != Errno.EOPNOTSUPP)
            Check(errno, path);
    }

    private static void Check(int errno, string path)
    {
        if (errno != 0)
            throw new LinuxException($"copy {path}", errno);
    }
}
