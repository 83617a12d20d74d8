using System.Runtime.InteropServices;

namespace Wherry.Linux;

/// <summary>An owned file descriptor: closed when disposed, or at the latest when collected.</summary>
public sealed partial class FileDescriptor : SafeHandle
{
    public FileDescriptor(int fd)
        : base(-1, ownsHandle: true) => SetHandle(fd);

    public override bool IsInvalid => handle < 0;

    /// <summary>The descriptor's number; valid only while this object is neither closed nor collected.</summary>
    public int Number => (int)handle;

    /// <summary>Gives the descriptor up to the caller, who must close it.</summary>
    public int Release()
    {
        var fd = (int)handle;
        SetHandleAsInvalid();
        return fd;
    }

    protected override bool ReleaseHandle() => Close((int)handle) == 0;

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int fd);
}
