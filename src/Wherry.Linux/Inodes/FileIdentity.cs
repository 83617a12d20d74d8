using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Wherry.Linux.Inodes;

/// <summary>Which file it is, whatever its name at the moment: device and inode number (inode(7)).</summary>
public readonly partial record struct FileIdentity(uint DeviceMajor, uint DeviceMinor, ulong Inode)
{
    private const int AtFdCwd = -100;
    private const int AtEmptyPath = 0x1000;
    private const int AtSymlinkNoFollow = 0x100;
    private const uint StatxIno = 0x100;
    private const uint StatxLinks = 0x4;

    /// <summary>The identity of an open file.</summary>
    public static FileIdentity Of(SafeFileHandle file) => Of(file, out _);

    /// <summary>The identity of an open file, and how many names it has: none once it was deleted.</summary>
    public static FileIdentity Of(SafeFileHandle file, out uint links)
    {
        var added = false;
        file.DangerousAddRef(ref added);
        try
        {
            return TryStat((int)file.DangerousGetHandle(), "", AtEmptyPath, out links)
                ?? throw new LinuxException("statx of an open file", Marshal.GetLastPInvokeError());
        }
        finally
        {
            if (added)
            {
                file.DangerousRelease();
            }
        }
    }

    /// <summary>The identity of what the path names, a symbolic link itself included; null when there is nothing.</summary>
    public static FileIdentity? At(string path)
    {
        if (TryStat(AtFdCwd, path, AtSymlinkNoFollow, out _) is { } identity)
        {
            return identity;
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno is Errno.ENOENT or Errno.ENOTDIR ? null : throw new LinuxException($"statx {path}", errno);
    }

    private static FileIdentity? TryStat(int directory, string path, int flags, out uint links)
    {
        // SAFETY: struct statx (statx(2)) is 256 bytes with the same layout on every architecture; the kernel
        // fills it and keeps no pointer to it.
        unsafe
        {
            var buffer = stackalloc byte[256];
            links = 0;
            if (Statx(directory, path, flags, StatxIno | StatxLinks, buffer) != 0)
            {
                return null;
            }

            links = *(uint*)(buffer + 0x10);

            return new FileIdentity(*(uint*)(buffer + 0x88), *(uint*)(buffer + 0x8c), *(ulong*)(buffer + 0x20));
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Statx(int directory, string path, int flags, uint mask, byte* buffer);
}
