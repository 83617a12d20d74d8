using System.Text;
using Wherry.Linux;
using Wherry.Linux.FileTrees;
using Wherry.Linux.Processes;
using Wherry.Storage.Archives;

namespace Wherry.Storage.Trees;

/// <summary>One method for each kind of member. Owner first: changing it clears setuid bits and capabilities.</summary>
public sealed partial class TreeExtractor
{
    private void ExtractDirectory(FileDescriptor parent, EntryPath path, TarEntry entry, bool opaque)
    {
        var errno = FileTree.MakeDirectory(parent, path.Name, 0x1C0);
        if (errno == Errno.EEXIST)
        {
            Check(FileTree.GetStatus(parent, path.Name, out var status), "look at what is in the way");
            if (status.Kind != FileKind.Directory)
            {
                opaque |= status.IsWhiteout;
                RemoveExisting(parent, path.Name);
                Check(FileTree.MakeDirectory(parent, path.Name, 0x1C0), "make directory");
            }
        }
        else
        {
            Check(errno, "make directory");
        }
        Check(FileTree.OpenName(parent, path.Name, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out var directory), "open directory");
        using (directory)
            Describe(directory, entry);
        if (opaque)
            SetOpaque(parent, path.Name);
        RememberTime(path.Full, entry.Modified);
    }

    private void ExtractFile(FileDescriptor parent, byte[] name, TarEntry entry, TarReader archive)
    {
        const int Flags = OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive;
        var errno = FileTree.OpenName(parent, name, Flags, 0x180, out var file);
        if (errno == Errno.EEXIST)
        {
            RemoveExisting(parent, name);
            errno = FileTree.OpenName(parent, name, Flags, 0x180, out file);
        }
        using (file)
        {
            Check(errno, "make file");
            if (entry.Sparse is null)
            {
                while (archive.TryReadData(out var data, out _))
                    Check(FileTree.WriteAll(file, data), "write file");
            }
            else
            {
                Check(FileTree.SetLength(file, entry.Size), "set size of sparse file");
                while (archive.TryReadData(out var data, out var offset))
                    Check(FileTree.WriteAllAt(file, data, offset), "write file");
            }
            Describe(file, entry);
            Check(FileTree.SetTime(file, entry.Modified), "set time");
        }
        Size += entry.Size;
    }

    private void ExtractSymlink(FileDescriptor parent, byte[] name, TarEntry entry)
    {
        if (entry.LinkName.Length == 0)
            throw new TarFormatException($"{entry.NameText}: a symbolic link without a target");
        // Its target is the container's affair: inside the root it is never followed but within the root.
        var errno = FileTree.MakeSymlink(parent, name, entry.LinkName);
        if (errno == Errno.EEXIST)
        {
            RemoveExisting(parent, name);
            errno = FileTree.MakeSymlink(parent, name, entry.LinkName);
        }
        Check(errno, "make symbolic link");
        SetOwner(parent, name, entry);
        SetAttributes(parent, name, entry);
        Check(FileTree.SetTime(parent, name, entry.Modified), "set time");
    }

    private void ExtractHardLink(EntryPath path, TarEntry entry)
    {
        var target = EntryPath.Parse(entry.LinkName);
        if (target.IsRoot)
            throw new TarFormatException($"{entry.NameText}: a hard link to a directory");
        if (target == path || (target.Name.AsSpan().SequenceEqual(path.Name) && target.Parent.AsSpan().SequenceEqual(path.Parent)))
            throw new TarFormatException($"{entry.NameText}: a hard link to itself");
        using var targetParent = OpenTargetParent(target, entry);
        // The target's directory must be opened before: OpenParent keeps only one.
        var parent = OpenParent(path.Parent, entry.NameText);
        var errno = FileTree.MakeLink(targetParent, target.Name, parent, path.Name);
        if (errno == Errno.EEXIST)
        {
            RemoveExisting(parent, path.Name);
            parent = OpenParent(path.Parent, entry.NameText);
            errno = FileTree.MakeLink(targetParent, target.Name, parent, path.Name);
        }
        if (errno == Errno.ENOENT)
            throw MissingTarget(entry);
        if (errno == Errno.EPERM)
            throw new TarFormatException($"{entry.NameText}: its target {Encoding.UTF8.GetString(entry.LinkName)} can't be linked to (a directory?)");
        Check(errno, "make hard link");
    }

