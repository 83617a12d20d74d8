using System.Text;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.FileTrees;
using Wherry.Linux.Processes;
using Wherry.Storage.Archives;

namespace Wherry.Storage.Trees;

/// <summary>
/// Writes trees as archives. The order is that of the names' bytes, so the same tree gives the same bytes. Of an
/// overlay's upper directory whiteout devices and opaque marks become <c>.wh.</c> names, as a layer has them; so does
/// what a whole tree lacks of another.
/// </summary>
/// <param name="target">Written to, flushed, not disposed.</param>
/// <param name="cancel">Ends the work early.</param>
/// <param name="ids">Owners become those seen inside a user namespace; null is one to one.</param>
internal sealed class TreeWriter(Stream target, CancellationToken cancel, IdMap? ids = null)
{
    /// <summary>Holes are worth a map only where they save more than it costs readers that know none.</summary>
    private const long LeastHole = 1 << 20;

    private readonly TarWriter _archive = new(target);
    private readonly Dictionary<(ulong Device, ulong Inode), byte[]> _linked = [];
    private readonly byte[] _buffer = new byte[256 * 1024];
    private readonly List<Action> _unwritten = [];

    /// <summary>Writes a layer's archive of an overlay's upper directory.</summary>
    /// <param name="upper">The overlay's upper directory.</param>
    /// <param name="below">The root directory it lies on: the root becomes a member only when it differs from that.</param>
    internal void WriteUpper(string upper, FileStatus? below)
    {
        using var root = FileTree.OpenDirectory(upper);
        WriteRoot(root, below);
        WriteDirectory(root, []);
        _archive.Finish();
    }

    /// <summary>Writes a layer's archive of what a whole tree has changed against the layers below it.</summary>
    internal void WriteDifference(string tree, MergedDirectory below)
    {
        using var root = FileTree.OpenDirectory(tree);
        WriteRoot(root, below.Status);
        WriteDifference(root, [], below);
        _archive.Finish();
    }

    /// <summary>Writes all below a directory, without the directory itself.</summary>
    internal void WriteContent(FileDescriptor root)
    {
        WriteDirectory(root, []);
        _archive.Finish();
    }

    /// <summary>Writes a directory as a layer that has everything: itself, and all below it.</summary>
    internal void WriteWhole(FileDescriptor root)
    {
        WriteRoot(root, below: null);
        WriteContent(root);
    }

    /// <summary>Writes one file, or a directory with all that is in it, under another name.</summary>
    /// <param name="directory">Where it lies.</param>
    /// <param name="name">Its name there; empty for the directory itself.</param>
    /// <param name="member">Its name in the archive.</param>
    internal void WriteNamed(FileDescriptor directory, byte[] name, byte[] member)
    {
        var errno = FileTree.GetStatus(directory, name, out var status);
        if (errno != 0)
            throw new LinuxException($"stat {Encoding.UTF8.GetString(member)}", errno);
        if (name.Length == 0)
        {
            _archive.WriteHeader(Describe(TarKind.Directory, member, status, directory, []));
            WriteDirectory(directory, member);
        }
        else
        {
            WriteEntry(directory, name, member, status);
        }
        _archive.Finish();
    }

    private void WriteRoot(FileDescriptor root, FileStatus? below)
    {
        var errno = FileTree.GetStatus(root, [], out var status);
        if (errno != 0)
            throw new LinuxException("stat a layer's root", errno);
        if (below is not { } lower || (status.Permissions, status.Uid, status.Gid) != (lower.Permissions, lower.Uid, lower.Gid))
            _archive.WriteHeader(Describe(TarKind.Directory, "./"u8.ToArray(), status, root, []));
    }

    private void WriteDirectory(FileDescriptor directory, byte[] path)
    {
        var opaque = OverlayMarks.IsOpaque(directory, []);
        if (opaque)
            WriteMarker(Join(path, OverlayMarks.OpaqueMarker), default);
        foreach (var name in FileTree.ReadNames(directory, $"read {Encoding.UTF8.GetString(path)}"))
        {
            cancel.ThrowIfCancellationRequested();
            if (opaque && OverlayMarks.TellsOpaque(name))
                continue; // told already
            var errno = FileTree.GetStatus(directory, name, out var status);
            if (errno == Errno.ENOENT)
                continue; // deleted while a running container was read
            if (errno != 0)
                throw new LinuxException($"stat {Encoding.UTF8.GetString(Join(path, name))}", errno);
            WriteEntry(directory, name, Join(path, name), status);
        }
    }

