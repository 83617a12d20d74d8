using System.Text;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.FileTrees;
using Wherry.Storage.Archives;

namespace Wherry.Storage.Trees;

/// <summary>
/// Writes an overlay's upper directory as a layer's archive: whiteout devices and opaque marks become <c>.wh.</c>
/// names, the order is that of the names' bytes, so the same directory gives the same bytes.
/// </summary>
internal sealed class DiffWriter(Stream target, CancellationToken cancel)
{
    /// <summary>Holes are worth a map only where they save more than it costs readers that know none.</summary>
    private const long LeastHole = 1 << 20;

    private readonly TarWriter _archive = new(target);
    private readonly Dictionary<(ulong Device, ulong Inode), byte[]> _linked = [];
    private readonly byte[] _buffer = new byte[256 * 1024];

    /// <summary>Writes the whole archive.</summary>
    /// <param name="upper">The overlay's upper directory.</param>
    /// <param name="below">The root directory it lies on: the root becomes a member only when it differs from that.</param>
    internal void Write(string upper, FileStatus? below)
    {
        using var root = FileTree.OpenDirectory(upper);
        var errno = FileTree.GetStatus(root, [], out var status);
        if (errno != 0)
            throw new LinuxException($"stat {upper}", errno);
        if (below is not { } lower || (status.Permissions, status.Uid, status.Gid) != (lower.Permissions, lower.Uid, lower.Gid))
            _archive.WriteHeader(Describe(TarKind.Directory, "./"u8.ToArray(), status, root, []));
        WriteDirectory(root, []);
        _archive.Finish();
    }

    private void WriteDirectory(FileDescriptor directory, byte[] path)
    {
        if (FileTree.GetAttribute(directory, [], OverlayMarks.OpaqueAttribute) is [(byte)'y'])
            WriteMarker(Join(path, OverlayMarks.OpaqueMarker), default);
        foreach (var name in FileTree.ReadNames(directory, $"read {Encoding.UTF8.GetString(path)}"))
        {
            cancel.ThrowIfCancellationRequested();
            var errno = FileTree.GetStatus(directory, name, out var status);
            if (errno == Errno.ENOENT)
                continue; // deleted while a running container was read
            if (errno != 0)
                throw new LinuxException($"stat {Encoding.UTF8.GetString(Join(path, name))}", errno);
            WriteEntry(directory, name, Join(path, name), status);
        }
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
                _archive.WriteHeader(new TarEntry
                {
                    Kind = TarKind.HardLink,
                    Name = path,
                    LinkName = first,
                    Mode = status.Permissions,
                    Uid = status.Uid,
                    Gid = status.Gid,
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
        // NonBlock: should a fifo have taken the name since, opening must not wait for its writer.
        var errno = FileTree.OpenName(directory, name, OpenFlags.ReadOnly | OpenFlags.NonBlock, 0, out var file);
        using (file)
        {
            if (errno == Errno.ENOENT)
                return;
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

    private static TarEntry Describe(TarKind kind, byte[] path, FileStatus status, FileDescriptor directory, ReadOnlySpan<byte> name) => new()
    {
        Kind = kind,
        Name = path,
        Mode = status.Permissions,
        Uid = status.Uid,
        Gid = status.Gid,
        Size = kind == TarKind.File ? status.Size : 0,
        Modified = status.Modified,
        DeviceMajor = status.DeviceMajor,
        DeviceMinor = status.DeviceMinor,
        Attributes = [.. FileTree.GetAttributes(directory, name).Where(pair => OverlayMarks.IsPortable(pair.Key))],
    };

    private static byte[] Join(byte[] path, ReadOnlySpan<byte> name) => path.Length == 0 ? name.ToArray() : [.. path, (byte)'/', .. name];
}
