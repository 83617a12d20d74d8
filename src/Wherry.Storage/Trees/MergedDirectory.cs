using Wherry.Linux;
using Wherry.Linux.FileTrees;

namespace Wherry.Storage.Trees;

/// <summary>
/// One directory as overlay would show it over several layers, without a mount: those of its layers that take part,
/// opened. Whiteouts and opaque marks are minded, symbolic links never followed.
/// </summary>
internal sealed class MergedDirectory : IDisposable
{
    private readonly List<FileDescriptor> _parts;

    private MergedDirectory(List<FileDescriptor> parts) => _parts = parts;

    /// <param name="topmostFirst">The layers' directories.</param>
    internal static MergedDirectory Open(IReadOnlyList<string> topmostFirst)
    {
        var parts = new List<FileDescriptor>();
        try
        {
            foreach (var directory in topmostFirst)
                parts.Add(FileTree.OpenDirectory(directory));
            return new MergedDirectory(parts);
        }
        catch
        {
            parts.ForEach(part => part.Dispose());
            throw;
        }
    }

    public void Dispose() => _parts.ForEach(part => part.Dispose());

    /// <summary>The status of the directory itself.</summary>
    internal FileStatus? Status => _parts.Count > 0 && FileTree.GetStatus(_parts[0], [], out var status) == 0 ? status : null;

    /// <summary>Where the topmost file of a name lies; null when there is none.</summary>
    internal (FileDescriptor Directory, FileStatus Status)? Find(ReadOnlySpan<byte> name)
    {
        foreach (var part in _parts)
        {
            if (FileTree.GetStatus(part, name, out var status) == 0)
                return status.IsWhiteout ? null : (part, status);
            if (OverlayMarks.IsHidden(part, name))
                return null;
        }
        return null;
    }

    /// <summary>The directory of a name; null when it is none.</summary>
    internal MergedDirectory? Enter(ReadOnlySpan<byte> name)
    {
        var below = new List<FileDescriptor>();
        foreach (var part in _parts)
        {
            if (FileTree.GetStatus(part, name, out var status) != 0)
            {
                if (OverlayMarks.IsHidden(part, name))
                    break;
                continue;
            }
            if (status.Kind != FileKind.Directory || FileTree.OpenName(part, name, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out var child) != 0)
                break;
            below.Add(child);
            if (OverlayMarks.IsOpaque(part, name))
                break;
        }
        return below.Count == 0 ? null : new MergedDirectory(below);
    }

    /// <summary>All names, sorted by their bytes.</summary>
    internal List<byte[]> Names()
    {
        var names = new SortedDictionary<byte[], bool>(ByteOrder.Instance);
        foreach (var part in _parts)
        {
            var own = FileTree.ReadNames(part, "read a layer's directory");
            foreach (var name in own)
            {
                if (names.ContainsKey(name) || OverlayMarks.IsMark(name))
                    continue;
                if (FileTree.GetStatus(part, name, out var status) == 0)
                    names.Add(name, !status.IsWhiteout);
            }
            // After the directory's own files, which its marks do not hide.
            foreach (var name in own.Where(name => OverlayMarks.IsMark(name)))
                names.TryAdd(name[OverlayMarks.WhiteoutPrefix.Length..], false);
        }
        return [.. names.Where(pair => pair.Value).Select(pair => pair.Key)];
    }
}

/// <summary>Names in the order of their bytes.</summary>
internal sealed class ByteOrder : IComparer<byte[]>
{
    internal static ByteOrder Instance { get; } = new();

    public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
}