    private void WriteDifference(FileDescriptor directory, byte[] path, MergedDirectory below)
    {
        var names = FileTree.ReadNames(directory, $"read {Encoding.UTF8.GetString(path)}");
        var own = names.ToHashSet(ByteEquality.Instance);
        foreach (var gone in below.Names().Where(name => !own.Contains(name)))
        {
            WriteAbove();
            WriteMarker(Join(path, [.. OverlayMarks.WhiteoutPrefix, .. gone]), default);
        }
        foreach (var name in names)
        {
            cancel.ThrowIfCancellationRequested();
            if (FileTree.GetStatus(directory, name, out var status) != 0)
                continue;
            var full = Join(path, name);
            var before = below.Find(name);
            if (status.Kind == FileKind.Directory && before is { Status.Kind: FileKind.Directory } known)
            {
                CompareDirectory(directory, name, full, status, known.Directory, known.Status, below);
            }
            else if (before is not { } other || !TreeComparison.AreSame(directory, name, status, other.Directory, other.Status))
            {
                WriteAbove();
                WriteEntry(directory, name, full, status);
            }
        }
    }

    private void CompareDirectory(FileDescriptor directory, byte[] name, byte[] path, FileStatus status, FileDescriptor otherDirectory, FileStatus other, MergedDirectory below)
    {
        var errno = FileTree.OpenName(directory, name, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out var child);
        using (child)
        {
            if (errno != 0)
                return;
            // Written when something in it is, or if it has changed itself.
            _unwritten.Add(() => _archive.WriteHeader(Describe(TarKind.Directory, path, status, directory, name)));
            if (!TreeComparison.AreSame(directory, name, status, otherDirectory, other))
                WriteAbove();
            using (var inner = below.Enter(name)!)
                WriteDifference(child, path, inner);
            if (_unwritten.Count > 0)
                _unwritten.RemoveAt(_unwritten.Count - 1);
        }
    }

    private void WriteAbove()
    {
        foreach (var write in _unwritten)
            write();
        _unwritten.Clear();
    }

    private void WriteEntry(FileDescriptor directory, byte[] name, byte[] path, FileStatus status)
    {
        if (path.Length > TarReader.MaxName)
            throw WherryException.Unsupported($"the path {Encoding.UTF8.GetString(path.AsSpan(0, 64))}… is longer than {TarReader.MaxName} bytes: an archive of it could not be unpacked");
        if (status.IsWhiteout)
        {
            var slash = path.AsSpan().LastIndexOf((byte)'/') + 1;
            WriteMarker([.. path.AsSpan(0, slash), .. OverlayMarks.WhiteoutPrefix, .. name], status.Modified);
            return;
        }
        if (status.Kind != FileKind.Directory && status.LinkCount > 1)
        {
            if (_linked.TryGetValue((status.Device, status.Inode), out var first))
            {
                var (uid, gid) = OwnerOf(status);
                _archive.WriteHeader(new TarEntry
                {
                    Kind = TarKind.HardLink,
                    Name = path,
                    LinkName = first,
                    Mode = status.Permissions,
                    Uid = uid,
                    Gid = gid,
                    Modified = status.Modified,
                });
                return;
            }
            _linked.Add((status.Device, status.Inode), path);
        }
        switch (status.Kind)
        {
            case FileKind.Directory:
                WriteSubdirectory(directory, name, path, status);
                break;
            case FileKind.Regular:
                WriteFile(directory, name, path, status);
                break;
            case FileKind.Symlink:
                var errno = FileTree.ReadLink(directory, name, out var link);
                if (errno is Errno.ENOENT or Errno.EINVAL)
                    break;
                if (errno != 0)
                    throw new LinuxException($"read link {Encoding.UTF8.GetString(path)}", errno);
                _archive.WriteHeader(Describe(TarKind.Symlink, path, status, directory, name) with { LinkName = link });
                break;
            case FileKind.CharacterDevice:
                _archive.WriteHeader(Describe(TarKind.CharacterDevice, path, status, directory, name));
                break;
            case FileKind.BlockDevice:
                _archive.WriteHeader(Describe(TarKind.BlockDevice, path, status, directory, name));
                break;
            case FileKind.Fifo:
                _archive.WriteHeader(Describe(TarKind.Fifo, path, status, directory, name));
                break;
            default:
                break; // a socket is nothing without its server; tar has no form for it
        }
    }

