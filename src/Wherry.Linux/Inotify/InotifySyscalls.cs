using System.Runtime.InteropServices;

namespace Wherry.Linux.Inotify;

/// <summary>inotify(7), as it is.</summary>
internal static partial class InotifySyscalls
{
    public const int CloseOnExec = 0x80000;
    public const uint Modify = 0x2;
    public const uint MovedTo = 0x80;
    public const uint Create = 0x100;
    public const uint QueueOverflow = 0x4000;
    public const uint Ignored = 0x8000;
    public const uint OnlyDirectory = 0x1000000;

    /// <summary>Bytes of <c>struct inotify_event</c> before the name.</summary>
    public const int EventHeaderSize = 16;

    [LibraryImport("libc", EntryPoint = "inotify_init1", SetLastError = true)]
    public static partial int Init(int flags);

    [LibraryImport("libc", EntryPoint = "inotify_add_watch", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int AddWatch(int fd, string path, uint mask);

    [LibraryImport("libc", EntryPoint = "inotify_rm_watch", SetLastError = true)]
    public static partial int RemoveWatch(int fd, int watch);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static unsafe partial nint Read(int fd, byte* buffer, nuint count);
}
