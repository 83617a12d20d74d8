using System.Runtime.InteropServices;

namespace Wherry.Linux.Inodes;

/// <summary>What stat(2) says of a file, as far as the engine asks.</summary>
/// <param name="Mode">Type and permission bits (inode(7)).</param>
/// <param name="Uid">Owner.</param>
/// <param name="Gid">Group.</param>
/// <param name="DeviceMajor">A device node's own major number.</param>
/// <param name="DeviceMinor">A device node's own minor number.</param>
public readonly partial record struct FileStatus(ushort Mode, uint Uid, uint Gid, uint DeviceMajor, uint DeviceMinor)
{
    private const int AtFdCwd = -100;
    private const int AtSymlinkNoFollow = 0x100;
    private const uint StatxBasic = 0x7ff;
    private const int TypeMask = 0xf000;

    public bool IsCharacterDevice => (Mode & TypeMask) == 0x2000;

    public bool IsBlockDevice => (Mode & TypeMask) == 0x6000;

    public bool IsDirectory => (Mode & TypeMask) == 0x4000;

    public uint Permissions => (uint)(Mode & 0xfff);

    /// <summary>The status of what the path names; null when there is nothing.</summary>
    /// <param name="path">On the host.</param>
    /// <param name="follow">Look behind a symbolic link.</param>
    public static FileStatus? Of(string path, bool follow)
    {
        // SAFETY: struct statx (statx(2)) is 256 bytes with the same layout on every architecture; the kernel
        // fills it and keeps no pointer to it.
        unsafe
        {
            var buffer = stackalloc byte[256];
            if (Statx(AtFdCwd, path, follow ? 0 : AtSymlinkNoFollow, StatxBasic, buffer) == 0)
            {
                return new FileStatus(
                    *(ushort*)(buffer + 0x1c), *(uint*)(buffer + 0x14), *(uint*)(buffer + 0x18), *(uint*)(buffer + 0x80), *(uint*)(buffer + 0x84));
            }
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno is Errno.ENOENT or Errno.ENOTDIR ? null : throw new LinuxException($"stat {path}", errno);
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Statx(int directory, string path, int flags, uint mask, byte* buffer);
}
