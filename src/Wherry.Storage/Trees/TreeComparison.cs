using System.Text;
using Wherry.Linux;
using Wherry.Linux.FileTrees;

namespace Wherry.Storage.Trees;

/// <summary>
/// Whether two files are the same as far as a layer would tell. Contents are not read: a change that leaves size and
/// modification time as they were is not seen, which no program does by accident.
/// </summary>
internal static class TreeComparison
{
    internal static bool AreSame(FileDescriptor directory, ReadOnlySpan<byte> name, FileStatus status, FileDescriptor otherDirectory, FileStatus other)
    {
        if (!LookSame(status, other))
            return false;
        if (status.Kind == FileKind.Symlink)
        {
            return FileTree.ReadLink(directory, name, out var link) == 0
                && FileTree.ReadLink(otherDirectory, name, out var otherLink) == 0
                && link.AsSpan().SequenceEqual(otherLink);
        }
        return HaveSameAttributes(directory, otherDirectory, name);
    }

    private static bool LookSame(FileStatus one, FileStatus other) =>
        one.Kind == other.Kind
        && (one.Permissions, one.Uid, one.Gid, one.Modified) == (other.Permissions, other.Uid, other.Gid, other.Modified)
        && (one.Kind != FileKind.Regular || one.Size == other.Size)
        && (one.DeviceMajor, one.DeviceMinor) == (other.DeviceMajor, other.DeviceMinor);

    private static bool HaveSameAttributes(FileDescriptor one, FileDescriptor other, ReadOnlySpan<byte> name)
    {
        var own = Portable(one, name);
        var others = Portable(other, name);
        return own.Count == others.Count
            && own.Zip(others).All(pair => pair.First.Key == pair.Second.Key && pair.First.Value.AsSpan().SequenceEqual(pair.Second.Value));
    }

    private static List<KeyValuePair<string, byte[]>> Portable(FileDescriptor directory, ReadOnlySpan<byte> name) =>
        [.. FileTree.GetAttributes(directory, name).Where(pair => OverlayMarks.IsPortable(pair.Key))];
}

/// <summary>Lists what differs between a container's files and those of its image.</summary>
internal static class ChangeList
{
    /// <summary>Of an overlay's upper directory.</summary>
    internal static IReadOnlyList<TreeChange> OfUpper(string upper, IReadOnlyList<string> below)
    {
        using var root = FileTree.OpenDirectory(upper);
        using var lower = MergedDirectory.Open(below);
        var changes = new List<TreeChange>();
        AddUpper(root, [], lower, changes);
        return changes;
    }

    /// <summary>Of a whole tree.</summary>
    internal static IReadOnlyList<TreeChange> OfTree(string tree, IReadOnlyList<string> below)
    {
        using var root = FileTree.OpenDirectory(tree);
        using var lower = MergedDirectory.Open(below);
        var changes = new List<TreeChange>();
        AddTree(root, [], lower, changes);
        return changes;
    }

    /// <summary>Of an opened tree.</summary>
    internal static IReadOnlyList<TreeChange> Between(FileDescriptor tree, IReadOnlyList<string> below)
    {
        using var lower = MergedDirectory.Open(below);
        var changes = new List<TreeChange>();
        AddTree(tree, [], lower, changes);
        return changes;
    }

    private static void AddUpper(FileDescriptor directory, byte[] path, MergedDirectory? below, List<TreeChange> changes)
    {
        var names = FileTree.ReadNames(directory, $"read {Encoding.UTF8.GetString(path)}");
        if (below is not null && OverlayMarks.IsOpaque(directory, []))
        {
            var own = names.ToHashSet(ByteEquality.Instance);
            changes.AddRange(below.Names().Where(name => !own.Contains(name)).Select(name => new TreeChange(Join(path, name), ChangeKind.Deleted)));
        }
        foreach (var name in names)
        {
            if (FileTree.GetStatus(directory, name, out var status) != 0)
                continue; // deleted while a running container was read
            var before = below?.Find(name);
            var full = Join(path, name);
            if (status.IsWhiteout)
            {
                if (before is not null)
                    changes.Add(new TreeChange(full, ChangeKind.Deleted));
                continue;
            }
            if (OverlayMarks.IsMark(name))
            {
                var hidden = name[OverlayMarks.WhiteoutPrefix.Length..];
                if (below?.Find(hidden) is not null)
                    changes.Add(new TreeChange(Join(path, hidden), ChangeKind.Deleted));
                continue;
            }
            changes.Add(new TreeChange(full, before is null ? ChangeKind.Added : ChangeKind.Modified));
            if (status.Kind != FileKind.Directory || FileTree.OpenName(directory, name, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out var child) != 0)
                continue;
            using (child)
            using (var inner = below?.Enter(name))
                AddUpper(child, full, inner, changes);
        }
    }

    private static void AddTree(FileDescriptor directory, byte[] path, MergedDirectory? below, List<TreeChange> changes)
    {
        var names = FileTree.ReadNames(directory, $"read {Encoding.UTF8.GetString(path)}");
        if (below is not null)
        {
            var own = names.ToHashSet(ByteEquality.Instance);
            changes.AddRange(below.Names().Where(name => !own.Contains(name)).Select(name => new TreeChange(Join(path, name), ChangeKind.Deleted)));
        }
        foreach (var name in names)
        {
            if (FileTree.GetStatus(directory, name, out var status) != 0)
                continue;
            var before = below?.Find(name);
            var full = Join(path, name);
            var at = changes.Count;
            var differs = before is not { } known || !TreeComparison.AreSame(directory, name, status, known.Directory, known.Status);
            if (status.Kind == FileKind.Directory && FileTree.OpenName(directory, name, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out var child) == 0)
            {
                using (child)
                using (var inner = below?.Enter(name))
                    AddTree(child, full, inner, changes);
            }
            // As overlay does: a directory counts as changed with anything in it.
            if (differs || changes.Count > at)
                changes.Insert(at, new TreeChange(full, before is null ? ChangeKind.Added : ChangeKind.Modified));
        }
    }

    private static byte[] Join(byte[] path, byte[] name) => path.Length == 0 ? name : [.. path, (byte)'/', .. name];
}

/// <summary>Names as keys.</summary>
internal sealed class ByteEquality : IEqualityComparer<byte[]>
{
    internal static ByteEquality Instance { get; } = new();

    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    public int GetHashCode(byte[] obj)
    {
        var hash = new HashCode();
        hash.AddBytes(obj);
        return hash.ToHashCode();
    }
}