    private FileDescriptor OpenTargetParent(EntryPath target, TarEntry entry)
    {
        var errno = FileTree.Open(_root, target.Parent.Length == 0 ? "."u8 : target.Parent, OpenFlags.ReadOnly | OpenFlags.Directory, 0, Inside, out var directory);
        if (errno == 0)
            return directory;
        directory.Dispose();
        throw errno is Errno.ENOENT or Errno.ENOTDIR ? MissingTarget(entry) : new LinuxException("open directory of hard link's target", errno);
    }

    private static TarFormatException MissingTarget(TarEntry entry) =>
        new($"{entry.NameText}: a hard link to {Encoding.UTF8.GetString(entry.LinkName)}, which the archive does not have");

    private void ExtractNode(FileDescriptor parent, byte[] name, TarEntry entry)
    {
        var kind = entry.Kind switch
        {
            TarKind.CharacterDevice => FileKind.CharacterDevice,
            TarKind.BlockDevice => FileKind.BlockDevice,
            _ => FileKind.Fifo,
        };
        var errno = FileTree.MakeNode(parent, name, kind, entry.Mode, entry.DeviceMajor, entry.DeviceMinor);
        if (errno == Errno.EEXIST)
        {
            RemoveExisting(parent, name);
            errno = FileTree.MakeNode(parent, name, kind, entry.Mode, entry.DeviceMajor, entry.DeviceMinor);
        }
        // Nobody makes devices from within a user namespace, nor are they missed: a container's own /dev lies over the image's.
        if (errno == Errno.EPERM && kind != FileKind.Fifo && UserNamespace.IsInside)
            return;
        Check(errno, "make node");
        SetOwner(parent, name, entry);
        Check(FileTree.SetModeOfNode(parent, name, entry.Mode), "set mode");
        SetAttributes(parent, name, entry);
        Check(FileTree.SetTime(parent, name, entry.Modified), "set time");
    }

    private void ExtractWhiteout(FileDescriptor parent, byte[] name, TarEntry entry)
    {
        if (name.AsSpan().SequenceEqual(OverlayMarks.OpaqueMarker))
        {
            SetOpaque(parent, []);
            return;
        }
        if (name.AsSpan().StartsWith(OverlayMarks.AufsPrefix))
            return;
        var hidden = name.AsSpan(OverlayMarks.WhiteoutPrefix.Length);
        if (hidden.IsEmpty || hidden.SequenceEqual("."u8) || hidden.SequenceEqual(".."u8))
            throw new TarFormatException($"{entry.NameText}: a whiteout without a name");
        var errno = FileTree.MakeNode(parent, hidden, FileKind.CharacterDevice, 0, 0, 0);
        if (errno == Errno.EEXIST)
        {
            // A whiteout hides lower layers only. A file here hides them by itself; a directory must not merge.
            Check(FileTree.GetStatus(parent, hidden, out var status), "look at what a whiteout names");
            if (status.Kind == FileKind.Directory)
                SetOpaque(parent, hidden);
            return;
        }
        if (errno == Errno.EPERM)
        {
            // A file system that is an overlay itself takes no whiteout from outside.
            _hasNamedMarks = true;
            MakeMark(parent, name, "make whiteout");
            return;
        }
        Check(errno, "make whiteout");
    }

