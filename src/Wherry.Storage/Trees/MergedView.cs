using Wherry.Linux;
using Wherry.Linux.FileTrees;

namespace Wherry.Storage.Trees;

/// <summary>A path as overlay would show it over several layers, found without a mount.</summary>
/// <param name="Status">Of the topmost file of that name.</param>
/// <param name="Attributes">Its portable extended attributes.</param>
internal sealed record MergedEntry(FileStatus Status, IReadOnlyList<KeyValuePair<string, byte[]>> Attributes);

/// <summary>Looks names up in a stack of layers, minding whiteouts and opaque directories. Symbolic links are not followed.</summary>
internal sealed class MergedView(IReadOnlyList<string> lowerTopmostFirst) : IDisposable
{
    private readonly List<FileDescriptor> _roots = [.. lowerTopmostFirst.Select(FileTree.OpenDirectory)];

    public void Dispose()
    {
        foreach (var root in _roots)
            root.Dispose();
    }

    /// <summary>The file at <paramref name="path"/>, components joined by <c>/</c>, empty for the root; null when there is none.</summary>
    internal MergedEntry? Find(ReadOnlySpan<byte> path)
    {
        if (path.IsEmpty)
            return _roots.Count == 0 ? null : Describe(_roots[0], []);
        var active = new List<FileDescriptor>(_roots);
        var opened = new List<FileDescriptor>();
        try
        {
            while (true)
            {
                var slash = path.IndexOf((byte)'/');
                var name = slash < 0 ? path : path[..slash];
                var found = Step(active, name, opened, out var below);
                if (found is null || slash < 0)
                    return found;
                if (found.Status.Kind != FileKind.Directory)
                    return null;
                active = below;
                path = path[(slash + 1)..];
            }
        }
        finally
        {
            foreach (var directory in opened)
                directory.Dispose();
        }
    }

    private static MergedEntry? Step(List<FileDescriptor> active, ReadOnlySpan<byte> name, List<FileDescriptor> opened, out List<FileDescriptor> below)
    {
        below = [];
        MergedEntry? found = null;
        foreach (var directory in active)
        {
            if (FileTree.GetStatus(directory, name, out var status) != 0)
            {
                if (OverlayMarks.IsHidden(directory, name))
                    break;
                continue;
            }
            if (status.IsWhiteout)
                break;
            found ??= Describe(directory, name);
            if (status.Kind != FileKind.Directory
                || FileTree.OpenName(directory, name, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out var child) != 0)
                break;
            opened.Add(child);
            below.Add(child);
            if (OverlayMarks.IsOpaque(directory, name))
                break;
        }
        return found;
    }

    private static MergedEntry? Describe(FileDescriptor directory, ReadOnlySpan<byte> name)
    {
        if (FileTree.GetStatus(directory, name, out var status) != 0)
            return null;
        var attributes = FileTree.GetAttributes(directory, name);
        return new MergedEntry(status, [.. attributes.Where(pair => OverlayMarks.IsPortable(pair.Key))]);
    }
}
