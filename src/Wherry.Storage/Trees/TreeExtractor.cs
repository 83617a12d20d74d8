using System.Text;
using Wherry.Linux;
using Wherry.Linux.FileTrees;
using Wherry.Storage.Archives;

namespace Wherry.Storage.Trees;

/// <summary>
/// Unpacks a layer's archive into an empty directory as overlay wants it. Every path is resolved by the kernel with
/// that directory as its root (openat2), so neither <c>..</c> nor a symbolic link, old or just unpacked, leads out;
/// device nodes are made and never opened.
/// </summary>
/// <remarks>Not thread-safe; the directory must be the extractor's alone.</remarks>
public sealed partial class TreeExtractor : IDisposable
{
    private const PathResolution Inside = PathResolution.InRoot | PathResolution.NoMagicLinks;
    private readonly FileDescriptor _root;
    private readonly Dictionary<string, (byte[] Path, FileTime Time)> _directoryTimes = new(StringComparer.Ordinal);
    private readonly List<byte[]> _impliedDirectories = [];
    private readonly ExtractionRules _rules;
    private byte[] _parentPath = [];
    private FileDescriptor? _parent;
    private bool _hasNamedMarks;

    /// <summary>For a layer: into an empty directory.</summary>
    public TreeExtractor(string directory, ExtractionRules? rules = null)
        : this(FileTree.OpenDirectory(directory), rules ?? ExtractionRules.Layer)
    {
    }

    /// <summary>Into a directory that may have files already, and whose files others may be changing.</summary>
    /// <param name="root">The directory; owned by the extractor from here on.</param>
    /// <param name="rules">How members become files.</param>
    public TreeExtractor(FileDescriptor root, ExtractionRules rules)
    {
        _root = root;
        _rules = rules;
    }

    /// <summary>Bytes of the regular files unpacked.</summary>
    public long Size { get; private set; }

    /// <summary>
    /// Directories that the archive put files in without describing them. Overlay would show our guess of their
    /// attributes instead of the lower layers'.
    /// </summary>
    public IReadOnlyList<byte[]> ImpliedDirectories => _impliedDirectories;

    public void Dispose()
    {
        _parent?.Dispose();
        _root.Dispose();
    }

    /// <summary>Unpacks all members, and reads the archive to its end.</summary>
    public void Extract(TarReader archive, CancellationToken cancel)
    {
        while (archive.Next() is { } entry)
        {
            cancel.ThrowIfCancellationRequested();
            try
            {
                if (_rules.Apply(entry) is { } member)
                    ExtractEntry(member, archive);
            }
            catch (LinuxException failure)
            {
                throw new LinuxException($"unpack {entry.NameText}", failure.ErrorNumber);
            }
        }
        archive.Drain();
        SetDirectoryTimes();
    }

    private void ExtractEntry(TarEntry entry, TarReader archive)
    {
        var path = EntryPath.Parse(entry.Name);
        if (path.IsRoot)
        {
            if (entry.Kind != TarKind.Directory)
                throw new TarFormatException($"{entry.NameText}: the archive's root is not a directory");
            if (!_rules.DescribesRoot)
                return;
            Describe(_root, entry);
            RememberTime([], entry.Modified);
            return;
        }
        var parent = OpenParent(path.Parent, entry.NameText);
        if (_rules.Whiteouts && path.Name.AsSpan().StartsWith(OverlayMarks.WhiteoutPrefix))
        {
            ExtractWhiteout(parent, path.Name, entry);
            return;
        }
        if (_rules.KeepKind)
            RequireSameKind(parent, path.Name, entry);
        var replacesMark = RemoveNamedMark(parent, path.Name);
        switch (entry.Kind)
        {
            case TarKind.Directory:
                ExtractDirectory(parent, path, entry, replacesMark);
                break;
            case TarKind.File:
                ExtractFile(parent, path.Name, entry, archive);
                break;
            case TarKind.Symlink:
                ExtractSymlink(parent, path.Name, entry);
                break;
            case TarKind.HardLink:
                ExtractHardLink(path, entry);
                break;
            default:
                ExtractNode(parent, path.Name, entry);
                break;
        }
    }

