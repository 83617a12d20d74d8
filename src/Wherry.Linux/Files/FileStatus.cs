using Wherry.Linux.Kernel;

namespace Wherry.Linux.Files;

/// <summary>
/// What statx(2) tells about a file. <c>DeviceMajor</c> and <c>DeviceMinor</c> are those of the device the file
/// stands for, <c>OnMajor</c> and <c>OnMinor</c> those of the device it lies on.
/// </summary>
public readonly record struct FileStatus(
    int Mode,
    uint Uid,
    uint Gid,
    long Size,
    ulong Inode,
    uint Links,
    uint DeviceMajor,
    uint DeviceMinor,
    uint OnMajor,
    uint OnMinor,
    long AccessSeconds,
    uint AccessNanoseconds,
    long ModifySeconds,
    uint ModifyNanoseconds,
    ulong MountId)
{
    private const int EmptyPath = 0x1000;
    private const int NoFollow = 0x100;
    private const int NoAutomount = 0x800;
    private const uint BasicStatsAndMountId = 0x7ff | 0x1000;

    public int Type => Mode & FileMode.TypeMask;

    public bool IsDirectory => Type == FileMode.Directory;

    /// <summary>The file a descriptor is open on (also an <c>O_PATH</c> one).</summary>
    public static FileStatus Of(FileDescriptor file) =>
        Read(file.Number, "", EmptyPath, out var status) is var result && result < 0
            ? throw new LinuxException("read a file's status", -result)
            : status;

    /// <summary>The file at a path, not following a last symbolic link; null when there is none.</summary>
    /// <param name="directory">Where a relative path starts; null for the working directory.</param>
    /// <param name="path">The path.</param>
    public static FileStatus? At(FileDescriptor? directory, string path)
    {
        var result = Read(directory?.Number ?? FileSyscalls.WorkingDirectory, path, NoFollow | NoAutomount, out var status);
        return result switch
        {
            >= 0 => status,
            -Errno.ENOENT or -Errno.ENOTDIR => null,
            _ => throw new LinuxException($"read the status of {path}", -result),
        };
    }

    private static unsafe int Read(int directory, string path, int flags, out FileStatus status)
    {
        using var text = new NativeText(path);

        // SAFETY: struct statx is 256 bytes with the same layout on every architecture.
        var raw = stackalloc byte[256];
        new Span<byte>(raw, 256).Clear();
        var result = (int)Syscall.Call(SyscallNumber.Statx, directory, text.Address, flags, (nint)BasicStatsAndMountId, (nint)raw);
        status = result < 0
            ? default
            : new FileStatus(
                *(ushort*)(raw + 0x1c),
                *(uint*)(raw + 0x14),
                *(uint*)(raw + 0x18),
                *(long*)(raw + 0x28),
                *(ulong*)(raw + 0x20),
                *(uint*)(raw + 0x10),
                *(uint*)(raw + 0x80),
                *(uint*)(raw + 0x84),
                *(uint*)(raw + 0x88),
                *(uint*)(raw + 0x8c),
                *(long*)(raw + 0x40),
                *(uint*)(raw + 0x48),
                *(long*)(raw + 0x70),
                *(uint*)(raw + 0x78),
                *(ulong*)(raw + 0x90));
        return result;
    }
}
