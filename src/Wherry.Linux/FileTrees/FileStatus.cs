namespace Wherry.Linux.FileTrees;

/// <summary>The kind of a file: the <c>S_IFMT</c> bits of its mode.</summary>
public enum FileKind : uint
{
    Unknown = 0,
    Fifo = 0x1000,
    CharacterDevice = 0x2000,
    Directory = 0x4000,
    BlockDevice = 0x6000,
    Regular = 0x8000,
    Symlink = 0xA000,
    Socket = 0xC000,
}

/// <summary>A point in time with nanoseconds, as inodes keep it.</summary>
/// <param name="Seconds">Since 1970-01-01 UTC; may be negative.</param>
/// <param name="Nanoseconds">0–999,999,999, always forward from <paramref name="Seconds"/>.</param>
public readonly record struct FileTime(long Seconds, uint Nanoseconds) : IComparable<FileTime>
{
    public int CompareTo(FileTime other) =>
        Seconds != other.Seconds ? Seconds.CompareTo(other.Seconds) : Nanoseconds.CompareTo(other.Nanoseconds);

    public static bool operator <(FileTime left, FileTime right) => left.CompareTo(right) < 0;

    public static bool operator >(FileTime left, FileTime right) => left.CompareTo(right) > 0;

    public static bool operator <=(FileTime left, FileTime right) => left.CompareTo(right) <= 0;

    public static bool operator >=(FileTime left, FileTime right) => left.CompareTo(right) >= 0;
}

/// <summary>What statx(2) says of a file.</summary>
public readonly record struct FileStatus
{
    public required FileKind Kind { get; init; }

    /// <summary>The permission bits with setuid, setgid and sticky (07777).</summary>
    public required uint Permissions { get; init; }

    public required uint Uid { get; init; }

    public required uint Gid { get; init; }

    public required uint LinkCount { get; init; }

    public required ulong Inode { get; init; }

    /// <summary>The file system's device number.</summary>
    public required ulong Device { get; init; }

    /// <summary>Bytes.</summary>
    public required long Size { get; init; }

    /// <summary>Allocated units of 512 bytes.</summary>
    public required long Blocks { get; init; }

    public required FileTime Modified { get; init; }

    /// <summary>Of a device node.</summary>
    public required uint DeviceMajor { get; init; }

    public required uint DeviceMinor { get; init; }

    /// <summary>Overlay's mark of a deleted file: a character device 0:0.</summary>
    public bool IsWhiteout => Kind == FileKind.CharacterDevice && DeviceMajor == 0 && DeviceMinor == 0;
}