    /// <summary>Docker's noOverwriteDirNonDir: neither a directory for a file nor the other way round.</summary>
    private static void RequireSameKind(FileDescriptor parent, byte[] name, TarEntry entry)
    {
        if (FileTree.GetStatus(parent, name, out var status) != 0 || status.Kind == FileKind.Directory == (entry.Kind == TarKind.Directory))
            return;
        throw Errors.WherryException.Invalid(status.Kind == FileKind.Directory
            ? $"cannot overwrite directory \"{entry.NameText}\" with non-directory"
            : $"cannot overwrite non-directory \"{entry.NameText}\" with directory");
    }

    /// <summary>The directory a member goes to, made if the archive did not bring it.</summary>
    private FileDescriptor OpenParent(byte[] path, string member)
    {
        if (path.Length == 0)
            return _root;
        if (_parent is not null && _parentPath.AsSpan().SequenceEqual(path))
            return _parent;
        ForgetParent();
        var errno = FileTree.Open(_root, path, OpenFlags.ReadOnly | OpenFlags.Directory, 0, Inside, out var directory);
        if (errno is Errno.ENOENT or Errno.ENOTDIR)
        {
            directory.Dispose();
            MakeImpliedDirectories(path, member);
            errno = FileTree.Open(_root, path, OpenFlags.ReadOnly | OpenFlags.Directory, 0, Inside, out directory);
        }
        if (errno != 0)
        {
            directory.Dispose();
            throw new LinuxException("open parent directory", errno);
        }
        _parent = directory;
        _parentPath = path;
        return directory;
    }

    private void ForgetParent()
    {
        _parent?.Dispose();
        _parent = null;
    }

    private void MakeImpliedDirectories(byte[] path, string member)
    {
        for (var end = 0; end < path.Length;)
        {
            var start = end == 0 ? 0 : end + 1;
            var next = path.AsSpan(start).IndexOf((byte)'/');
            var name = path.AsSpan(start, next < 0 ? path.Length - start : next);
            using var above = OpenExisting(path.AsSpan(0, end));
            end = start + name.Length;

            var opaque = RemoveNamedMark(above, name);
            var errno = FileTree.MakeDirectory(above, name, 0x1ED);
            if (errno == Errno.EEXIST)
            {
                if (FileTree.GetStatus(above, name, out var status) != 0 || !status.IsWhiteout)
                {
                    if (status.Kind is FileKind.Directory or FileKind.Symlink)
                        continue;
                    throw new TarFormatException($"{member}: {Encoding.UTF8.GetString(path.AsSpan(0, end))} is not a directory");
                }
                // The lower directory was deleted, then a new one made in its place.
                Check(FileTree.Unlink(above, name, isDirectory: false), "replace whiteout");
                errno = FileTree.MakeDirectory(above, name, 0x1ED);
                opaque = true;
            }
            Check(errno, "make parent directory");
            if (_rules.ImpliedOwner is var (uid, gid))
                Check(FileTree.SetOwner(above, name, uid, gid), "set owner of parent directory");
            Check(FileTree.SetModeOfNode(above, name, 0x1ED), "set mode of parent directory");
            if (opaque)
                SetOpaque(above, name);
            else
                _impliedDirectories.Add(path[..end]);
        }
    }

    private FileDescriptor OpenExisting(ReadOnlySpan<byte> path)
    {
        var errno = FileTree.Open(_root, path.IsEmpty ? "."u8 : path, OpenFlags.ReadOnly | OpenFlags.Directory, 0, Inside, out var directory);
        if (errno == 0)
            return directory;
        directory.Dispose();
        throw new LinuxException("open parent directory", errno);
    }

    private void RememberTime(byte[] path, FileTime time) => _directoryTimes[Encoding.Latin1.GetString(path)] = (path, time);

    /// <summary>Only now: every file made in a directory has set its time to the present.</summary>
    private void SetDirectoryTimes()
    {
        ForgetParent();
        foreach (var (path, time) in _directoryTimes.Values)
        {
            var errno = FileTree.Open(_root, path.Length == 0 ? "."u8 : path, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow, 0, Inside, out var directory);
            using (directory)
            {
                // A later member may have put something else in its place.
                if (errno == 0)
                    Check(FileTree.SetTime(directory, time), $"set time of {Encoding.UTF8.GetString(path)}");
            }
        }
    }

    private static void Check(int errno, string doing)
    {
        if (errno != 0)
            throw new LinuxException(doing, errno);
    }
}
