using System.Text;
using Wherry.Linux.FileTrees;

namespace Wherry.Storage.Archives;

/// <summary>What a member of an archive is.</summary>
public enum TarKind
{
    File,
    HardLink,
    Symlink,
    CharacterDevice,
    BlockDevice,
    Directory,
    Fifo,
}

/// <summary>A member of an archive. Names are bytes: nothing makes them text.</summary>
public sealed record TarEntry
{
    public required TarKind Kind { get; init; }

    /// <summary>As written in the archive, whatever it says.</summary>
    public required byte[] Name { get; init; }

    /// <summary>Target of a hard or symbolic link.</summary>
    public byte[] LinkName { get; init; } = [];

    /// <summary>Permission bits with setuid, setgid and sticky (07777).</summary>
    public uint Mode { get; init; }

    public uint Uid { get; init; }

    public uint Gid { get; init; }

    /// <summary>Bytes of the file once unpacked, holes included.</summary>
    public long Size { get; init; }

    public FileTime Modified { get; init; }

    public uint DeviceMajor { get; init; }

    public uint DeviceMinor { get; init; }

    /// <summary>Where the file's data lies; null for a file without holes.</summary>
    public IReadOnlyList<SparseSegment>? Sparse { get; init; }

    /// <summary>Extended attributes by full name, such as <c>security.capability</c>.</summary>
    public IReadOnlyList<KeyValuePair<string, byte[]>> Attributes { get; init; } = [];

    /// <summary>The name for messages.</summary>
    public string NameText => Encoding.UTF8.GetString(Name);
}

/// <summary>A stretch of data in a sparse file; what lies between stretches reads as zeros.</summary>
/// <param name="Offset">Bytes from the file's start.</param>
/// <param name="Length">Bytes.</param>
public readonly record struct SparseSegment(long Offset, long Length);