    private static void SetOpaque(FileDescriptor parent, ReadOnlySpan<byte> name)
    {
        var errno = FileTree.SetAttribute(parent, name, OverlayMarks.OpaqueAttribute, OverlayMarks.OpaqueValue);
        if (errno == Errno.EOPNOTSUPP)
            MakeMark(parent, name.IsEmpty ? OverlayMarks.OpaqueMarker : [.. name, (byte)'/', .. OverlayMarks.OpaqueMarker], "make directory opaque");
        else
            Check(errno, "make directory opaque");
    }

    private static void MakeMark(FileDescriptor parent, ReadOnlySpan<byte> name, string doing)
    {
        var errno = FileTree.MakeNode(parent, name, FileKind.Regular, 0, 0, 0);
        if (errno != Errno.EEXIST)
            Check(errno, doing);
    }

    /// <summary>A member that comes after a whiteout of its own name replaces it, as it does a mark that is in its way.</summary>
    /// <returns>Whether there was one.</returns>
    private bool RemoveNamedMark(FileDescriptor parent, ReadOnlySpan<byte> name) =>
        _hasNamedMarks && FileTree.Unlink(parent, [.. OverlayMarks.WhiteoutPrefix, .. name], isDirectory: false) == 0;

    /// <summary>A later member of the same name wins.</summary>
    private void RemoveExisting(FileDescriptor parent, byte[] name)
    {
        Check(FileTree.RemoveTree(parent, name), "replace what is in the way");
        // The remembered parent may have gone with it. It may also be in use here, so it is closed later.
        _parentPath = [];
    }

    private void SetOwner(FileDescriptor parent, byte[] name, TarEntry entry)
    {
        if (_rules.SetsOwner)
            CheckOwner(FileTree.SetOwner(parent, name, entry.Uid, entry.Gid), entry);
    }

    private static void CheckOwner(int errno, TarEntry entry)
    {
        if (errno == Errno.EINVAL && UserNamespace.IsInside)
        {
            // Where there is nobody but root, everything is root's.
            if (UserNamespace.HasSingleId)
                return;
            throw new TarFormatException($"{entry.NameText}: its owner {entry.Uid}:{entry.Gid} is not among the ids this engine has: /etc/subuid and /etc/subgid grant a user ids");
        }
        Check(errno, "set owner");
    }

    private void Describe(FileDescriptor file, TarEntry entry)
    {
        if (_rules.SetsOwner)
            CheckOwner(FileTree.SetOwner(file, entry.Uid, entry.Gid), entry);
        Check(FileTree.SetMode(file, entry.Mode), "set mode");
        foreach (var (attribute, value) in entry.Attributes)
        {
            if (OverlayMarks.IsPortable(attribute))
                CheckAttribute(FileTree.SetAttribute(file, Encoding.UTF8.GetBytes(attribute), value), attribute);
        }
    }

    private void SetAttributes(FileDescriptor parent, byte[] name, TarEntry entry)
    {
        foreach (var (attribute, value) in entry.Attributes)
        {
            if (OverlayMarks.IsPortable(attribute))
                CheckAttribute(FileTree.SetAttribute(parent, name, Encoding.UTF8.GetBytes(attribute), value), attribute);
        }
    }

    private void CheckAttribute(int errno, string attribute)
    {
        // Where the file system keeps no such attributes the file is still right without, unless it relies on capabilities.
        if (errno == Errno.EOPNOTSUPP && (attribute != "security.capability" || !_rules.SetsOwner))
            return;
        // Who may not give files away may not give them capabilities either.
        if (errno == Errno.EPERM && !_rules.SetsOwner)
            return;
        // Attributes for the host's administrator alone.
        if (errno == Errno.EPERM && UserNamespace.IsInside && attribute.StartsWith("trusted.", StringComparison.Ordinal))
            return;
        // Links and nodes can't carry user attributes at all; some archives claim them.
        if (errno == Errno.EPERM && attribute.StartsWith("user.", StringComparison.Ordinal))
            return;
        Check(errno, $"set attribute {attribute}");
    }
}