    private void WriteSubdirectory(FileDescriptor directory, byte[] name, byte[] path, FileStatus status)
    {
        var errno = FileTree.OpenName(directory, name, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out var below);
        using (below)
        {
            if (errno == Errno.ENOENT)
                return;
            if (errno != 0)
                throw new LinuxException($"open {Encoding.UTF8.GetString(path)}", errno);
            _archive.WriteHeader(Describe(TarKind.Directory, path, status, directory, name));
            WriteDirectory(below, path);
        }
    }

    private void WriteFile(FileDescriptor directory, byte[] name, byte[] path, FileStatus status)
    {
        var errno = FileTree.OpenRegular(directory, name, out var file);
        using (file)
        {
            if (errno is Errno.ENOENT or Errno.EINVAL)
                return; // gone since, or something else under its name
            if (errno != 0)
                throw new LinuxException($"open {Encoding.UTF8.GetString(path)}", errno);
            var segments = FindSegments(file, status);
            _archive.WriteHeader(Describe(TarKind.File, path, status, directory, name) with { Sparse = segments });
            foreach (var (offset, length) in segments ?? [new SparseSegment(0, status.Size)])
                WriteData(file, offset, length, path);
            _archive.FillRest();
        }
    }

    private void WriteData(FileDescriptor file, long offset, long length, byte[] path)
    {
        while (length > 0)
        {
            var read = FileTree.ReadAt(file, _buffer.AsSpan(0, (int)Math.Min(length, _buffer.Length)), offset);
            if (read < 0)
                throw new LinuxException($"read {Encoding.UTF8.GetString(path)}", -read);
            if (read == 0)
            {
                // It shrank under us: the header's promise is kept with zeros, and later segments keep their place.
                _buffer.AsSpan(0, read = (int)Math.Min(length, _buffer.Length)).Clear();
            }
            _archive.WriteData(_buffer.AsSpan(0, read));
            offset += read;
            length -= read;
            cancel.ThrowIfCancellationRequested();
        }
    }

    private static List<SparseSegment>? FindSegments(FileDescriptor file, FileStatus status)
    {
        if (status.Size - (status.Blocks * 512) < LeastHole)
            return null;
        var segments = new List<SparseSegment>();
        var at = 0L;
        while (at < status.Size && FileTree.FindData(file, at, out var start, out var end) && start < status.Size)
        {
            end = Math.Min(end, status.Size);
            segments.Add(new SparseSegment(start, end - start));
            if (segments.Count > TarReader.MaxSparseSegments)
                return null;
            at = end;
        }
        // An empty stretch at the end is how GNU tar learns of a hole there.
        if (at < status.Size)
            segments.Add(new SparseSegment(status.Size, 0));
        return segments;
    }

    private void WriteMarker(byte[] path, FileTime time) =>
        _archive.WriteHeader(new TarEntry { Kind = TarKind.File, Name = path, Modified = time });

    private TarEntry Describe(TarKind kind, byte[] path, FileStatus status, FileDescriptor directory, ReadOnlySpan<byte> name)
    {
        var (uid, gid) = OwnerOf(status);
        return new TarEntry
        {
            Kind = kind,
            Name = path,
            Mode = status.Permissions,
            Uid = uid,
            Gid = gid,
            Size = kind == TarKind.File ? status.Size : 0,
            Modified = status.Modified,
            DeviceMajor = status.DeviceMajor,
            DeviceMinor = status.DeviceMinor,
            Attributes =
            [
                .. from pair in FileTree.GetAttributes(directory, name)
                   where OverlayMarks.IsPortable(pair.Key)
                   select ids is null ? pair : new(pair.Key, FileCapabilities.SeenInside(ids, pair.Key, pair.Value)),
            ],
        };
    }

    private (uint Uid, uint Gid) OwnerOf(FileStatus status) => ids?.Inside(status.Uid, status.Gid) ?? (status.Uid, status.Gid);

    private static byte[] Join(byte[] path, ReadOnlySpan<byte> name) => path switch
    {
        [] => name.ToArray(),
        [.., (byte)'/'] => [.. path, .. name],
        _ => [.. path, (byte)'/', .. name],
    };
}
